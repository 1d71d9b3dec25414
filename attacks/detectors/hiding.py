"""A patch on objects that hides them from a detector (Thys et al. 2019, https://arxiv.org/abs/1904.08653)."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bounds import check_bounds
from ..core.adam import Adam
from ..errors import AttackError

# From images (n, 3, h, w) in [0, 1] to one record for each: "boxes" (k, 4) of left, top, right and bottom in pixels,
# "scores" (k,) and "labels" (k,), as torchvision's detectors in evaluation mode give them.
Detector = Callable[[Tensor], Sequence[dict[str, Tensor]]]

TOUCHES, FINDS, SURE = 0.1, 0.5, 0.5  # overlaps of boxes: what is lowered, and what finds an object; and its score


@torch.inference_mode(False)
@torch.no_grad()
def train_hiding_patch(
    detector: Detector,
    images: Tensor,
    boxes: Sequence[Tensor],
    *,
    share: float = 0.25,
    side: int = 32,
    steps: int = 200,
    pictures: int = 8,
    step_size: float = 0.05,
    seed: int = 0,
    watch: Callable[[int, float], None] = lambda step, loss: None,
) -> Tensor:
    """One patch, laid on the middle of every object, with which a detector misses the objects.

    It lowers, by Adam, the sum of -log(1 - score) over the boxes that are found where an object is, in place of the
    paper's largest score, since several boxes may find one object. A detector with a threshold shows nothing below it:
    what is not shown is hidden.

    Args:
        detector: from images in [0, 1] to boxes with scores, which are differentiable.
        images: (N, 3, h, w) in [0, 1], on which the patch is trained.
        boxes: (k, 4) of each image's objects, in pixels: left, top, right, bottom.
        share: of a box's area that the patch covers.
        side: of the patch, in pixels; it is shrunk or enlarged to fit.
        steps: number of steps.
        pictures: number of images at each step.
        step_size: largest change of a value at a step.
        seed: of the order.
        watch: called with each step's number and what is lowered.

    Returns:
        (3, side, side) in [0, 1].

    Raises:
        AttackError: settings that are not valid, or a detector whose scores cannot be differentiated.
    """
    options = {"share": share, "steps": steps, "pictures": pictures, "step_size": step_size, "seed": seed}
    check_bounds("train_hiding_patch", {**options, "texels": side})
    _check(images, boxes)
    draw = torch.Generator().manual_seed(seed)
    patch = images.new_full((3, side, side), 0.5)
    adam = Adam(patch, fresh=0.01)
    for step in range(1, steps + 1):
        chosen = torch.randperm(len(images), generator=draw)[:pictures].tolist()
        loss, gradient = _gradient(detector, images[chosen], [boxes[number] for number in chosen], patch, share)
        patch = (patch - adam.step(gradient, step_size)).clamp(0, 1)
        watch(step, loss)
    return patch


def hiding_patch_laid(images: Tensor, boxes: Sequence[Tensor], patch: Tensor, *, share: float = 0.25) -> Tensor:
    """Images (N, 3, h, w) with a patch (3, side, side) on the middle of each box; the rest stays, bit for bit.

    What of it lies beyond an image is cut off.
    """
    _check(images, boxes)
    laid = images.clone()
    for number, own in enumerate(boxes):
        for box in own.tolist():
            side = max(1, round(math.sqrt(share * (box[2] - box[0]) * (box[3] - box[1]))))
            left, top = (round((box[i] + box[i + 2] - side) / 2) for i in (0, 1))
            small = F.interpolate(patch[None], (side, side), mode="bilinear", antialias=True)[0]
            right, bottom = (min(start + side, laid.shape[axis]) for start, axis in ((left, 3), (top, 2)))
            x, y = max(left, 0), max(top, 0)
            if x < right and y < bottom:
                laid[number, :, y:bottom, x:right] = small[:, y - top : bottom - top, x - left : right - left]
    return laid


@torch.no_grad()
def missed(detector: Detector, images: Tensor, boxes: Sequence[Tensor], *, batch_size: int = 16) -> tuple[int, int]:
    """How many objects a detector misses, and how many there are.

    An object is found by a box that it overlaps by half (intersection over union) and that is sure by half.
    """
    _check(images, boxes)
    lost = 0
    for start in range(0, len(images), batch_size):
        parts = slice(start, start + batch_size)
        for found, own in zip(detector(images[parts]), boxes[parts], strict=True):
            sure = found["boxes"][found["scores"] > SURE]
            lost += int((~(_overlap(own, sure) > FINDS).any(1)).sum())
    return lost, sum(map(len, boxes))


def _check(images: Tensor, boxes: Sequence[Tensor]) -> None:
    if images.dim() != 4 or images.shape[1] != 3 or len(boxes) != len(images):
        raise AttackError(f"images (N, 3, h, w) and boxes of each, not {tuple(images.shape)} and {len(boxes)}")
    if any(own.dim() != 2 or own.shape[1] != 4 for own in boxes):
        raise AttackError("the boxes of an image have the shape (k, 4): left, top, right, bottom")


def _gradient(
    detector: Detector, images: Tensor, boxes: Sequence[Tensor], patch: Tensor, share: float
) -> tuple[float, Tensor]:
    """What is lowered, the mean over the objects, and its gradient (3, side, side) by the patch."""
    with torch.enable_grad():
        leaf = patch.clone().requires_grad_()
        total, objects = leaf.sum() * 0, max(1, sum(map(len, boxes)))
        for found, own in zip(detector(hiding_patch_laid(images, boxes, leaf, share=share)), boxes, strict=True):
            there = (_overlap(own, found["boxes"].detach()) > TOUCHES).any(0)
            scores = found["scores"][there]
            if len(scores) and not scores.requires_grad:
                raise AttackError("the detector's scores do not depend on the picture by a gradient")
            total = total - torch.log1p(-scores.clamp(max=1 - 1e-6)).sum() / objects
        gradient = torch.autograd.grad(total, leaf)[0]
    if not torch.isfinite(gradient).all():
        raise AttackError("the gradient is not a number; the detector has an operation without a proper derivative")
    return float(total.detach()), gradient


def _overlap(one: Tensor, other: Tensor) -> Tensor:
    """The intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    low = torch.maximum(one[:, None, :2], other[:, :2])
    high = torch.minimum(one[:, None, 2:], other[:, 2:])
    both = (high - low).clamp(min=0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return both / (areas[0][:, None] + areas[1] - both).clamp(min=1e-9)
