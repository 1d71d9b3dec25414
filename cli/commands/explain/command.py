"""The command of every explainer: its options are its signature's, and those that all of them have."""

import functools
from dataclasses import asdict
from typing import Any

import click

from interpret.errors import InterpretError
from interpret.explainers import EXPLAINERS

from ...job import processes
from ...job.outputs import RAW, Outputs
from ...job.provenance import provenance
from ...job.sources import output_stems, sources_of
from ...options.classes import ClassOptions, class_options
from ...options.display import DisplayOptions, display_options
from ...options.group import group
from ...options.messages import Messages, message_options
from ...options.model import ModelOptions, model_options
from ...options.output import OutputOptions, json_option, output_options
from ...options.pictures import PictureOptions, batch_option, picture_options, seed_option
from ...options.signature import Method, explainer_method, method_command, method_option
from .job import Explaining, MapOptions
from .targets import results_a_picture
from .write import write_all


def _command(name: str) -> click.Command:
    """The command for a method of the table."""
    from interpret.datasets.threads import WORKERS

    method = explainer_method(name)

    def run(**values: Any) -> None:
        _explain(method, **values)

    return method_command(
        method,
        run,
        picture_options,
        class_options,
        *(method_option(option) for option in method.options if option.name != "seed"),
        display_options(method.name),
        group(
            "maps",
            MapOptions,
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
            seed_option,
            batch_option,
            click.option(
                "--workers",
                type=click.IntRange(1),
                default=WORKERS,
                help="Threads that read, and threads that write, beside the network; one for each core, up to 4, by "
                "default.",
            ),
        ),
        output_options,
        model_options,
        json_option,
        message_options,
    )


def _explain(
    method: Method,
    *,
    pictures: PictureOptions,
    classes: ClassOptions,
    display: DisplayOptions,
    maps: MapOptions,
    output: OutputOptions,
    model: ModelOptions,
    as_json: bool,
    messages: Messages,
    **chosen: Any,
) -> None:
    """Explain every picture for every class, write the results and say where they are; exit with 1 where some failed.

    Args:
        method: the explainer.
        chosen: its own options; the others are those that every explainer has.
    """
    if "seed" in {option.name for option in method.options}:
        chosen["seed"] = maps.seed
    # Every process tells of its own pictures.
    with messages.of_the_library(), processes.joined(model.device, messages):
        sources = sources_of(pictures)
        outputs = Outputs(output.output, sources)
        if display.scale == "shared" and output.no_clobber:
            raise InterpretError("--scale shared needs every map again; leave out --no-clobber")
        if display.scale == "shared" and processes.count() > 1:
            raise InterpretError("--scale shared looks at every map before it draws one; run it in one process")
        classifier = model.open()
        outputs.expect(len(sources) * results_a_picture(classifier, classes))
        if chosen.get("layer") is not None:
            from interpret.network.hooks import find_layer

            find_layer(classifier.network, chosen["layer"])
        about = provenance(
            method.command,
            model,
            classifier,
            options=chosen,
            smooth=maps.smooth,
            size=maps.size,
            display=None if outputs.suffix in RAW else asdict(display),
            seed=maps.seed,
        )
        job = Explaining(
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
        write_all(job, as_json)
        failed = processes.all_failures(job.failed)
    if failed:
        raise click.exceptions.Exit(1)


EXPLAINING = {name.replace("_", "-"): functools.partial(_command, name) for name in EXPLAINERS}
