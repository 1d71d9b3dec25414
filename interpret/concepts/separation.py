"""A plane between two groups of activations, by logistic regression."""

import torch
from torch import Tensor

PENALTY = 0.01  # on the squared length of the normal, beside the mean loss, where rows have length 1 on average
ROUNDS, ENOUGH = 50, 1e-8


def normal_between(inside: Tensor, outside: Tensor) -> Tensor:
    """The unit normal (K,), towards ``inside`` (n, K), of the plane that tells it from ``outside`` (m, K).

    By Newton's method in the space that the rows span, which is small however many channels there are.
    """
    values = torch.cat([inside, outside]).double()
    values = values - values.mean(0)
    size = values.square().sum(1).mean().sqrt()
    if size == 0:
        return inside.new_zeros(inside.shape[1])
    left, lengths, right = torch.linalg.svd(values / size, full_matrices=False)
    kept = lengths > 1e-9 * lengths[0]
    rows = torch.cat([left[:, kept] * lengths[kept], torch.ones_like(left[:, :1])], 1)  # and the plane's offset
    wanted = torch.cat([torch.ones_like(inside[:, 0]), torch.zeros_like(outside[:, 0])]).double()
    found = _newton(rows, wanted)[:-1] @ right[kept]
    return (found / found.norm().clamp(min=torch.finfo(found.dtype).tiny)).to(inside)


def _newton(rows: Tensor, wanted: Tensor) -> Tensor:
    """The weights (r,) of the least penalised mean logistic loss; the last one bears no penalty but a trace of one."""
    penalty = torch.full_like(rows[0], PENALTY)
    penalty[-1] = 1e-9
    weights = torch.zeros_like(rows[0])
    for _ in range(ROUNDS):
        sure = (rows @ weights).sigmoid()
        slope = rows.T @ (sure - wanted) / len(rows) + penalty * weights
        curve = rows.T @ (rows * (sure * (1 - sure))[:, None]) / len(rows) + penalty.diag()
        step = torch.linalg.solve(curve, slope)
        weights = weights - step
        if float(step.abs().max()) < ENOUGH:
            break
    return weights
