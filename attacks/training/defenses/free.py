"""Free adversarial training (Shafahi et al. 2019, https://arxiv.org/abs/1904.12843)."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.ascent import Model
from . import LossOf


def free(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attacked: Model,
    eps: float,
    generator: torch.Generator,
    memory: dict[str, Any],
    replays: int = 8,
    step_size: float = 1.0,
) -> Iterator[LossOf]:
    """One backward pass serves the weights and the perturbation; every batch is replayed (algorithm 1).

    The perturbation carries over to the next batch. Plan for as many epochs less as there are replays.

    Args:
        replays: how often each batch is taken (m).
        step_size: of the perturbation, as a share of eps.
    """
    carried = memory.get("delta", torch.zeros(0, *images.shape[1:], device=images.device))
    if len(carried) < len(images):  # the first batch; later ones are no larger
        carried = torch.cat([carried, torch.zeros_like(images[len(carried) :])])
    for _ in range(replays):
        # Unlike in the authors' code, the slope is that of the picture after the box: before it, it would
        # be zero for every black pixel that is pushed below 0, which could then never move again.
        adversarial = (images + carried[: len(images)].clamp(-eps, eps)).clamp(0, 1).requires_grad_()
        yield lambda adversarial=adversarial: F.cross_entropy(model(adversarial), labels)
        slope = adversarial.grad.nan_to_num()  # where fp16 overflows, 0
        stepped = (adversarial - images + step_size * eps * slope.sign()).detach().clamp(-eps, eps)
        carried = torch.cat([stepped, carried[len(images) :]])
        memory["delta"] = carried
