"""One command for every explainer, made from its signature and docstring."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from . import options
from .draw import Drawing, drawing_options
from .inputs import Source, find_pictures, output_stems, picture_hash
from .outputs import RAW, Outputs, clobber_option, output_option, stored_about, write_result
from .signatures import Method, Option, methods
from .targets import Wanted, class_options, results_a_picture, take_classes, wanted_classes

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier

KINDS = {"int": click.INT, "float": click.FLOAT, "str": click.STRING}

shared_options = options.applied(
    click.option(
        "--smooth",
        type=click.IntRange(1),
        metavar="N",
        help="Average over N copies of the picture, mirrored and slightly shifted.",
    ),
    click.option(
        "--size",
        type=click.Choice(["original", "model"]),
        default="original",
        show_default=True,
        help="The pixels of the result: the picture's, or those of the network's input.",
    ),
    click.option("--raw", is_flag=True, help="Write the raw attribution too, as an .npz beside each picture."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
)


def explainer_commands() -> list[click.Command]:
    """A command for every method of the table."""
    return [_command(method) for method in methods()]


def _command(method: Method) -> click.Command:
    def run(**settings: Any) -> None:
        explain(method, settings)

    run.__doc__ = f"{method.description}\n\n{method.title}: {method.url}"
    decorated = options.applied(
        options.pictures_argument,
        options.recursive_option,
        class_options,
        *(method_option(option) for option in method.options if option.name != "seed"),
        drawing_options(method.name),
        shared_options,
        output_option,
        clobber_option,
        options.model_options,
        options.json_option,
        options.message_options,
    )(run)
    return click.command(method.command, short_help=method.summary)(decorated)


def method_option(option: Option) -> Any:
    """The shell's option for a method's keyword: its type, default and help are the signature's."""
    dashed = option.name.replace("_", "-")
    help_text = option.help[:1].upper() + option.help[1:]
    if option.annotation == "bool":
        return click.option(f"--{dashed}/--no-{dashed}", default=option.default, show_default=True, help=help_text)
    if option.annotation.startswith("Literal["):
        kind: Any = click.Choice([word.strip(" '\"") for word in option.annotation[8:-1].split(",")])
    else:
        kind = KINDS[option.annotation.split(" | ")[0]]  # the other kinds are for Python
    shown = option.default is not None
    return click.option(f"--{dashed}", type=kind, default=option.default, show_default=shown, help=help_text)


@dataclass(frozen=True)
class Explained:
    """One attribution, and what there is to say about it."""

    stem: Path
    image: "Tensor"
    wanted: Wanted
    attribution: "Tensor"
    seen: "Tensor"
    about: dict[str, Any]


def explain(method: Method, settings: dict[str, Any]) -> None:
    """Explain every picture for every class, write the results and print where they are.

    Args:
        method: the explainer.
        settings: the command's parameters.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; the others are written.
    """
    with options.notes_of_the_library(settings["quiet"]):
        run = _prepared(method, settings)
        results = run.results()
        if run.drawing.scale == "shared":
            results = list(results)
            limit = run.drawing.limit(*(result.attribution for result in results)) if results else 0.0
            for result in results:
                run.write(result, limit)
        else:
            for result in results:
                run.write(result, run.drawing.limit(result.attribution))
    if run.failed:
        raise click.exceptions.Exit(1)


def _prepared(method: Method, settings: dict[str, Any]) -> "Run":
    """Everything that can be wrong before the first picture is looked at, looked at."""
    from interpret.hooks import find_layer

    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    outputs = Outputs(settings.pop("output"), sources)
    drawing = Drawing.taken_from(settings)
    if drawing.scale == "shared" and settings["no_clobber"]:
        raise InterpretError("--scale shared needs every map again; leave out --no-clobber")
    # The seed is every command's, whether its method draws something or not.
    method_options = {option.name: settings[option.name] for option in method.options}
    classes = take_classes(settings)
    named = {name: settings[name] for name in ("model", "weights")}
    classifier = options.open_classifier(settings)
    outputs.expect(len(sources) * results_a_picture(classifier, classes))
    if method_options.get("layer") is not None:
        find_layer(classifier.network, method_options["layer"])
    run = Run(method, sources, classifier, outputs, drawing, classes, method_options, settings)
    run.about = _about(run, named)
    return run


def _about(run: "Run", named: dict[str, str | None]) -> dict[str, Any]:
    """What holds for every result of a run, and what one needs to make it again."""
    import torch

    from interpret import __version__
    from interpret.weights import fingerprint

    return {
        "command": run.method.command,
        "model": named["model"],
        "weights": named["weights"] or "published",
        "weights_hash": fingerprint(run.classifier.network),
        "preprocessing": _preprocessing(run.classifier),
        "options": run.method_options,
        "smooth": run.settings["smooth"],
        "size": run.settings["size"],
        "drawing": None if run.outputs.suffix in RAW else asdict(run.drawing),
        "seed": run.settings["seed"],
        "versions": {"interp": __version__, "torch": torch.__version__},
    }


def _preprocessing(classifier: "Classifier") -> dict[str, Any]:
    return {
        "mean": classifier.mean.flatten().tolist(),
        "std": classifier.std.flatten().tolist(),
        "input_size": classifier.input_size and list(classifier.input_size),
        "resize": classifier.resize,
        "interpolation": classifier.interpolation,
    }


@dataclass
class Run:
    """One explainer command at work."""

    method: Method
    sources: list[Source]
    classifier: "Classifier"
    outputs: Outputs
    drawing: Drawing
    classes: dict[str, Any]
    method_options: dict[str, Any]
    settings: dict[str, Any]
    about: dict[str, Any] | None = None
    failed: int = 0

    def results(self) -> Iterator[Explained]:
        """Explain picture by picture; one that fails is reported and passed over."""
        from tqdm import tqdm

        choose = wanted_classes(self.classifier, self.classes)
        work = list(zip(self.sources, output_stems(self.sources), strict=True))
        hidden = self.settings["quiet"] or self.outputs.to_stdout or len(work) == 1
        for source, stem in tqdm(work, disable=hidden or None, leave=False, unit="picture"):
            try:
                yield from self._explained(source, stem, choose)
            except (PictureError, RuntimeError) as error:
                # A RuntimeError is the network's own: too small a picture, or too large for memory.
                self.failed += 1
                options.note_failure(source.shown, error, self.settings["verbose"])

    def _explained(self, source: Source, stem: Path, choose: Any) -> Iterator[Explained]:
        classifier, image = self.classifier, source.read().to(self.classifier.mean.device)
        geometry = classifier.prepare(image)[1]
        if self.settings["size"] == "model":
            # Bicubic resizing overshoots; a picture does not.
            classifier, image = classifier.on_inputs(), geometry.apply(image).clamp(0, 1)
            geometry = classifier.prepare(image)[1]
        method_options = self._with_layer(classifier, image)
        for wanted in choose(image, classifier):
            for line in wanted.notes:
                options.note(f"{source.shown}: {line}", self.settings["quiet"])
            about = {
                **self.about,
                "options": method_options,
                "picture": source.shown,
                "picture_hash": picture_hash(image),
                "class": wanted.label,
                "explained": wanted.about,
            }
            if not self._done(stem, wanted, about):
                attribution = self._attribution(classifier, image, wanted, method_options)
                self._say_what_is_wrong(source, classifier, image, wanted, method_options, attribution)
                yield Explained(stem, image, wanted, attribution, geometry.seen(), about)

    def _with_layer(self, classifier: "Classifier", image: "Tensor") -> dict[str, Any]:
        """The method's options with the layer that it looks at, also where that is the default one."""
        from interpret.explainers.contract import layer_of, on_input_grid

        if "layer" not in self.method_options:
            return self.method_options
        view, inputs, _ = on_input_grid(classifier, image)
        return {**self.method_options, "layer": layer_of(view, inputs, self.method_options["layer"])}

    def _attribution(
        self, classifier: "Classifier", image: "Tensor", wanted: Wanted, method_options: dict[str, Any]
    ) -> "Tensor":
        import torch

        from interpret.explainers import explainer_named
        from interpret.smoothing import smoothed

        explainer = explainer_named(self.method.name)
        torch.manual_seed(self.settings["seed"])
        if self.settings["smooth"]:
            times = self.settings["smooth"]
            return smoothed(explainer, classifier, image, wanted.target, times=times, **method_options)
        return explainer(classifier, image, wanted.target, **method_options)

    def _say_what_is_wrong(
        self,
        source: Source,
        classifier: "Classifier",
        image: "Tensor",
        wanted: Wanted,
        method_options: dict[str, Any],
        attribution: "Tensor",
    ) -> None:
        """One sentence on a map that would be blank, and, if asked for more, on the evidence against the class."""
        from interpret.diagnosis import diagnose

        (found,) = diagnose(attribution)
        if found.kind == "zero" and method_options.get("relu"):
            # What the ReLU has cut away says why nothing is left.
            uncut = self._attribution(classifier, image, wanted, {**method_options, "relu": False})
            (found,) = diagnose(uncut)
        if found.kind != "fine" or self.settings["verbose"]:
            options.note(f"{source.shown}: {wanted.label}: {found.sentence}", self.settings["quiet"])

    def _done(self, stem: Path, wanted: Wanted, about: dict[str, Any]) -> bool:
        """Whether an earlier run made this result; one made from something else is an error."""
        path = self.outputs.place(stem, self.method.name, wanted.label)
        if not self.settings["no_clobber"] or path is None or not path.exists():
            return False
        before = stored_about(path)
        if before is None:
            options.note(f"{path} does not say how it was made; it is left as it is", self.settings["quiet"])
        # The same pictures and weights may be called otherwise, and be explained by another version.
        free = ("picture", "model", "weights", "versions")
        differing = [key for key in about if before and key not in free and before.get(key) != about[key]]
        if differing:
            raise PictureError(
                f"{path} was made with another {differing[0]} and is left alone; write elsewhere with -o"
            )
        if self.settings["raw"] and not path.with_suffix(".npz").exists():
            return False
        self._tell(path, about)
        return True

    def write(self, result: Explained, limit: float) -> None:
        """Write one result and say where it is."""
        path = self.outputs.place(result.stem, self.method.name, result.wanted.label)
        raw = {"attribution": result.attribution[0].cpu().numpy(), "seen": result.seen.numpy()}
        if path is not None and path.suffix.lower() in RAW:
            write_result(path, raw, result.about)
        else:
            words = {
                "title": result.wanted.prediction,
                "caption": f"{self.method.title.split(' (')[0]}: {result.wanted.label}",
                "unit": result.wanted.unit,
            }
            drawn = self.drawing.draw(result.image, result.attribution, result.seen, limit, words)
            write_result(path, drawn, result.about)
            if self.settings["raw"] and path is not None:
                write_result(path.with_suffix(".npz"), raw, result.about)
                self._tell(path.with_suffix(".npz"), result.about)
        if path is not None:
            self._tell(path, result.about)

    def _tell(self, path: Path, about: dict[str, Any]) -> None:
        options.tell(json.dumps({"path": str(path), **about}) if self.settings["as_json"] else str(path))
