"""Style transfer (Gatys et al. 2016, https://arxiv.org/abs/1508.06576), with centred Gram matrices and means."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..classifier import LUMA, network_of, on_input_grid
from ..errors import InterpretError
from ..network.hooks import find_layer, left_as_found
from .ascend import Step, ascend, looker
from .layer_choice import spread_layers
from .objectives import Objective, total_variation
from .parametrisations import Pixels
from .tiles import Tile, fitted, resized, tiles, with_detail

# Style layers and the content layer of networks that were tried; VGG-19's are those of the paper.
RECIPES = (
    (("_bn0", "_blocks.0", "_blocks.2", "_blocks.4", "_blocks.7", "_blocks.10"), "_blocks.4"),
    (("features.1", "features.6", "features.11", "features.20", "features.29"), "features.22"),
)
VGG19 = "features.36"  # only the 19 layer VGG without batch norm ends there
MARGIN = 64
STRIDE = 32  # of the deepest layers of nearly all classifiers
LEARNING_RATES = {"adam": 0.02, "lbfgs": 0.5}

Moments = Mapping[str, tuple[Tensor, Tensor]]  # layer to the means (K,) and mean products (K, K) of its channels


def style_transfer(
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
    start: Literal["photo", "noise"] = "photo",
    preserve_color: bool = False,
    tile: int = 512,
    seed: int = 0,
    watch: Callable[[Step], object] | None = None,
) -> Tensor:
    """Paint a photo in the manner of other pictures.

    The statistics of features, their means and the covariances between channels, are made those of
    the style, while the features of one deeper layer stay those of the photo. Large pictures are
    looked at in tiles: a first pass adds up the statistics of the whole, a second follows the
    gradient tile by tile.

    Args:
        classifier: what looks at the pictures.
        content: (1, C, H, W) in [0, 1], the photo.
        styles: pictures (1, C, h, w) in [0, 1] of any size.
        weights: of the styles; equal by default.
        layers: for the style; by default those of a recipe, else five spread over the depth.
        content_layer: what keeps the photo.
        content_weight: of the content, in relation to the style.
        smoothness: weight of the total variation.
        steps: at each scale.
        scales: sizes one after another, as shares of the last one.
        size: the longer side of the result; by default the photo's own.
        optimizer: "adam" or "lbfgs".
        start: "photo", or "noise".
        preserve_color: paint with brightness alone and keep the photo's colours.
        tile: the longest side that the network looks at in one go.
        seed: of the noise.
        watch: is shown every step, with its number counted over all scales.

    Returns:
        (1, C, H, W) in [0, 1].

    Raises:
        UnknownNameError: a layer does not exist.
        InterpretError: the weights do not fit the styles.
    """
    shares = _shares(weights, len(styles))
    # Strided layers see the last rows of a side that they do not divide less than the others, and what is not
    # seen is not painted: so the canvas is larger than the picture, and cut at the end.
    photo, frame = framed(fitted(content.detach(), size))
    view, inputs, _ = on_input_grid(classifier, photo)
    layers, content_layer = chosen_layers(view, inputs, layers, content_layer)
    colours, palette = photo, styles
    if preserve_color:
        photo, styles = _grey(photo), [_grey(style) for style in palette]
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(photo.shape, generator=generator).to(photo)
    painted = first = photo if start == "photo" else noise
    for number, scale in enumerate(scales):
        height, width = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in photo.shape[-2:])
        picture = Pixels(with_detail(painted, first, height, width))
        small = [fitted(style, max(height, width)) for style in styles]
        easel = Easel(view, resized(photo, height, width), small, shares, layers, content_layer, content_weight, tile)
        for step in ascend(
            view,
            easel.objective(smoothness),
            picture,
            steps=steps,
            learning_rate=LEARNING_RATES[optimizer],
            optimizer=optimizer,
            prepare=easel.parts,
            # The relative losses' slope at a pixel gets smaller with their number, down to the optimisers' epsilons.
            change=lambda slope: slope * slope.numel(),
            what=f"scale {scale:g}",
        ):
            if watch is not None:
                shown = recoloured(step.image, colours) if preserve_color else step.image
                watch(Step(number * steps + step.number, shown, step.scores))
            with torch.no_grad():
                picture.values.clamp_(0, 1)
        painted = picture().detach()
    painted = recoloured(painted, colours) if preserve_color else painted
    return painted[..., frame[0] : frame[2], frame[1] : frame[3]]


def framed(photo: Tensor) -> tuple[Tensor, tuple[int, int, int, int]]:
    """A picture (1, C, H, W) with a border of its own reflection, to sides that ``STRIDE`` divides.

    Returns:
        The canvas, and where the picture lies on it: top, left, bottom, right.
    """
    height, width = photo.shape[-2:]
    top, left = ((-(-side // STRIDE) * STRIDE + STRIDE - side) // 2 for side in (height, width))
    bottom = -(-height // STRIDE) * STRIDE + STRIDE - height - top
    right = -(-width // STRIDE) * STRIDE + STRIDE - width - left
    mode = "reflect" if min(height, width) > STRIDE else "replicate"
    canvas = F.pad(photo, (left, right, top, bottom), mode=mode)
    return canvas, (top, left, top + height, left + width)


@dataclass
class Easel:
    """One scale of a painting: the targets, and the tile that is looked at."""

    view: nn.Module
    photo: Tensor
    styles: Sequence[Tensor]
    shares: Sequence[float]
    layers: Sequence[str]
    content_layer: str
    content_weight: float
    side: int

    def __post_init__(self) -> None:
        self.look = looker(self.view, tuple(dict.fromkeys([*self.layers, self.content_layer])))
        self.wanted = [(share, self.moments(style)) for share, style in zip(self.shares, self.styles, strict=True)]
        self.cut = self.tiles(self.photo)
        with left_as_found(self.view), torch.no_grad():
            self.content = [self.look(tile.of(self.photo))[self.content_layer] for tile in self.cut]
        pairs = zip(self.cut, self.content, strict=True)
        self.content_size = sum(tile.own_part(features).square().sum() for tile, features in pairs)
        self.at = 0
        self.whole: Moments | None = None

    def tiles(self, picture: Tensor) -> list[Tile]:
        """The tiles of a picture (1, C, H, W)."""
        return tiles(picture.shape[-2], picture.shape[-1], self.side, MARGIN)

    def moments(self, picture: Tensor) -> Moments:
        """The statistics of a whole picture (1, C, H, W), tile by tile."""
        total: dict[str, tuple[Tensor, Tensor]] = {}
        with left_as_found(self.view), torch.no_grad():
            for tile in self.tiles(picture):
                part = self.part_of(tile, self.look(tile.of(picture)), picture)
                for layer, (mean, products) in part.items():
                    before = total.get(layer, (0, 0))
                    total[layer] = before[0] + mean, before[1] + products
        return total

    def part_of(self, tile: Tile, seen: Mapping[str, Any], picture: Tensor) -> Moments:
        """What a tile's own part adds to the statistics of its picture; the picture's colours count as a layer."""
        share = (tile.own[2] - tile.own[0]) * (tile.own[3] - tile.own[1]) / picture[0, 0].numel()
        parts = {}
        for layer in (*self.layers, "image"):
            features = tile.own_part(seen[layer])[0].flatten(1)
            places = features.shape[1]
            parts[layer] = features.mean(1) * share, features @ features.mT / places * share
        return parts

    def parts(self, picture: Tensor) -> Iterator[Tensor]:
        """The tiles of the picture that is painted, after a look at the whole where there are several."""
        self.whole = None if len(self.cut) == 1 else self.moments(picture.detach())
        for number, tile in enumerate(self.cut):
            self.at = number
            yield tile.of(picture)

    def objective(self, smoothness: float) -> Objective:
        """Less distance to the style, the content and smooth pixels."""
        variation = total_variation()

        def score(seen: Mapping[str, Any]) -> Tensor:
            tile = self.cut[self.at]
            own = self.part_of(tile, seen, self.photo)
            moments = own if self.whole is None else {layer: _joined(self.whole[layer], own[layer]) for layer in own}
            style = sum(share * style_distance(moments, wanted) for share, wanted in self.wanted)
            parts = len(self.content)
            content = self.content_size / parts
            kept = tile.own_part(seen[self.content_layer] - self.content[self.at])
            content_loss = kept.square().sum() / content.clamp(min=1e-12)
            shared = (self.content_weight * content_loss + smoothness * variation.score(_own(tile, seen))) / parts
            # Its gradient is this tile's share; its value counts as the mean over the tiles, which is taken later.
            shared = shared + (parts - 1) * shared.detach()
            return -(style + shared).view(1)

        return Objective(frozenset(self.look_at()), score, "style", logits=False)

    def look_at(self) -> list[str]:
        """The layers that are needed."""
        return [*self.layers, self.content_layer]


def _own(tile: Tile, seen: Mapping[str, Any]) -> dict[str, Tensor]:
    return {"image": tile.own_part(seen["image"])}


def _joined(whole: tuple[Tensor, Tensor], own: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The statistics of the whole, in value, that depend on one tile's part, in their gradient."""
    return tuple(total + (part - part.detach()) for total, part in zip(whole, own, strict=True))


def style_distance(moments: Moments, wanted: Moments) -> Tensor:
    """How far apart two styles are: squared errors of means and of centred Gram matrices, relative to the second's."""
    losses = []
    for layer, (mean, products) in moments.items():
        wanted_mean, wanted_products = wanted[layer]
        losses.append(_relative(mean, wanted_mean))
        losses.append(_relative(products - torch.outer(mean, mean), wanted_products - wanted_mean.outer(wanted_mean)))
    return torch.stack(losses).sum()


def _relative(value: Tensor, wanted: Tensor) -> Tensor:
    return (value - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


def chosen_layers(
    view: nn.Module, inputs: Tensor, layers: Sequence[str], content_layer: str | None
) -> tuple[tuple[str, ...], str]:
    """The style layers and the content layer: those named, those of a recipe, or some spread over the depth."""
    network = network_of(view)
    for layer in (*layers, *filter(None, [content_layer])):
        find_layer(network, layer)
    names = dict(network.named_modules())
    lite, vgg19 = RECIPES
    if all(name in names for name in lite[0]):
        styles, content = lite
    elif VGG19 in names and type(network).__name__ == "VGG" and "features.37" not in names:
        styles, content = vgg19
    else:
        styles = tuple(spread_layers(view, inputs, 5))
        content = styles[max(0, len(styles) - 2)]
    return tuple(layers) or styles, content_layer or (layers[-1] if layers else content)


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    given = [1.0] * count if weights is None else list(weights)
    if not count or len(given) != count or min(given) < 0 or sum(given) <= 0:
        raise InterpretError(f"{count} style pictures need as many weights, none below 0 and not all 0, not {given}")
    return [weight / sum(given) for weight in given]


def _grey(picture: Tensor) -> Tensor:
    """Its luma in every channel."""
    if picture.shape[1] != 3:
        return picture
    return (picture * picture.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True).expand_as(picture).contiguous()


def recoloured(painted: Tensor, photo: Tensor) -> Tensor:
    """The brightness of one picture (1, C, H, W) with the colours of another of any size."""
    photo = resized(photo, *painted.shape[-2:])
    return (photo + _grey(painted) - _grey(photo)).clamp(0, 1)
