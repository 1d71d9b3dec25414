"""`interp dream`."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from ..job.outputs import Outputs
from ..job.provenance import provenance
from ..job.sources import one_picture
from ..options.classes import class_option
from ..options.group import group
from ..options.messages import Messages, message_options
from ..options.model import ModelOptions, model_options
from ..options.output import output_option
from ..options.pictures import complete_pictures, seed_option
from .optimised import Frames, gif_option, longer_side, saving, size_option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.objectives import Objective


@dataclass(frozen=True)
class Subject:
    """What is amplified."""

    layers: tuple[str, ...]
    channels: tuple[int, ...]
    query: str | None  # a class
    guide: str | None  # a picture

    def check(self) -> None:
        """Refuse choices that contradict each other."""
        if self.channels and len(self.layers) != 1:
            raise click.UsageError("--channel needs exactly one --layer")
        if self.query and (self.layers or self.guide):
            raise click.UsageError("--class goes without --layer and --guide")
        if self.channels and self.guide:
            raise click.UsageError("--guide goes with whole layers, not with --channel")

    def objective(self, classifier: "Classifier", image: "Tensor") -> "Objective | None":
        """A class or channels; None leaves it to the method, which takes whole layers."""
        from interpret.drawing.objectives import channel, logit

        if self.query:
            return logit(int(classifier.find(self.query, image)))
        parts = [channel(self.layers[0], number) for number in self.channels]
        return sum(parts[1:], parts[0]) if parts else None


@dataclass(frozen=True)
class Steps:
    """How far the dream goes."""

    octaves: int
    steps: int
    step_size: float
    seed: int


@click.command(short_help="Let a network see more of what it sees in a picture: deep dream.")
@click.argument("picture", shell_complete=complete_pictures)
@group(
    "subject",
    Subject,
    click.option("--layer", "layers", multiple=True, metavar="LAYER", help="What is amplified; may be repeated."),
    click.option(
        "--channel", "channels", multiple=True, type=click.IntRange(0), help="Of the one --layer; repeatable."
    ),
    class_option("-c", "--class", "query", help="A class to dream of, instead of layers."),
    click.option("--guide", metavar="PICTURE", help="A picture whose features are drawn."),
)
@group(
    "steps",
    Steps,
    click.option("--octaves", type=click.IntRange(1), default=4, show_default=True, help="How many sizes."),
    click.option("--steps", type=click.IntRange(1), default=24, show_default=True, help="At each size."),
    click.option(
        "--step-size",
        type=click.FloatRange(0, min_open=True),
        default=0.01,
        show_default=True,
        help="The mean change of a step.",
    ),
    seed_option,
)
@size_option
@gif_option
@output_option
@model_options
@message_options
def dream(
    *,
    picture: str,
    subject: Subject,
    steps: Steps,
    size: int | None,
    gif: str | None,
    output: str | None,
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Let a network see more of what it sees in a PICTURE already, from coarse to fine.

    \b
    interp dream photo.jpg                                    what it sees there
    interp dream photo.jpg --layer _blocks.4                  texture; later layers give creatures
    interp dream photo.jpg -c jaguar                          one class
    interp dream photo.jpg --guide sample:honey-bee           what another picture has
    """
    subject.check()
    source = one_picture(picture)
    guide = one_picture(subject.guide) if subject.guide else None
    outputs, frames = Outputs(output, [source]), Frames(gif)
    outputs.no_raw_format()
    classifier = model.open()
    image = source.read().to(classifier.mean.device)
    chosen = {**asdict(steps), "size": longer_side(image, size)}
    objective = subject.objective(classifier, image)

    from interpret.drawing.deep_dream import deep_dream

    told = {"layers": subject.layers, "channels": subject.channels, "class": subject.query, "guide": subject.guide}
    about = provenance("dream", model, classifier, picture=source.shown, options=chosen | told)
    guided = {} if guide is None else {"guide": guide.read().to(image)}
    with saving(frames, outputs, source, about) as save:
        save(deep_dream(classifier, image, objective, layers=subject.layers, watch=frames, **chosen, **guided))
    messages.note(frames.progress)
