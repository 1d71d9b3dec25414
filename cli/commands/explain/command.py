"""The command of every explainer: its options are its signature's, and those that all of them have."""

import functools
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError
from interpret.explainers import DISPLAYS, EXPLAINERS

from ...job import processes
from ...job.provenance import provenance
from ...job.results import RAW, Outputs
from ...job.sources import Source, output_stems, sources_of
from ...options.classes import ClassOptions
from ...options.figure import FigureOptions
from ...options.map_display import DisplayOptions
from ...options.messages import Messages
from ...options.network import ModelOptions
from ...options.output import OutputOptions, json_option
from ...options.pictures import PictureOptions
from ...options.record import record_options
from ...options.signature import Method, explainer_method, method_command
from .job import Explaining, MapOptions
from .targets import results_a_picture
from .write import write_all

if TYPE_CHECKING:
    from interpret.classifier import Classifier


def _command(name: str) -> click.Command:
    """The command for a method of the table."""
    method = explainer_method(name)
    own = [option for option in method.options if option.name != "seed"]  # which is every method's
    display = record_options("display", DisplayOptions, **DISPLAYS[EXPLAINERS[name]])
    return method_command(method, _explain, own, display=display)


def _explain(
    method: Method,
    *,
    pictures: PictureOptions,
    classes: ClassOptions,
    chosen: dict[str, Any],
    display: DisplayOptions,
    figure: FigureOptions,
    maps: MapOptions,
    output: OutputOptions,
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Explain every picture for every class, and write the results; the exit status is 1 where some failed."""
    if "seed" in {option.name for option in method.options}:
        chosen["seed"] = maps.seed
    # Every process tells of its own pictures.
    with messages.of_the_library(), processes.joined(model.device, messages):
        sources = sources_of(pictures)
        outputs = Outputs(output.output, sources)
        _check_together(classes, display, maps, output, model)
        model.check_classes(*classes.classes, classes.versus)
        classifier = model.open(tiles=True)
        outputs.expect(len(sources) * results_a_picture(classifier, classes))
        if chosen.get("layer") is not None:
            from interpret.network.hooks import find_layer

            find_layer(classifier.network, chosen["layer"])
        asked = {"classes": classes, "chosen": chosen, "display": display, "figure": figure, "maps": maps}
        job = job_of(method, sources, classifier, outputs, output=output, model=model, messages=messages, **asked)
        write_all(job, as_json)
        failed = processes.all_failures(job.failed)
    if failed:
        raise click.exceptions.Exit(1)


def _check_together(
    classes: ClassOptions, display: DisplayOptions, maps: MapOptions, output: OutputOptions, model: ModelOptions
) -> None:
    """Refuse options that contradict each other, before the network is loaded."""
    if (classes.mask or classes.box) and (maps.smooth or maps.size == "model"):
        raise InterpretError("--mask and --box are places of the picture as it is; leave out --smooth and --size")
    if maps.smooth and any("@" in text for text in classes.units):
        raise InterpretError("a --unit at one place sees another part of a shifted picture; leave out --smooth")
    if model.crop == "tiles" and classes.of_places:
        raise InterpretError("a mask, a box or a place of a --unit lies in no single tile; leave out --crop tiles")
    if display.scale == "shared" and output.no_clobber:
        raise InterpretError("--scale shared needs every map again; leave out --no-clobber")
    if display.scale == "shared" and processes.count() > 1:
        raise InterpretError("--scale shared looks at every map before it draws one; run it in one process")


def job_of(
    method: Method,
    sources: Sequence[Source],
    classifier: "Classifier",
    outputs: Outputs,
    *,
    classes: ClassOptions,
    chosen: dict[str, Any],
    display: DisplayOptions,
    figure: FigureOptions,
    maps: MapOptions,
    output: OutputOptions,
    model: ModelOptions,
    messages: Messages,
) -> Explaining:
    """The job of a command's options, on this process's share of the pictures."""
    about = provenance(
        method.command,
        model,
        classifier,
        options=chosen,
        smooth=maps.smooth,
        size=maps.size,
        display=None if outputs.suffix in RAW else asdict(display) | asdict(figure),
        seed=maps.seed,
    )
    return Explaining(
        method=method,
        work=processes.own_share(list(zip(sources, output_stems(sources), strict=True))),
        classifier=classifier,
        outputs=outputs,
        display=display,
        classes=classes,
        method_options=chosen,
        maps=maps,
        no_clobber=output.no_clobber,
        about=about,
        messages=messages,
    )


EXPLAINING = {name.replace("_", "-"): functools.partial(_command, name) for name in EXPLAINERS}
