"""`interp dream`."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from interpret.errors import InterpretError

from ..job.provenance import provenance
from ..job.results import Outputs
from ..job.sources import Source, one_picture, sources_of
from ..options.classes import class_option
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.numbers import Number
from ..options.output import output_option
from ..options.pictures import PictureOptions, complete_pictures, seed_option
from ..options.record import argument, command, option
from ..options.types import COUNT
from .optimised import Frames, check_drawable, each_of, gif_option, longer_side, saving, size_option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.objectives import Objective


@dataclass(frozen=True)
class Subject:
    """What is amplified."""

    layers: tuple[str, ...] = option("What is amplified; may be repeated.", "--layer", metavar="LAYER")
    channels: tuple[int, ...] = option("Of the one --layer; repeatable.", "--channel", type=Number(0))
    query: str | None = class_option("A class to dream of, instead of layers.", "-c", "--class")
    guide: str | None = option("A picture whose features are drawn.", metavar="PICTURE")

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

    octaves: int = option("How many sizes.", default=4)
    steps: int = option("At each size.", default=24, type=COUNT)
    step_size: float = option("The mean change of a step.", default=0.01)
    seed: int = seed_option()


@command(short_help="Let a network see more of what it sees in a picture: deep dream.")
def dream(
    *,
    picture: str = argument(shell_complete=complete_pictures),
    subject: Subject,
    steps: Steps,
    size: int | None = size_option(),
    gif: str | None = gif_option(),
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Let a network see more of what it sees in a PICTURE already, or in each of a folder, from coarse to fine.

    \b
    interp dream photo.jpg                                    what it sees there
    interp dream photo.jpg --layer _blocks.4                  texture; later layers give creatures
    interp dream photo.jpg -c jaguar                          one class
    interp dream photo.jpg --guide sample:honey-bee           what another picture has
    """
    subject.check()
    photos = sources_of(PictureOptions(pictures=(picture,)))
    guide = one_picture(subject.guide) if subject.guide else None
    if gif and len(photos) > 1:
        raise InterpretError(f"--gif is of one dream, and these are {len(photos)}")
    outputs = Outputs(output, photos)
    outputs.no_raw_format()
    Frames(gif)  # which checks the name
    model.check_classes(subject.query)
    classifier = model.open()
    check_drawable(classifier)
    told = {"layers": subject.layers, "channels": subject.channels, "class": subject.query, "guide": subject.guide}

    def work(photo: Source, image: "Tensor") -> None:
        from interpret.drawing.deep_dream import deep_dream

        frames, chosen = Frames(gif), {**asdict(steps), "size": longer_side(image, size)}
        objective = subject.objective(classifier, image)
        about = provenance("dream", model, classifier, picture=photo.shown, options=chosen | told)
        guided = {} if guide is None else {"guide": guide.read().to(image)}
        with saving(frames, outputs, photo, about) as save:
            save(deep_dream(classifier, image, objective, layers=subject.layers, watch=frames, **chosen, **guided))
        messages.note(frames.progress)

    each_of(photos, classifier, work, messages)
