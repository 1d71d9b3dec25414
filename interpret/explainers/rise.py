"""RISE (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421)."""

import logging

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry import Geometry
from ..scores import Target, probability_or_score, target_of
from .contract import check_pictures, explainer
from .passes import passes

_log = logging.getLogger(__name__)


@explainer(Geometry.undo)
def rise(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    masks: int = 1000,
    cells: int = 7,
    keep: float = 0.5,
    seed: int = 0,
    max_batch: int = 32,
) -> Tensor:
    """Which pixels have to be visible for the class to be recognised, from random masks.

    The network sees the picture through many soft random masks; a pixel gets the mean of the class's
    probability over the masks, weighted by how far they showed it (eq. 6). The mean of all
    probabilities, which the paper adds to every pixel alike, is subtracted, so that pixels that matter
    are above zero. Nothing is differentiated, so it works for any network; the error falls with the
    square root of the number of masks.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        masks: how many random masks.
        cells: a mask's cells along each side, before it is enlarged and shifted.
        keep: the share of cells that are shown.
        seed: of the masks, which are the same for every image.
        max_batch: how many passes are made at once; fewer if memory runs out.

    Returns:
        (N, 1, H, W) attribution, signed, in units of the probability.
    """
    check_pictures(images)
    _log.info("RISE runs %d passes for each picture, one a mask", masks)

    def run(rows: Tensor, steps: Tensor) -> Tensor:
        shown = torch.stack([_mask(seed, step, cells, keep, images) for step in steps.tolist()])
        with torch.no_grad():
            return probability_or_score(classifier, images[rows] * shown, target_of(target, rows))

    weighted = torch.zeros_like(images[:, :1])
    total, scores = torch.zeros_like(weighted), torch.zeros_like(weighted[:, :, :1, :1])
    work = passes(run, len(images), masks, max_batch=max_batch, what="rise", device=images.device)
    for image, step, score in work:
        mask = _mask(seed, step, cells, keep, images)
        weighted[image] += score * mask
        total[image] += mask
        scores[image] += score
    return (weighted - scores / masks * total) / (keep * masks)


def _mask(seed: int, step: int, cells: int, keep: float, images: Tensor) -> Tensor:
    """A mask (1, H, W) in [0, 1]: coarse random cells, enlarged bilinearly and shifted by less than a cell."""
    height, width = images.shape[2:]
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    grid = (torch.rand(1, 1, cells + 1, cells + 1, generator=generator) < keep).to(images.dtype)
    cell = -(-height // cells), -(-width // cells)
    large = F.interpolate(grid, ((cells + 1) * cell[0], (cells + 1) * cell[1]), mode="bilinear")[0]
    down, right = (int(torch.randint(side, (1,), generator=generator)) for side in cell)
    return large[:, down : down + height, right : right + width].to(images.device)
