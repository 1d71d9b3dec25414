"""One command for every explainer, made from its signature and docstring."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from . import options
from .inputs import Source, find_pictures, output_stems, picture_hash
from .outputs import RAW, Outputs, clobber_option, output_option, stored_about, write_result
from .signatures import Method, Option, methods
from .targets import Wanted, class_options, results_a_picture, wanted_classes

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier


KINDS = {"int": click.INT, "float": click.FLOAT, "str": click.STRING, "bool": click.BOOL}

drawing_options = options.applied(
    click.option(
        "--view",
        type=click.Choice(["overlay", "heatmap", "side-by-side"]),
        default="overlay",
        show_default=True,
        help="The map over the picture, the map alone, or both with a colour bar in the map's own units.",
    ),
    click.option(
        "--scale",
        default="each",
        show_default=True,
        metavar="each|shared|NUMBER",
        help="The value that gets the strongest colour: each picture's own largest, one for all pictures, or a number.",
    ),
)


def explainer_commands() -> list[click.Command]:
    """A command for every method of the table."""
    return [_command(method) for method in methods()]


def _command(method: Method) -> click.Command:
    def run(**settings: Any) -> None:
        explain(method, settings)

    run.__doc__ = f"{method.description}\n\n{method.title}: {method.url}"
    decorated = run
    shared = (
        options.message_options,
        options.json_option,
        click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
        options.model_options,
        clobber_option,
        output_option,
        drawing_options,
        *(method_option(option) for option in reversed(method.options)),
        class_options,
        options.recursive_option,
        options.pictures_argument,
    )
    for decorate in shared:
        decorated = decorate(decorated)
    return click.command(method.command, short_help=method.summary)(decorated)


def method_option(option: Option) -> Any:
    """The shell's option for a method's keyword: its type, default and help are the signature's."""
    annotation, dashed = option.annotation, option.name.replace("_", "-")
    help_text = option.help[:1].upper() + option.help[1:]
    if annotation == "bool":
        return click.option(f"--{dashed}/--no-{dashed}", default=option.default, show_default=True, help=help_text)
    if annotation.startswith("Literal["):
        kind: Any = click.Choice([word.strip(" '\"") for word in annotation[8:-1].split(",")])
    else:
        kind = KINDS[annotation.removesuffix(" | None")]
    shown = option.default is not None
    return click.option(f"--{dashed}", type=kind, default=option.default, show_default=shown, help=help_text)


@dataclass
class Explained:
    """One map, and what there is to say about it."""

    source: Source
    stem: Any
    image: "Tensor"
    wanted: Wanted
    attribution: "Tensor"
    seen: "Tensor"
    about: dict[str, Any] = field(default_factory=dict)


def explain(method: Method, settings: dict[str, Any]) -> None:
    """Explain every picture for every class, write the results and print where they are.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; the others are written.
    """
    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    run = _Run(method, settings, sources)
    if run.failed:
        raise click.exceptions.Exit(1)


class _Run:
    """The state of one explainer command: its model, its outputs, and what has failed."""

    def __init__(self, method: Method, settings: dict[str, Any], sources: Sequence[Source]) -> None:
        self.method = method
        self.sources = sources
        self.failed = 0
        self.quiet, self.verbose = settings.pop("quiet"), settings.pop("verbose")
        self.as_json, self.no_clobber = settings.pop("as_json"), settings.pop("no_clobber")
        self.view, self.scale = settings.pop("view"), _scale(settings.pop("scale"))
        self.seed = settings.pop("seed")
        output = settings.pop("output")
        model, weights = settings["model"], settings["weights"]
        self.method_options = {option.name: settings.pop(option.name) for option in method.options}
        class_settings = {name: settings.pop(name) for name in ("classes", "class_mode", "versus", "top_k")}
        if self.scale == "shared" and self.no_clobber:
            raise InterpretError("--scale shared needs every map again; leave out --no-clobber")
        self.outputs = Outputs(output, sources)
        self.classifier = options.open_classifier(settings)
        self.outputs.expect(len(sources) * results_a_picture(self.classifier, class_settings))
        self.choose = wanted_classes(self.classifier, class_settings)
        self._check_layer()
        self.about = self._about(model, weights)
        results = self._results()
        if self.scale == "shared":
            self._write_shared(list(results))
        else:
            for result in results:
                self._write(result, None if self.scale == "each" else self.scale)

    def _check_layer(self) -> None:
        from interpret.hooks import find_layer

        if self.method_options.get("layer") is not None:
            find_layer(self.classifier.network, self.method_options["layer"])

    def _about(self, model: str, weights: str | None) -> dict[str, Any]:
        import torch

        from interpret import __version__
        from interpret.weights import fingerprint

        return {
            "command": self.method.command,
            "model": model,
            "weights": weights or "published",
            "weights_hash": fingerprint(self.classifier.network),
            "preprocessing": _preprocessing(self.classifier),
            "options": self.method_options,
            "drawing": None if self.outputs.suffix in RAW else {"view": self.view, "scale": self.scale},
            "seed": self.seed,
            "versions": {"interp": __version__, "torch": torch.__version__},
        }

    def _results(self) -> Iterator[Explained]:
        """Explain picture by picture; one that fails is reported and passed over."""
        from tqdm import tqdm

        work = list(zip(self.sources, output_stems(self.sources), strict=True))
        quiet = self.quiet or self.outputs.to_stdout or len(work) == 1
        for source, stem in tqdm(work, disable=quiet or None, leave=False, unit="picture"):
            try:
                yield from self._explain(source, stem)
            except (PictureError, RuntimeError) as error:
                # A RuntimeError is the network's own: too small a picture, or too large for memory.
                self.failed += 1
                options.note_failure(source.shown, error, self.verbose)

    def _explain(self, source: Source, stem: Any) -> Iterator[Explained]:
        import torch

        from interpret.explainers import explainer_named

        explainer = explainer_named(self.method.name)
        device = self.classifier.mean.device
        image = source.read().to(device)
        method_options = self._with_layer(image)
        for wanted in self.choose(image):
            if not self.quiet:
                for line in wanted.notes:
                    options.note(f"{source.shown}: {line}")
            about = {
                **self.about,
                "options": method_options,
                "picture": source.shown,
                "picture_hash": picture_hash(image),
                "class": wanted.label,
                "explained": wanted.about,
            }
            if self._done(stem, wanted, about):
                continue
            torch.manual_seed(self.seed)
            attribution = explainer(self.classifier, image, wanted.target, **method_options)
            seen = self.classifier.prepare(image)[1].seen()
            yield Explained(source, stem, image, wanted, attribution, seen, about)

    def _with_layer(self, image: "Tensor") -> dict[str, Any]:
        """The method's options with the layer that it looks at, also where that is the default one."""
        from interpret.explainers.contract import layer_of, on_input_grid

        if "layer" not in self.method_options:
            return self.method_options
        view, inputs, _ = on_input_grid(self.classifier, image)
        return {**self.method_options, "layer": layer_of(view, inputs, self.method_options["layer"])}

    def _done(self, stem: Any, wanted: Wanted, about: dict[str, Any]) -> bool:
        """Whether an earlier run made this result; one made from something else is an error."""
        path = self.outputs.place(stem, self.method.name, wanted.label)
        if not self.no_clobber or path is None or not path.exists():
            return False
        before = stored_about(path)
        # The same pictures and weights may be called otherwise, and be explained by another version.
        free = ("picture", "model", "weights", "versions")
        differing = [key for key in about if before and key not in free and before.get(key) != about[key]]
        if differing:
            raise PictureError(
                f"{path} was made with another {differing[0]} and is left alone; write elsewhere with -o"
            )
        click.echo(json.dumps({"path": str(path), **about}) if self.as_json else path)
        return True

    def _write_shared(self, results: list[Explained]) -> None:
        from interpret.figures import limit_of

        limit = limit_of(*(result.attribution for result in results)) if results else 0
        for result in results:
            self._write(result, limit)

    def _write(self, result: Explained, limit: float | None) -> None:
        path = self.outputs.place(result.stem, self.method.name, result.wanted.label)
        write_result(path, self._draw(result, limit, path), result.about)
        if path is None:
            return
        click.echo(json.dumps({"path": str(path), **result.about}) if self.as_json else path)

    def _draw(self, result: Explained, limit: float | None, path: Any) -> Any:
        from interpret import figures

        if path is not None and path.suffix.lower() in RAW:
            attribution = result.attribution[0].cpu().numpy()
            return {"attribution": attribution, "seen": result.seen.numpy()}
        if self.view == "heatmap":
            return figures.heatmap(result.attribution, limit=limit, seen=result.seen)
        if self.view == "overlay":
            return figures.overlay(result.image, result.attribution, limit=limit, seen=result.seen)
        return figures.side_by_side(
            result.image,
            result.attribution,
            limit=limit,
            seen=result.seen,
            title=result.wanted.prediction,
            caption=f"{self.method.title.split(' (')[0]}: {result.wanted.label}",
            unit=result.wanted.unit,
        )


def _preprocessing(classifier: "Classifier") -> dict[str, Any]:
    return {
        "mean": classifier.mean.flatten().tolist(),
        "std": classifier.std.flatten().tolist(),
        "input_size": classifier.input_size and list(classifier.input_size),
        "resize": classifier.resize,
        "interpolation": classifier.interpolation,
    }


def _scale(given: str) -> str | float:
    if given in ("each", "shared"):
        return given
    try:
        number = float(given)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise InterpretError(f"--scale is each, shared or a number above 0, not {given!r}")
    return number
