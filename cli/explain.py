"""One command for every explainer, made from its signature and docstring."""

import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError
from interpret.explainers import EXPLAINERS

from . import options
from .batches import batch_option, workers_option
from .draw import display_options, take_display
from .inputs import find_pictures, output_stems
from .outputs import RAW, Outputs, clobber_option, output_option
from .run import Run
from .signatures import Method, Option, explainer_method
from .targets import class_options, results_a_picture, take_classes
from .together import failures_of_all, processes, shared_out, together
from .written import write_all

if TYPE_CHECKING:
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
    batch_option,
    workers_option,
)


def _command(name: str) -> click.Command:
    """The command for a method of the table."""
    method = explainer_method(name)

    def run(**settings: Any) -> None:
        explain(method, settings)

    run.__doc__ = f"{method.description}\n\n{method.title}: {method.url}"
    decorated = options.applied(
        options.pictures_argument,
        options.recursive_option,
        class_options,
        *(method_option(option) for option in method.options if option.name != "seed"),
        display_options(method.name),
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
    elif option.annotation.startswith("float | Tensor"):  # one number for all samples, or a tensor with one for each
        kind = options.Radius()
    else:
        kind = KINDS[option.annotation.split(" | ")[0]]  # the other kinds are for Python
    # A fraction is shown, and read again, as it stands in the signature.
    default = option.shown if "/" in option.shown else option.default
    return click.option(f"--{dashed}", type=kind, default=default, show_default=default is not None, help=help_text)


def explain(method: Method, settings: dict[str, Any]) -> None:
    """Explain every picture for every class, write the results and print where they are.

    Args:
        method: the explainer.
        settings: the command's parameters.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; the others are written.
    """
    own = together(dict(settings))  # every process tells of its own pictures
    with options.notes_of_the_library(settings["quiet"]), own:
        run = _prepared(method, settings)
        results, limit = run.results(), None
        if run.display.scale == "shared":
            results = list(results)
            limit = run.display.limit(*map(run.seen_values, results)) if results else 0.0
        write_all(run, results, limit)
        failed = failures_of_all(run.failed)
    if failed:
        raise click.exceptions.Exit(1)


def _prepared(method: Method, settings: dict[str, Any]) -> Run:
    """Everything that can be wrong before the first picture is looked at, looked at."""
    from interpret.network.hooks import find_layer

    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    outputs = Outputs(settings.pop("output"), sources)
    display = take_display(settings)
    if display.scale == "shared" and settings["no_clobber"]:
        raise InterpretError("--scale shared needs every map again; leave out --no-clobber")
    method_options = {option.name: settings[option.name] for option in method.options}
    classes = take_classes(settings)
    if display.scale == "shared" and processes() > 1:
        raise InterpretError("--scale shared looks at every map before it draws one; run it in one process")
    named = {name: settings[name] for name in ("model", "weights")}
    classifier = options.open_classifier(settings)
    outputs.expect(len(sources) * results_a_picture(classifier, classes))
    if method_options.get("layer") is not None:
        find_layer(classifier.network, method_options["layer"])
    work = shared_out(list(zip(sources, output_stems(sources), strict=True)))
    run = Run(method, work, classifier, outputs, display, classes, method_options, settings)
    run.about = _about(run, named)
    return run


def _about(run: Run, named: dict[str, str | None]) -> dict[str, Any]:
    """What holds for every result of a run, and what one needs to make it again."""
    import torch

    from interpret import __version__
    from interpret.network.fingerprint import fingerprint

    return {
        "command": run.method.command,
        "model": named["model"],
        "weights": named["weights"] or "published",
        "weights_hash": fingerprint(run.classifier.network),
        "preprocessing": _preprocessing(run.classifier),
        "options": run.method_options,
        "smooth": run.settings["smooth"],
        "size": run.settings["size"],
        "drawing": None if run.outputs.suffix in RAW else asdict(run.display),
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
        "precision": classifier.precision,
    }


EXPLAINING = {name.replace("_", "-"): functools.partial(_command, name) for name in EXPLAINERS}
