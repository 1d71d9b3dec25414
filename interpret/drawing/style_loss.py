"""The loss of style transfer at one scale: distances from styles and from the content, tile by tile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..network.hooks import left_as_found
from .ascend import looker
from .objectives import Objective, map_in, total_variation
from .tiles import Tile, fitted, tiles

MARGIN = 64
# Covariances count as no smaller than this share of the squared means: those of a flat picture are 0, and errors
# relative to them would leave its colour no weight. Those of paintings are larger, in every layer of the recipe.
FLAT = 0.01

Moments = Mapping[str, tuple[Tensor, Tensor]]  # layer to the means (K,) and mean products (K, K) of its channels


@dataclass(frozen=True)
class Style:
    """The pictures in whose manner a photo is painted, and the layers that see to it."""

    pictures: Sequence[Tensor]  # (1, C, h, w) each
    shares: Sequence[float]  # of the pictures, 1 in all
    layers: Sequence[str]
    content_layer: str  # whose features stay those of the photo
    content_weight: float  # of these against the style
    scale: float = 1  # longer side of the pictures, as a share of the painting's


@dataclass
class StyleLoss:
    """How far a painting is from its style and its content, by the features of one tile after another."""

    view: nn.Module  # takes pictures on its input grid to logits
    photo: Tensor  # (1, C, H, W), the content
    style: Style
    side: int  # the longest side of a tile
    cut: list[Tile] = field(init=False)  # the tiles of the painting
    current: int = field(default=0, init=False)  # the number of the tile that the network looks at
    whole: Moments | None = field(default=None, init=False)  # of the painting, where it has several tiles

    def __post_init__(self) -> None:
        layers, longest = (*self.style.layers, self.style.content_layer), max(self.photo.shape[-2:])
        self.look = looker(self.view, tuple(dict.fromkeys(layers)))
        side = max(MARGIN, round(longest * self.style.scale))
        self.style_moments = [self.moments(fitted(picture, side)) for picture in self.style.pictures]
        self.cut = self.tiles_of(self.photo)
        with left_as_found(self.view), torch.no_grad():
            self.content = [map_in(self.look(tile.of(self.photo)), self.style.content_layer) for tile in self.cut]
        pairs = zip(self.cut, self.content, strict=True)
        self.content_size = sum(tile.own_part(features).square().sum() for tile, features in pairs)

    def tiles_of(self, picture: Tensor) -> list[Tile]:
        """The tiles of a picture (1, C, H, W)."""
        return tiles(picture.shape[-2], picture.shape[-1], self.side, MARGIN)

    def moments(self, picture: Tensor) -> Moments:
        """The moments of a whole picture (1, C, H, W), added up tile by tile."""
        total: dict[str, tuple[Tensor, Tensor]] = {}
        with left_as_found(self.view), torch.no_grad():
            for tile in self.tiles_of(picture):
                part = self.part_of(tile, self.look(tile.of(picture)), picture)
                for layer, (mean, products) in part.items():
                    before = total.get(layer, (0, 0))
                    total[layer] = before[0] + mean, before[1] + products
        return total

    def part_of(self, tile: Tile, seen: Mapping[str, Any], picture: Tensor) -> Moments:
        """What a tile's own part adds to the moments of its picture; the picture's colours count as a layer."""
        share = (tile.own[2] - tile.own[0]) * (tile.own[3] - tile.own[1]) / picture[0, 0].numel()
        parts = {}
        for layer in (*self.style.layers, "image"):
            features = tile.own_part(seen[layer] if layer == "image" else map_in(seen, layer))[0].flatten(1)
            places = features.shape[1]
            parts[layer] = features.mean(1) * share, features @ features.mT / places * share
        return parts

    def parts(self, picture: Tensor) -> Iterator[Tensor]:
        """The tiles of the painting, one at a time; where there are several, its moments are computed first."""
        self.whole = None if len(self.cut) == 1 else self.moments(picture.detach())
        for number, tile in enumerate(self.cut):
            self.current = number
            yield tile.of(picture)

    def objective(self, smoothness: float) -> Objective:
        """Minus the loss, with the total variation weighted by ``smoothness``; its mean over the tiles counts."""
        variation = total_variation()

        def score(seen: Mapping[str, Any]) -> Tensor:
            tile, count = self.cut[self.current], len(self.cut)
            own = self.part_of(tile, seen, self.photo)
            moments = own if self.whole is None else {layer: _joined(self.whole[layer], own[layer]) for layer in own}
            pairs = zip(self.style.shares, self.style_moments, strict=True)
            style_loss = sum(share * style_distance(moments, other) for share, other in pairs)
            difference = tile.own_part(map_in(seen, self.style.content_layer) - self.content[self.current])
            content_loss = difference.square().sum() / (self.content_size / count).clamp(min=1e-12)
            roughness = variation.score({"image": tile.own_part(seen["image"])})
            others = (self.style.content_weight * content_loss + smoothness * roughness) / count
            # Its gradient is this tile's share, but its value enters a mean over the tiles, so it is multiplied back.
            others = others + (count - 1) * others.detach()
            return -(style_loss + others).view(1)

        return Objective(frozenset([*self.style.layers, self.style.content_layer]), score, "style", logits=False)


def _joined(whole: tuple[Tensor, Tensor], own: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The moments of the whole picture in value, with a gradient through those of one tile's part alone."""
    return tuple(total + (part - part.detach()) for total, part in zip(whole, own, strict=True))


def style_distance(moments: Moments, style: Moments) -> Tensor:
    """The squared errors of means and of centred Gram matrices, relative to those of the style, summed over layers."""
    losses = []
    for layer, (mean, products) in moments.items():
        style_mean, style_products = style[layer]
        squares = torch.outer(style_mean, style_mean)
        losses.append(_relative(mean, style_mean))
        covariances = products - torch.outer(mean, mean), style_products - squares
        losses.append(_relative(*covariances, least=FLAT * squares.square().sum()))
    return torch.stack(losses).sum()


def _relative(value: Tensor, reference: Tensor, least: Tensor | float = 0.0) -> Tensor:
    """A squared error as a share of the reference's square, or of so much where that is less."""
    size = torch.maximum(reference.square().sum(), torch.as_tensor(least).to(reference))
    return (value - reference).square().sum() / size.clamp(min=1e-12)
