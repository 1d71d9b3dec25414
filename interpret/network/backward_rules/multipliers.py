"""What a call passes on for each unit of its output, between a reference and its input.

Each is exact: times the differences of the inputs from the reference it adds up to the difference of the output.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Run = Callable[[Tensor], Tensor]


def slope(run: Run, z: Tensor) -> Tensor:
    """The derivative of an elementwise function, 0 where it has none."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        output = run(z.clone())
        (found,) = torch.autograd.grad(output, z, torch.ones_like(output))
    return torch.where(torch.isfinite(found), found, 0)


def secant(run: Run, z: Tensor, output: Tensor, z0: Tensor, output0: Tensor) -> Tensor:
    """(f(z) - f(z0)) / (z - z0) of an elementwise function; its derivative between the two where they are close."""
    difference = z - z0
    # Half of the digits: a difference that is closer has too few right ones. A bend at zero lies never in between.
    close = difference.abs() <= torch.finfo(z.dtype).eps ** 0.5 * (z.abs() + z0.abs())
    found = (output - output0) / torch.where(close, 1, difference)
    return torch.where(close, slope(run, (z + z0) / 2), found) if close.any() else found


def logarithmic_mean(first: Tensor, second: Tensor) -> Tensor:
    """The mean (a - b) / (log a - log b) of numbers, given by their logarithms: the secant of exp."""
    return secant(torch.exp, first, first.exp(), second, second.exp())


def softmax_stand_in(name: str, z: Tensor, z0: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """A linear function of z whose differences are those of softmax, log_softmax or logsumexp between z0 and z.

    With L the logarithmic means of the two softmaxes, and u their logarithms, sum(L (u - u0)) = sum(s - s0) = 0; so
    logsumexp changes by sum(L (z - z0)) / sum(L), and each s by L (u - u0).
    """
    with torch.no_grad():
        means = logarithmic_mean(z.log_softmax(dim), z0.log_softmax(dim))
        weights = means / means.sum(dim, keepdim=True)
    total = (weights * z).sum(dim, keepdim=True)
    if name == "logsumexp":
        return total if keepdim else total.squeeze(dim)
    return means * (z - total) if name == "softmax" else z - total


def softmax_tangent(z: Tensor, values: Tensor, dim: int) -> Tensor:
    """A linear function of z with the slopes of softmax, whose values are given, where it is (Achtibat 2024, eq. 13).

    What has the probability 0, such as what is masked, has none.
    """
    finite = torch.where(values == 0, 0, z)
    return values * (finite - (values * finite).sum(dim, keepdim=True))


def largest_stand_in(z: Tensor, z0: Tensor, place: Tensor, place0: Tensor) -> Tensor:
    """A linear function of z whose differences are those of a maximum over the last dimension.

    Args:
        z: (..., K) input.
        z0: (..., K) reference.
        place: (..., M) where the M maxima of z are.
        place0: (..., M) where those of z0 are.

    Returns:
        (..., M): where a maximum rises its own place takes the rise, which is at most the place's own; where it
        falls, the place that was the largest takes it. No multiplier is above 1.
    """
    with torch.no_grad():
        rise = z.gather(-1, place) - z0.gather(-1, place0)
        taker = torch.where(rise < 0, place0, place)
        own = z.gather(-1, taker) - z0.gather(-1, taker)
        share = torch.where(rise == 0, (place == place0).to(z), rise / torch.where(rise == 0, 1, own))
    return z.gather(-1, taker) * share
