"""`interp dream`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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
from .film import FilmOptions, write_film
from .optimised import Frames, check_drawable, each_of, gif_option, longer_side, saving, size_option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.ascend import Step
    from interpret.drawing.objectives import Objective


@dataclass(frozen=True)
class Subject:
    """What is amplified."""

    layers: tuple[str, ...] = option(
        "The layer whose features are amplified; may be repeated. By default one in the middle, or the last map.",
        "--layer",
        metavar="LAYER",
    )
    channels: tuple[int, ...] = option(
        "A channel of the one --layer, counted from 0; may be repeated. By default all.", "--channel", type=Number(0)
    )
    query: str | None = class_option("A class to dream of, instead of layers.", "-c", "--class")
    guide: str | None = option("A picture whose features are drawn into the others.", metavar="PICTURE")

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

    octaves: int = option("At how many sizes the picture is worked on, from the smallest.", default=4)
    steps: int = option("How many steps are taken at each size.", default=24, type=COUNT)
    step_size: float = option("By how much a step changes a value, in the mean; values lie in [0, 1].", default=0.01)
    seed: int = seed_option()


@dataclass(frozen=True)
class Dream:
    """What makes a dream of a picture, as the command line describes it."""

    classifier: "Classifier"
    subject: Subject
    steps: Steps
    size: int | None
    guide: "Tensor | None"

    def settings(self, image: "Tensor") -> dict[str, Any]:
        """How far the dream of an image goes."""
        return {**asdict(self.steps), "size": longer_side(image, self.size)}

    def record(self, image: "Tensor") -> dict[str, Any]:
        """What the file of an image's dream says of its options."""
        subject = self.subject
        told = {"layers": subject.layers, "channels": subject.channels, "class": subject.query, "guide": subject.guide}
        return self.settings(image) | told

    def __call__(self, image: "Tensor", watch: Callable[["Step"], object] | None = None) -> "Tensor":
        """The dream of an image (1, 3, H, W)."""
        from interpret.drawing.deep_dream import dream

        image = image.to(self.classifier.mean.device)
        guide = None if self.guide is None else self.guide.to(image)
        objective, layers = self.subject.objective(self.classifier, image), self.subject.layers
        settings = self.settings(image)
        return dream(self.classifier, image, objective, layers=layers, guide=guide, watch=watch, **settings)


@command(short_help="Deep dream: more of what a network sees in a picture.")
def dream(
    *,
    picture: str = argument(shell_complete=complete_pictures),
    subject: Subject,
    steps: Steps,
    size: int | None = size_option(),
    gif: str | None = gif_option(),
    film: FilmOptions,
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Let a network see more of what it sees in a PICTURE already, or in each of a folder, from coarse to fine.

    \b
    interp dream photo.jpg                            what it sees there
    interp dream photo.jpg --layer _blocks.4          texture, or later creatures
    interp dream photo.jpg -c jaguar                  one class
    interp dream photo.jpg --guide sample:honey-bee   what another picture has
    interp dream frames --film dream.mp4              a film, of a folder's frames
    """
    subject.check()
    photos = sources_of(PictureOptions(pictures=(picture,)))
    guide = one_picture(subject.guide).read() if subject.guide else None
    film.check(gif, output)
    if gif and len(photos) > 1:
        raise InterpretError(f"--gif is of one dream, and these are {len(photos)}")
    outputs = Outputs(output, photos)
    outputs.no_raw_format()
    Frames(gif)  # which checks the name
    model.check_classes(subject.query)
    classifier = model.open()
    check_drawable(classifier)
    dreamt = Dream(classifier, subject, steps, size, guide)
    if film.film:
        write_film(film, photos, dreamt, messages)
        return

    def work(photo: Source, image: "Tensor") -> None:
        frames = Frames(gif)
        about = provenance("dream", model, classifier, picture=photo.shown, options=dreamt.record(image))
        with saving(frames, outputs, photo, about) as save:
            save(dreamt(image, frames))
        messages.note(frames.progress)

    each_of(photos, classifier, work, messages)
