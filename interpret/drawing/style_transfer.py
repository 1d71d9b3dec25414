"""Style transfer (Gatys et al. 2016, https://arxiv.org/abs/1508.06576), with centred Gram matrices and means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bounds import bounded
from ..classifier import network_of, on_input_grid
from ..errors import InterpretError
from ..network.channels import LUMA
from ..network.hooks import find_layer
from .ascend import Step, ascend_pixels
from .layer_choice import spread_layers
from .style_loss import Style, StyleLoss
from .tiles import fitted, resized, with_detail

# Style layers and the content layer of networks that were tried; VGG-19's are those of the paper.
RECIPES = (
    (("_bn0", "_blocks.0", "_blocks.2", "_blocks.4", "_blocks.7", "_blocks.10"), "_blocks.4"),
    (("features.1", "features.6", "features.11", "features.20", "features.29"), "features.22"),
)
VGG19 = "features.36"  # only the 19 layer VGG without batch norm ends there
STRIDE = 32  # of the deepest layers of nearly all classifiers
LEARNING_RATES = {"adam": 0.02, "lbfgs": 1.0}


@bounded
def style(
    classifier: nn.Module,
    content: Tensor,
    styles: Sequence[Tensor],
    *,
    weights: Sequence[float] | None = None,
    layers: Sequence[str] = (),
    content_layer: str | None = None,
    content_weight: float = 1,
    smoothness: float = 3,
    steps: int = 90,
    scales: Sequence[float] = (0.71, 1),
    size: int | None = None,
    optimizer: Literal["adam", "lbfgs"] = "adam",
    start: Literal["photo", "noise"] | Tensor = "photo",
    style_scale: float = 1,
    mask: Tensor | None = None,
    preserve_color: bool = False,
    tile: int = 512,
    seed: int = 0,
    watch: Callable[[Step], object] | None = None,
) -> Tensor:
    """Paint a photo in the manner of other pictures.

    The means of features and the covariances between their channels are made those of the style, while the features of
    one deeper layer stay those of the photo. Large pictures are looked at in tiles: a first pass adds up the means and
    covariances of the whole, a second one follows the gradient tile by tile.

    Args:
        classifier: what looks at the pictures.
        content: (1, C, H, W) in [0, 1], the photo.
        styles: pictures (1, C, h, w) in [0, 1] of any size.
        weights: of the styles; equal by default.
        layers: of the style; by default those that are known to suit the network, else five spread over the depth.
        content_layer: the layer whose features stay those of the photo.
        content_weight: of the content, against the style.
        smoothness: weight of the total variation.
        steps: number of steps at each scale.
        scales: sizes one after another, as shares of the last one.
        size: the longer side of the result; by default the photo's own.
        optimizer: "adam" or "lbfgs".
        start: "photo", "noise", or a picture (1, C, h, w) in [0, 1], such as an earlier painting.
        style_scale: the longer side of the styles, as a share of the painting's: less makes finer strokes.
        mask: (1, 1, h, w) in [0, 1], where it is painted: 0 leaves the photo as it is.
        preserve_color: paint with brightness alone and keep the photo's colours.
        tile: the longest side that the network looks at in one go.
        seed: of the noise.
        watch: called with every step, whose numbers count over all scales.

    Returns:
        (1, C, H, W) in [0, 1].

    Raises:
        UnknownNameError: a layer does not exist.
        InterpretError: the weights do not fit the styles, or a number is out of bounds.
    """
    shares = _shares(weights, len(styles))
    # Where a stride does not divide a side, layers see less of its last rows, and what they do not see is not painted.
    # So the canvas is larger than the picture, and is cut at the end.
    clean = fitted(content.detach(), size)
    photo, frame = framed(clean)
    view, inputs, _ = on_input_grid(classifier, photo)
    layers, content_layer = chosen_layers(view, inputs, layers, content_layer)
    colours = photo if preserve_color else None
    if preserve_color:
        photo, styles = _grey(photo), [_grey(style) for style in styles]
    style = Style(styles, shares, layers, content_layer, content_weight, style_scale)
    watched = watch and (lambda step: watch(replace(step, image=recoloured(step.image, colours))))
    painter = _Painter(photo=photo, style=style, smoothness=smoothness, side=tile, steps=steps, optimizer=optimizer)
    painted = first = _started(start, photo, clean, seed)
    for number, scale in enumerate(scales):
        height, width = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in photo.shape[-2:])
        # The finer detail of a picture, which a smaller scale has lost, comes back; that of noise would be noise again.
        plain = isinstance(start, str) and start == "noise"
        enlarged = resized(painted, height, width) if plain else with_detail(painted, first, height, width)
        painted = painter.paint(view, enlarged, first=number * steps, watch=watched, what=f"scale {scale:g}")
    result = recoloured(painted, colours)[..., frame[0] : frame[2], frame[1] : frame[3]]
    return result if mask is None else masked(result, clean, mask)


def masked(painted: Tensor, photo: Tensor, mask: Tensor) -> Tensor:
    """A painting (1, C, H, W) where a mask (1, 1, h, w) of any size is 1, the photo where it is 0."""
    share = F.interpolate(mask.to(photo), photo.shape[-2:], mode="bilinear", antialias=True).clamp(0, 1)
    return share * painted + (1 - share) * photo


def _started(start: str | Tensor, photo: Tensor, clean: Tensor, seed: int) -> Tensor:
    """What is painted over: the photo on its canvas, noise, or another picture in the photo's place."""
    if isinstance(start, Tensor):
        return framed(resized(start.detach().to(photo), *clean.shape[-2:]))[0]
    return photo if start == "photo" else _noise(photo, seed)


@dataclass(frozen=True, kw_only=True)
class _Painter:
    """What is painted at every scale, and how."""

    photo: Tensor  # (1, C, H, W)
    style: Style
    smoothness: float
    side: int  # the longest side of a tile
    steps: int
    optimizer: str

    def paint(self, view: nn.Module, start: Tensor, **options: Any) -> Tensor:
        """A start (1, C, h, w) after the steps at its scale; the options are those of ``ascend_pixels``."""
        loss = StyleLoss(view, resized(self.photo, *start.shape[-2:]), self.style, self.side)
        return ascend_pixels(
            view,
            loss.objective(self.smoothness),
            start,
            steps=self.steps,
            learning_rate=LEARNING_RATES[self.optimizer],
            optimizer=self.optimizer,
            prepare=loss.parts,
            # The relative losses' slope at a pixel gets smaller with their number, down to the optimisers' epsilons.
            change=lambda slope: slope * slope.numel(),
            **options,
        )


def framed(photo: Tensor) -> tuple[Tensor, tuple[int, int, int, int]]:
    """A canvas, with sides that ``STRIDE`` divides, on which a picture (1, C, H, W) is continued by its reflection.

    The numbers say where the picture lies on it: top, left, bottom, right.
    """
    height, width = photo.shape[-2:]
    top, left = ((-(-side // STRIDE) * STRIDE + STRIDE - side) // 2 for side in (height, width))
    bottom = -(-height // STRIDE) * STRIDE + STRIDE - height - top
    right = -(-width // STRIDE) * STRIDE + STRIDE - width - left
    mode = "reflect" if min(height, width) > STRIDE else "replicate"
    canvas = F.pad(photo, (left, right, top, bottom), mode=mode)
    return canvas, (top, left, top + height, left + width)


def chosen_layers(
    view: nn.Module, inputs: Tensor, layers: Sequence[str], content_layer: str | None
) -> tuple[tuple[str, ...], str]:
    """The style layers and the content layer: those named, else those of RECIPES, else some spread over the depth."""
    network = network_of(view)
    for layer in (*layers, *filter(None, [content_layer])):
        find_layer(network, layer)
    if layers:
        return tuple(layers), content_layer or layers[-1]
    names = dict(network.named_modules())
    lite, vgg19 = RECIPES
    if all(name in names for name in lite[0]):
        styles, content = lite
    elif VGG19 in names and type(network).__name__ == "VGG" and "features.37" not in names:
        styles, content = vgg19
    else:
        styles = tuple(spread_layers(view, inputs, 5))
        content = styles[max(0, len(styles) - 2)]
    return styles, content_layer or content


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    given = [1.0] * count if weights is None else list(weights)
    if not count or len(given) != count or min(given) < 0 or sum(given) <= 0:
        raise InterpretError(f"{count} style pictures need as many weights, none below 0 and not all 0, not {given}")
    return [weight / sum(given) for weight in given]


def _grey(picture: Tensor) -> Tensor:
    """The luma of a picture in every channel."""
    if picture.shape[1] != 3:
        return picture
    return (picture * picture.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True).expand_as(picture).contiguous()


def _noise(like: Tensor, seed: int) -> Tensor:
    return torch.rand(like.shape, generator=torch.Generator().manual_seed(seed)).to(like)


def recoloured(painted: Tensor, photo: Tensor | None) -> Tensor:
    """A picture (1, C, H, W) with the colours of another of any size; None leaves it as it is."""
    if photo is None:
        return painted
    photo = resized(photo, *painted.shape[-2:])
    return (photo + _grey(painted) - _grey(photo)).clamp(0, 1)
