"""`interp dream`."""

from typing import TYPE_CHECKING, Any

import click

from .. import drawn, options
from ..outputs import Outputs, output_option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.objectives import Objective


@click.command(short_help="Let a network see more of what it sees in a picture: deep dream.")
@click.argument("picture", shell_complete=options.complete_pictures)
@click.option("--layer", "layers", multiple=True, metavar="LAYER", help="What is amplified; may be repeated.")
@click.option("--channel", "channels", multiple=True, type=click.IntRange(0), help="Of the one --layer; repeatable.")
@click.option("-c", "--class", "query", metavar="CLASS", help="A class to dream of, instead of layers.")
@click.option("--guide", metavar="PICTURE", help="A picture whose features are drawn.")
@click.option("--octaves", type=click.IntRange(1), default=4, show_default=True, help="How many sizes.")
@click.option("--steps", type=click.IntRange(1), default=24, show_default=True, help="At each size.")
@click.option(
    "--step-size",
    type=click.FloatRange(0, min_open=True),
    default=0.01,
    show_default=True,
    help="The mean change of a step.",
)
@drawn.size_option
@drawn.gif_option
@drawn.seed_option
@output_option
@options.model_options
@options.message_options
def dream(
    picture: str,
    layers: tuple[str, ...],
    channels: tuple[int, ...],
    query: str | None,
    guide: str | None,
    output: str | None,
    gif: str | None,
    size: int | None,
    quiet: bool,
    verbose: int,
    **settings: Any,
) -> None:
    """Let a network see more of what it sees in a PICTURE already, from coarse to fine.

    \b
    interp dream photo.jpg                                    what it sees there
    interp dream photo.jpg --layer _blocks.4                  texture; later layers give creatures
    interp dream photo.jpg -c jaguar                          one class
    interp dream photo.jpg --guide sample:honey-bee           what another picture has
    """
    if channels and len(layers) != 1:
        raise click.UsageError("--channel needs exactly one --layer")
    if query and (layers or guide):
        raise click.UsageError("--class goes without --layer and --guide")
    if channels and guide:
        raise click.UsageError("--guide goes with whole layers, not with --channel")
    source = drawn.one_picture(picture)
    guiding = drawn.one_picture(guide) if guide else None
    outputs, frames = Outputs(output, [source]), drawn.Frames(gif)
    drawn.no_raw_format(outputs)
    chosen = {name: settings.pop(name) for name in ("octaves", "steps", "step_size", "seed")}
    named = dict(settings)
    classifier = options.open_classifier(settings)
    image = source.read().to(classifier.mean.device)
    if guiding is not None:
        chosen["guide"] = guiding.read().to(image)
    chosen["size"] = drawn.longer_side(image, size)
    objective = _objective(classifier, image, layers, channels, query)

    from interpret.drawing.deep_dream import deep_dream

    kept = {key: value for key, value in chosen.items() if key != "guide"}
    wanted = {"layers": layers, "channels": channels, "class": query, "guide": guide}
    about = drawn.about_run("dream", named, classifier, picture=source.shown, options=kept | wanted)
    with drawn.saving(frames, outputs, source, about) as save:
        save(deep_dream(classifier, image, objective, layers=layers, watch=frames, **chosen))
    options.note(f"the objective went from {frames.scores[0]:.3g} to {frames.scores[-1]:.3g}", quiet)


def _objective(
    classifier: "Classifier", image: "Tensor", layers: tuple[str, ...], channels: tuple[int, ...], query: str | None
) -> "Objective | None":
    """A class or channels; None leaves it to the method, which takes whole layers."""
    from interpret.drawing.objectives import channel, logit

    if query:
        return logit(int(classifier.find(query, image)))
    parts = [channel(layers[0], number) for number in channels]
    return sum(parts[1:], parts[0]) if parts else None
