"""Free adversarial training (Shafahi et al. 2019, https://arxiv.org/abs/1904.12843)."""

from collections.abc import Iterator

import torch

from ..batch import Batch, LossOf


def free(batch: Batch, *, replays: int = 8, step_size: float = 1.0) -> Iterator[LossOf]:
    """One backward pass serves the weights and the perturbation; every batch is replayed (algorithm 1).

    The perturbation carries over to the next batch. Plan for fewer epochs, by as many times as there are replays.

    Args:
        batch: to train on.
        replays: how often each batch is taken (m).
        step_size: of the perturbation, as a share of eps.
    """
    images, eps, count = batch.images, batch.eps, len(batch.images)
    carried = batch.memory.get("delta", torch.zeros(0, *images.shape[1:], device=images.device))
    if len(carried) < count:  # in the first batch; later ones are no larger
        carried = torch.cat([carried, torch.zeros_like(images[len(carried) :])])
    for _ in range(replays):
        # Unlike in the authors' code, the gradient is taken after clamping to the box: before, it would be zero for
        # every black pixel that is pushed below 0, which could then never move again.
        adversarial = (images + carried[:count].clamp(-eps, eps)).clamp(0, 1).requires_grad_()
        yield lambda adversarial=adversarial: batch.cross_entropy(adversarial)
        gradient = adversarial.grad.nan_to_num()  # where fp16 overflows, 0
        stepped = (adversarial - images + step_size * eps * gradient.sign()).detach().clamp(-eps, eps)
        carried = torch.cat([stepped, carried[count:]])
        batch.memory["delta"] = carried
