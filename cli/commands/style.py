"""`interp style`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from interpret.errors import InterpretError

from ..job.provenance import provenance
from ..job.results import Outputs
from ..job.sources import Source, one_picture, sources_of
from ..options.messages import Messages
from ..options.network import ModelOptions
from ..options.output import output_option
from ..options.pictures import PictureOptions, complete_pictures, seed_option
from ..options.record import argument, command, option
from ..options.types import COUNT, NUMBERS
from .optimised import Frames, check_drawable, each_of, gif_option, longer_side, saving, size_option

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.drawing.ascend import Step


@dataclass(frozen=True)
class Painting:
    """How it is painted; what is not given is the method's own default."""

    layers: tuple[str, ...] = option(
        "A layer whose features are the style; may be repeated. By default those that suit the network, or five over "
        "its depth.",
        "--layer",
        metavar="LAYER",
    )
    content_layer: str | None = option(
        "The layer whose features stay those of the photo; by default one that suits the network.", metavar="LAYER"
    )
    content_weight: float | None = option("How much the photo counts against the style; by default 1.")
    smoothness: float | None = option("How much differences between neighbours count against it; by default 3.")
    steps: int | None = option("How many steps are taken at each size; by default 90.", type=COUNT)
    scales: list[float] | None = option(
        "The sizes it is painted in, one after another, as shares of the last; by default 0.71,1.", type=NUMBERS
    )
    optimizer: Literal["adam", "lbfgs"] = option("What takes the steps.", default="adam")
    start: Literal["photo", "noise"] = option("What the painting begins with.", default="photo")
    style_scale: float | None = option(
        "The longer side of the styles, as a share of the painting's: less makes finer strokes. By default 1.",
    )
    preserve_color: bool = option("Paint with brightness alone, so that the photo's colours stay.")
    seed: int = seed_option()


@dataclass(frozen=True)
class OtherPictures:
    """Pictures beside the photo and the styles."""

    init: str | None = option("Begin with this picture, such as an earlier painting.", metavar="PICTURE")
    mask: str | None = option(
        "Paint where this picture is white, and leave the photo where it is black.", metavar="FILE"
    )

    def read(self, like: "Tensor") -> "dict[str, Tensor]":
        """The method's options that they are."""
        found = {}
        if self.init:
            found["start"] = one_picture(self.init).read().to(like)
        if self.mask:
            found["mask"] = one_picture(self.mask).read().to(like).mean(1, keepdim=True)
        return found


@dataclass(frozen=True)
class Painter:
    """What paints a photo, as the command line describes it."""

    classifier: "Classifier"
    painting: Painting
    others: OtherPictures
    weights: list[float] | None
    size: int | None

    def _chosen(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self.painting).items() if value is not None and value != ()}

    def about(self, styles: list[str], image: "Tensor") -> dict[str, Any]:
        """What the file of a painting says of its options."""
        told = {"styles": styles, "style_weights": self.weights, **self._chosen(), **asdict(self.others)}
        return told | {"size": longer_side(image, self.size)}

    def __call__(
        self, image: "Tensor", styles: "list[Tensor]", watch: Callable[["Step"], object] | None = None
    ) -> "Tensor":
        """The painting of an image (1, 3, H, W) in the manner of others."""
        from interpret.drawing.style_transfer import style

        options = {**self._chosen(), "size": longer_side(image, self.size), **self.others.read(image)}
        paintings = [one.to(image) for one in styles]
        return style(self.classifier, image, paintings, weights=self.weights, watch=watch, **options)


@command(short_help="Style transfer: a photo in the manner of other pictures.")
def style(
    *,
    content: str = argument(shell_complete=complete_pictures),
    styles: tuple[str, ...] = argument(nargs=-1, required=True, metavar="STYLE...", shell_complete=complete_pictures),
    style_weights: list[float] | None = option(
        "The weight of each style, such as 2,1; by default they are equal.", type=NUMBERS
    ),
    painting: Painting,
    others: OtherPictures,
    size: int | None = size_option(),
    gif: str | None = gif_option(),
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Paint a photo, CONTENT, or all photos of a folder, in the manner of one or several STYLE pictures.

    \b
    interp style photo.jpg sample:painting-night-cafe
    interp style photo.jpg one.jpg two.jpg --style-weights 2,1 --preserve-color

    Any network works through its layers' names; where VGG-19 can be downloaded, -m vgg19 paints
    with the layers of the paper.
    """
    photos = sources_of(PictureOptions(pictures=(content,)))
    sources = [one_picture(word) for word in styles]
    if style_weights is not None and len(style_weights) != len(sources):
        raise InterpretError(f"{len(sources)} style pictures need as many --style-weights, not {len(style_weights)}")
    if gif and len(photos) > 1:
        raise InterpretError(f"--gif is of one painting, and these are {len(photos)}")
    outputs = Outputs(output, photos)
    outputs.no_raw_format()
    Frames(gif)  # which checks the name
    if others.init and painting.start == "noise":
        raise InterpretError("--init is what it begins with; leave out --start")
    classifier = model.open()
    check_drawable(classifier)
    painter = Painter(classifier, painting, others, style_weights, size)

    def paint(photo: Source, image: "Tensor") -> None:
        frames, about = Frames(gif), painter.about([one.shown for one in sources], image)
        about = provenance("style", model, classifier, picture=photo.shown, options=about)
        with saving(frames, outputs, photo, about) as save:
            save(painter(image, [one.read() for one in sources], frames))
        messages.note(frames.progress)

    each_of(photos, classifier, paint, messages)
