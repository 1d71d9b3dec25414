"""Scores of outputs that are no logits: a class's pixels in a segmentation, a box of a detection, an embedding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InterpretError
from .geometry import Geometry
from .network.outputs import first_tensor, parts

OVERLAP = 0.5  # the least intersection over union of a box that is the one meant


@dataclass(frozen=True, eq=False)
class pixels:
    """The sum of a class's scores over some pixels of a segmentation, as a score to explain.

    The network returns a map (N, classes, h, w), or a dict or an object in which "out" or "logits" is one. A mask on
    a map of another size is laid on it, each place of the map as that of the nearest pixel. Its values weigh; with
    booleans on a map of its size it is the score of pytorch-grad-cam's ``SemanticSegmentationTarget``.

    Args:
        target: the class's channel in the map.
        mask: (H, W), or (N, 1, H, W) with one for each image, of the picture's own size; by default the pixels where
            the class scores highest, which explainers find in the picture itself and keep while they change it.
        places: those pixels on the map, (N, 1, h, w), once they are found.
    """

    target: int
    mask: Tensor | None = None
    places: Tensor | None = None
    of_output = True

    def __call__(self, output: Any) -> Tensor:
        scores = self._scores(output)
        return (scores[:, self.target] * self._weights(scores)[:, 0]).sum((1, 2))

    def laid_on(self, geometry: Geometry) -> "pixels":
        """The same score with the mask on the network's input grid."""
        if self.mask is None:
            return self
        mask = _as_masks(self.mask)
        if tuple(mask.shape[2:]) != geometry.picture:
            raise InterpretError(f"the mask is {tuple(mask.shape[2:])}, and the picture {geometry.picture}")
        return replace(self, mask=mask if geometry.whole else (geometry.apply(mask) > 0.5).to(mask))

    def of_rows(self, rows: Tensor) -> "pixels":
        """The same score for the images with these numbers."""
        if self.places is not None:
            return replace(self, places=self.places[rows.to(self.places.device)])
        single = self.mask is None or self.mask.dim() < 4 or len(self.mask) == 1
        return self if single else replace(self, mask=self.mask[rows.to(self.mask.device)])

    def seen_in(self, output: Any) -> "pixels":
        """The same score at pixels that stay; a mask without a pixel is refused, and a class without one."""
        scores = self._scores(output)
        weights = self._weights(scores)
        empty = ~weights.flatten(1).any(1)
        if not empty.any():
            return replace(self, places=weights) if self.mask is None else self
        if self.mask is not None:
            raise InterpretError("no pixel that the network sees is in the mask")
        found = sorted(set(scores.argmax(1)[empty].flatten().tolist()))
        listed = ", ".join(map(str, found[:8]))
        raise InterpretError(f"class {self.target} is the highest at no pixel; there are {listed}; or give a mask")

    def _weights(self, scores: Tensor) -> Tensor:
        if self.places is not None:
            return self.places.to(scores)
        if self.mask is None:
            return (scores.argmax(1, keepdim=True) == self.target).to(scores)
        mask = _as_masks(self.mask).to(scores)
        return mask if mask.shape[2:] == scores.shape[2:] else F.interpolate(mask, scores.shape[2:], mode="nearest")

    def _scores(self, output: Any) -> Tensor:
        named = parts(output)
        given = next((named[name] for name in ("out", "logits") if name in named), None)
        maps = [given] if given is not None else [value for value in named.values() if isinstance(value, Tensor)]
        maps = [value for value in maps if value.is_floating_point() and value.dim() == 4]
        if len(maps) != 1:
            raise InterpretError("a segmentation is one map (N, classes, h, w), which this network does not return")
        if not 0 <= self.target < maps[0].shape[1]:
            raise InterpretError(f"there is no class {self.target}; the map has classes 0 to {maps[0].shape[1] - 1}")
        return maps[0]


@dataclass(frozen=True, eq=False)
class box:
    """How surely a detector sees a class in a place, as a score to explain.

    The network returns a list with "boxes" (n, 4), "labels" (n,) and "scores" (n,) for each image, as torchvision's
    detectors do. With ``near``, of the boxes that overlap it the most, the score is that of pytorch-grad-cam's
    ``FasterRCNNBoxScoreTarget``: the overlap, as intersection over union, plus the box's score, and 0 where the
    overlap is .5 or less or the class another one. Without, it is the highest score of the class.

    Args:
        target: the class's label.
        near: left, top, right and bottom in pixels of the picture.
    """

    target: int
    near: Sequence[float] | Tensor | None = None
    of_output = True

    def __call__(self, output: Any) -> Tensor:
        return torch.stack([self._score(found) for found in _detections(output)])

    def laid_on(self, geometry: Geometry) -> "box":
        """The same score with the place on the network's input grid."""
        if self.near is None:
            return self
        left, top, right, bottom = self._place()
        if not (left < right and top < bottom):
            raise InterpretError(f"a box is left, top, right, bottom, not {left:g}, {top:g}, {right:g}, {bottom:g}")
        down, along = (geometry.resized[axis] / geometry.picture[axis] for axis in (0, 1))
        upper, before = geometry.offset
        return replace(
            self,
            near=[left * along - before, top * down - upper, right * along - before, bottom * down - upper],
        )

    def seen_in(self, output: Any) -> "box":
        """The same score; a place where the class is not detected is refused, naming what is there."""
        for found in _detections(output):
            if float(self._score(found)) != 0:
                continue
            best = found["scores"].argsort(descending=True)[:4].tolist()
            there = [f"{int(found['labels'][i])} ({float(found['scores'][i]):.2f})" for i in best]
            where = "" if self.near is None else " where the box is"
            listed = f"; the surest detections are {', '.join(there)}" if there else "; nothing is detected"
            raise InterpretError(f"class {self.target} is not detected{where}{listed}")
        return self

    def _place(self) -> list[float]:
        place = [float(value) for value in self.near]
        if len(place) != 4:
            raise InterpretError(f"a box is four numbers, left, top, right and bottom, not {len(place)}")
        return place

    def _score(self, found: Mapping[str, Tensor]) -> Tensor:
        boxes, labels, scores = found["boxes"], found["labels"], found["scores"]
        nothing = scores.sum() * 0
        if self.near is None:
            scores = scores[labels == self.target]
            return scores.max() if len(scores) else nothing
        if not len(boxes):
            return nothing
        overlaps = _overlaps(boxes.new_tensor(self._place()), boxes)
        nearest = overlaps.argmax()
        meant = bool(overlaps[nearest] > OVERLAP) and int(labels[nearest]) == self.target
        return overlaps[nearest] + scores[nearest] if meant else nothing


@dataclass(frozen=True, eq=False)
class similarity:
    """How alike the network's output and an embedding are, by the cosine of the angle between them, as a score.

    Args:
        embedding: (D,), or (N, D) with one for each image: for example the output for another picture.
    """

    embedding: Tensor
    of_output = True

    def __call__(self, output: Any) -> Tensor:
        found = first_tensor(output)
        wanted = self.embedding.detach().to(found).reshape(-1, self.embedding.shape[-1])
        if wanted.shape[1] != found.shape[1] or len(wanted) not in (1, len(found)):
            raise InterpretError(f"the embedding is {tuple(self.embedding.shape)}, the output {tuple(found.shape)}")
        return F.cosine_similarity(found, wanted, dim=1)

    def of_rows(self, rows: Tensor) -> "similarity":
        """The same score for the images with these numbers."""
        single = self.embedding.dim() < 2 or len(self.embedding) == 1
        return self if single else similarity(self.embedding[rows.to(self.embedding.device)])


@dataclass(frozen=True)
class output:
    """One number of the network's own output as it is, for example of a regression, as a score.

    Args:
        index: its position.
    """

    index: int = 0
    of_output = True

    def __call__(self, output: Any) -> Tensor:
        found = first_tensor(output)
        if not 0 <= self.index < found.shape[1]:
            raise InterpretError(f"there is no output {self.index}; the network has {found.shape[1]}, counted from 0")
        return found[:, self.index]


def _as_masks(mask: Tensor) -> Tensor:
    """(N, 1, H, W) floating point masks."""
    mask = torch.as_tensor(mask)
    mask = mask if mask.is_floating_point() else mask.float()
    if mask.dim() not in (2, 3, 4) or (mask.dim() == 4 and mask.shape[1] != 1):
        raise InterpretError(f"a mask is (H, W) or (N, 1, H, W), not {tuple(mask.shape)}")
    return mask[:, None] if mask.dim() == 3 else mask.reshape(-1, 1, *mask.shape[-2:])


def _detections(output: Any) -> list[Mapping[str, Tensor]]:
    """The boxes of each image."""
    wanted = {"boxes", "labels", "scores"}
    found = [output] if isinstance(output, Mapping) else output
    if not isinstance(found, list | tuple) or not all(
        isinstance(one, Mapping) and wanted <= one.keys() for one in found
    ):
        raise InterpretError("a detection is a list of boxes, labels and scores, which this network does not return")
    return list(found)


def _overlaps(place: Tensor, boxes: Tensor) -> Tensor:
    """(n,) the intersection over union of a place (4,) with each of the boxes (n, 4)."""
    upper, lower = torch.maximum(place[:2], boxes[:, :2]), torch.minimum(place[2:], boxes[:, 2:])
    shared = (lower - upper).clamp(min=0).prod(1)
    size, sizes = (place[2:] - place[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / (size + sizes - shared)
