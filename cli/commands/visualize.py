"""`interp visualize`."""

from pathlib import Path
from typing import Any

import click

from interpret.errors import NetworkError

from .. import drawn, options
from ..beside import activation, beside_option, examples_of
from ..expressions import objective_of
from ..inputs import Source
from ..outputs import Outputs, output_option, slug, write_result
from ..visualized import Studio, check


@click.command()
@click.argument("what", nargs=-1, required=True, shell_complete=options.complete_classes)
@click.option(
    "--image",
    "parametrisation",
    type=click.Choice(["fourier", "maco", "pixels"]),
    default="fourier",
    show_default=True,
    help="How the picture is written down: frequencies and decorrelated colours; phases alone; or pixels.",
)
@click.option("--size", type=click.IntRange(8), help="Side of the picture; the network's input by default.")
@click.option("--steps", type=click.IntRange(1), default=96, show_default=True, help="Of the optimisation.")
@click.option("--copies", type=click.IntRange(1), default=2, show_default=True, help="Random views a step.")
@click.option("--transforms/--no-transforms", default=True, show_default=True, help="Whether to look from many sides.")
@click.option("--smoothness", type=float, default=50, show_default=True, help="Weight against small differences.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "nesterov", "rmsprop", "adam"]),
    default="adam",
    show_default=True,
    help="What takes the steps.",
)
@click.option("--learning-rate", type=float, help="Of the optimiser; 0.03, or 0.3 for maco.")
@click.option("--curve", type=click.Path(), help="Draw the objective over the steps into this file too.")
@click.option("--diversity", type=click.IntRange(1), default=1, show_default=True, help="Pictures that differ.")
@click.option("--apart-in", metavar="LAYER", help="Where they differ; the expression's layer, or the last map.")
@click.option("--negative", is_flag=True, help="Draw what lowers it as well.")
@click.option("--gif", type=click.Path(), help="The way there, as an animation.")
@click.option("--every", type=click.IntRange(1), default=4, show_default=True, help="Steps between its frames.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Try so many; keep the best.")
@beside_option
@drawn.seed_option
@output_option
@options.model_options
@options.message_options
def visualize(
    what: tuple[str, ...], output: str | None, beside: str | None, quiet: bool, verbose: int, **settings: Any
) -> None:
    """Draw what raises a class, a channel or a layer; several WHATs make a grid.

    \b
    interp visualize goldfish
    interp visualize "tabby + 0.5 x espresso" "volcano - goldfish"
    interp visualize _blocks.9:44 _blocks.9:44@7,7 _blocks.9 --seeds 3
    interp visualize _blocks.9:44 --beside photos/

    Names are classes; LAYER:CHANNEL is a channel, LAYER:CHANNEL@ROW,COLUMN one neuron, LAYER:FILE.npy
    a direction in the layer's space, one number a channel as numpy.save writes them, and LAYER a
    whole layer. Ctrl-C keeps the picture so far.
    """
    name = "_".join(slug(text) for text in what)[:80]
    outputs = Outputs(output, [Source("drawn", None, Path(name))])
    drawn.no_raw_format(outputs)
    drawn.check_animation(settings["gif"])
    named = dict(settings)
    classifier = options.open_classifier(settings)
    wanted = []
    for text in what:
        objective = objective_of(text, classifier)
        check(classifier, objective)
        wanted.append((text, objective))
        if settings["negative"]:
            wanted.append((f"not ({text})" if " " in text else f"not {text}", -objective))
    examples = examples_of(what, beside, classifier, quiet, verbose) if beside else {}
    studio, failed = Studio(classifier, settings, quiet), []
    about = drawn.about_run("visualize", named, classifier, what=list(what), options={**settings, "beside": beside})

    def save() -> None:
        _save(studio, examples, outputs, name, about)

    try:
        for text, objective in wanted:
            try:
                studio.draw(text, objective)
            except NetworkError as error:
                if len(wanted) == 1:
                    raise
                failed.append(text)
                options.note_failure(text, error, verbose)
    except KeyboardInterrupt:
        save()
        raise
    save()
    if failed:
        raise click.exceptions.Exit(1)


def _save(studio: Studio, examples: dict[str, Any], outputs: Outputs, name: str, about: dict[str, Any]) -> None:
    """Write what is done, if anything is: the pictures, and the curve and the animation where they were asked for."""
    from interpret.figures import DatasetExamples, drawings_figure, objective_curve

    if not studio.done:
        return
    beside = {}
    for one in studio.done:
        if one.text in examples:
            found = examples[one.text]
            beside[one.text] = found, activation(studio.classifier, one.images, found)
            options.note(f"{one.text}: {found.sentence(beside[one.text][1])}", studio.quiet)
    about = {
        **about,
        "seeds": {one.text: one.seed for one in studio.done},
        "beside": {text: found.about(reached) for text, (found, reached) in beside.items()},
    }
    settings = studio.settings
    path = outputs.place(Path(name), "visualize")
    drawings = [(one.text, one.images) for one in studio.done]
    shown = {text: DatasetExamples(found.crops, found.pictures, reached) for text, (found, reached) in beside.items()}
    write_result(path, drawings_figure(drawings, shown, pairs=settings["negative"]), about)
    if path is not None:
        options.tell(str(path))
    if settings["curve"]:
        Path(settings["curve"]).parent.mkdir(parents=True, exist_ok=True)
        curves = objective_curve([(one.text, one.frames.scores) for one in studio.done])
        write_result(Path(settings["curve"]), curves, about)
        options.tell(settings["curve"])
    if settings["gif"]:
        every = settings["every"]
        frames = [frame for one in studio.done for frame in one.frames.small[::-1][::every][::-1]]
        drawn.write_animation(settings["gif"], frames)
