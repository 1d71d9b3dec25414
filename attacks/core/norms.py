"""Norms and their balls: the only place that distinguishes one norm from another."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .norm_names import norm_name
from .seeds import Noise


@dataclass(frozen=True)
class Norm:
    """The size of perturbations (N, ...), and the geometry of its balls."""

    size: Callable[[Tensor], Tensor]  # (N,) the norm of each perturbation
    project: Callable[[Tensor, Tensor], Tensor]  # the nearest perturbation whose norm is at most eps (N, 1, ...)
    steepest: Callable[[Tensor], Tensor]  # the direction of norm 1 to step in, given a gradient; L0: its own shape
    step: Callable[[Tensor, Tensor, Tensor], Tensor]  # of a length (N, 1, ...), given a gradient and points in the box
    random: Callable[[Tensor, Noise], Tensor]  # uniform in the ball of radius 1, shaped as its argument
    running: Callable[[Tensor], Tensor]  # (N, d) the norm of the first 1, 2, ... d sizes (N, d) of changes


def batch_view(values: Tensor, like: Tensor) -> Tensor:
    """(N,) values as (N, 1, ...), which broadcast over samples (N, ...)."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


def positive(values: Tensor) -> Tensor:
    """Values of 0 or more, with the smallest positive number in place of 0, so that they can divide."""
    return values.clamp_min(torch.finfo(values.dtype).tiny)


def _random_linf(like: Tensor, noise: Noise) -> Tensor:
    return noise.uniform(*like.shape[1:], like=like) * 2 - 1


def _project_l2(delta: Tensor, eps: Tensor) -> Tensor:
    size = batch_view(l2(delta), delta)
    return torch.where(size > eps, delta * (eps / size), delta)


def _steepest_l2(gradient: Tensor) -> Tensor:
    # Divided by the largest value first: the squares of tiny gradients would vanish.
    largest = batch_view(linf(gradient), gradient)
    scaled = gradient / torch.where(largest > 0, largest, 1)
    return scaled / positive(batch_view(l2(scaled), gradient))


def _random_l2(like: Tensor, noise: Noise) -> Tensor:
    direction = noise.normal(*like.shape[1:], like=like)
    radius = noise.uniform(1, like=like) ** (1 / direction[0].numel())
    return direction * batch_view(radius / l2(direction)[:, None], like)


def _project_l1(delta: Tensor, eps: Tensor) -> Tensor:
    """Duchi et al. 2008, figure 1: what remains of every value above a threshold."""
    sizes = delta.abs().flatten(1)
    sorted_sizes = sizes.sort(1, descending=True).values
    surplus = sorted_sizes.cumsum(1) - eps.reshape(-1, 1)
    ranks = torch.arange(1, sizes.shape[1] + 1, device=delta.device)
    last = (sorted_sizes * ranks > surplus).sum(1, keepdim=True).clamp_min(1)
    threshold = (surplus.gather(1, last - 1) / last).clamp_min(0)
    return delta.sign() * (sizes - threshold).clamp_min(0).view_as(delta)


def _scaled(steepest: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The step of a norm whose direction does not depend on the box."""
    return lambda gradient, points, length: steepest(gradient) * length


def _steepest_l1(gradient: Tensor) -> Tensor:
    """Tramèr and Boneh 2019, section 3: equal steps along the steepest hundredth of the values."""
    sizes = gradient.abs().flatten(1)
    kept = _hundredth(gradient)
    smallest = sizes.topk(kept, dim=1).values[:, -1:]
    direction = gradient.sign() * (sizes >= smallest).view_as(gradient)
    return direction / batch_view(l1(direction), gradient).clamp_min(1)


def _hundredth(gradient: Tensor) -> int:
    return max(1, gradient[0].numel() // 100)


def _step_l1(gradient: Tensor, points: Tensor, length: Tensor) -> Tensor:
    """The same, but no value is to leave the box: what the steepest have no room for goes to the next ones."""
    room = torch.where(gradient > 0, 1 - points, torch.where(gradient < 0, points, 0)).flatten(1)
    most = torch.minimum(room, length.flatten(1) / _hundredth(gradient))
    order = gradient.abs().flatten(1).argsort(dim=1, descending=True)
    most = most.gather(1, order)
    before = most.cumsum(1) - most  # what steeper values have taken
    taken = torch.minimum(most, (length.flatten(1) - before).clamp_min(0))
    return gradient.sign() * torch.zeros_like(room).scatter(1, order, taken).view_as(points)


def _random_l1(like: Tensor, noise: Noise) -> Tensor:
    # Exponential variables, divided by their sum and one more, are uniform in the simplex (Calafiore et al. 1998).
    uniform = positive(noise.uniform(like[0].numel() + 1, like=like))
    sizes = -uniform.log()
    sign = (noise.uniform(*like.shape[1:], like=like) < 0.5).to(like) * 2 - 1
    return sign * (sizes[:, 1:] / sizes.sum(1, keepdim=True)).view_as(like)


def _project_l0(delta: Tensor, eps: Tensor) -> Tensor:
    sizes = delta.abs().flatten(1)
    ranks = sizes.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return delta * (ranks < eps.reshape(-1, 1).floor()).view_as(delta)


def linf(delta: Tensor) -> Tensor:
    """(N,) the largest change of any value."""
    return delta.flatten(1).abs().amax(1)


def l2(delta: Tensor) -> Tensor:
    """(N,) the Euclidean length."""
    return torch.linalg.vector_norm(delta.flatten(1), dim=1)


def l1(delta: Tensor) -> Tensor:
    """(N,) the sum of the changes."""
    return delta.flatten(1).abs().sum(1)


def l0(delta: Tensor) -> Tensor:
    """(N,) how many values change."""
    return (delta.flatten(1) != 0).sum(1).to(delta.dtype)


def _steepest_l0(gradient: Tensor) -> Tensor:
    return gradient / positive(batch_view(linf(gradient), gradient))


def _random_l0(like: Tensor, noise: Noise) -> Tensor:
    return torch.zeros_like(like)  # a random choice of values would decide which ones are changed


def _project_linf(delta: Tensor, eps: Tensor) -> Tensor:
    return torch.minimum(torch.maximum(delta, -eps), eps)


def _running_linf(sizes: Tensor) -> Tensor:
    return sizes.cummax(1).values


def _running_l2(sizes: Tensor) -> Tensor:
    return sizes.square().cumsum(1).sqrt()


def _running_l1(sizes: Tensor) -> Tensor:
    return sizes.cumsum(1)


def _running_l0(sizes: Tensor) -> Tensor:
    return (sizes != 0).cumsum(1)


NORMS = {
    "Linf": Norm(linf, _project_linf, torch.sign, _scaled(torch.sign), _random_linf, _running_linf),
    "L2": Norm(l2, _project_l2, _steepest_l2, _scaled(_steepest_l2), _random_l2, _running_l2),
    "L1": Norm(l1, _project_l1, _steepest_l1, _step_l1, _random_l1, _running_l1),
    "L0": Norm(l0, _project_l0, _steepest_l0, _scaled(_steepest_l0), _random_l0, _running_l0),
}


def norm_named(name: str) -> Norm:
    """A norm of the table; an error where there is none of that name."""
    return NORMS[norm_name(name)]
