"""The command `interp visualize`: its options, and what it writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import NetworkError

from ...job.provenance import provenance
from ...job.results import Outputs, slug, write_result
from ...job.sources import Source
from ...options.classes import complete_classes
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import output_option
from ...options.record import argument, command, option
from ..optimised import check_animation, check_drawable, write_animation
from .examples import Examples, examples_of, strongest_activation
from .job import Choices, Visualizer, check

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@command(short_help="Feature visualisation: what raises a class, a channel or a layer most, drawn.")
def visualize(
    *,
    what: tuple[str, ...] = argument(nargs=-1, required=True, shell_complete=complete_classes),
    choices: Choices,
    beside: str | None = option(
        "Put what excites the unit or class most in a folder's pictures beside it; 'samples' are the bundled ones.",
        metavar="FOLDER",
    ),
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
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
    from interpret.drawing.expressions import objective_of

    name = "_".join(slug(text) for text in what)[:80]
    outputs = Outputs(output, [Source("drawn", None, Path(name))])
    outputs.no_raw_format()
    check_animation(choices.gif)
    classifier = model.open()
    check_drawable(classifier)
    objectives = []
    for text in what:
        objective = objective_of(text, classifier)
        check(classifier, objective)
        objectives.append((text, objective))
        if choices.negative:
            objectives.append((f"not ({text})" if " " in text else f"not {text}", -objective))
    examples = examples_of(what, beside, classifier, messages) if beside else {}
    visualizer, failed = Visualizer(classifier, choices, messages), []
    told = {**choices.as_dict(), "beside": beside}
    about = provenance("visualize", model, classifier, what=list(what), options=told)
    try:
        for text, objective in objectives:
            try:
                visualizer.draw(text, objective)
            except NetworkError as error:
                if len(objectives) == 1:
                    raise
                failed.append(text)
                messages.failure(text, error)
    except KeyboardInterrupt:
        _save(visualizer, examples, outputs, name, about)
        raise
    _save(visualizer, examples, outputs, name, about)
    if failed:
        raise click.exceptions.Exit(1)


def _save(
    visualizer: Visualizer, examples: dict[str, Examples], outputs: Outputs, name: str, about: dict[str, Any]
) -> None:
    """Write what is done, if anything is: the pictures, and the curve and the animation where they were asked for."""
    from interpret.figures.line_plots import objective_curve

    done, choices = visualizer.done, visualizer.choices
    if not done:
        return
    figure, about = figure_of(visualizer, examples, about)
    path = outputs.place(Path(name), "visualize")
    write_result(path, figure, about)
    if path is not None:
        tell(str(path))
    if choices.curve:
        Path(choices.curve).parent.mkdir(parents=True, exist_ok=True)
        curves = objective_curve([(one.text, one.frames.scores) for one in done])
        write_result(Path(choices.curve), curves, about)
        tell(choices.curve)
    if choices.gif:
        frames = [frame for one in done for frame in one.frames.small[::-1][:: choices.every][::-1]]
        write_animation(choices.gif, frames)


def figure_of(
    visualizer: Visualizer, examples: dict[str, Examples], about: dict[str, Any]
) -> "tuple[Figure, dict[str, Any]]":
    """What is drawn as a figure, with what there is to know about it."""
    from interpret.figures.drawings import DatasetExamples, drawings_figure

    done, reached = visualizer.done, {}
    for one in done:
        if one.text in examples:
            reached[one.text] = strongest_activation(visualizer.classifier, one.images, examples[one.text])
            visualizer.messages.note(f"{one.text}: {examples[one.text].sentence(reached[one.text])}")
    about = {
        **about,
        "seeds": {one.text: one.seed for one in done},
        "beside": {text: examples[text].about(value) for text, value in reached.items()},
    }
    drawings = [(one.text, one.images) for one in done]
    found = {text: (examples[text].crops, examples[text].pictures, value) for text, value in reached.items()}
    shown = {text: DatasetExamples(*given) for text, given in found.items()}
    return drawings_figure(drawings, shown, pairs=visualizer.choices.negative), about
