"""Stepping onto a linear boundary by the shortest way that stays in the box."""

import torch
from torch import Tensor

from .norms import columns, l1, l2, linf

DUAL = {"Linf": l1, "L2": l2}  # how far a plane is: the gap over this size of its normal


def onto_plane(points: Tensor, normal: Tensor, rise: Tensor, norm: str) -> Tensor:
    """The least step after which ``<normal, point>`` has risen by ``rise``, as far as the box lets it.

    Every value moves along its sign at a speed of its own, 1 for Linf and its share of the normal for
    L2, until it meets the border (Croce and Hein 2020, section 2.1). The rise is then piecewise
    linear in time, so that the time at which it is enough is found by sorting.

    Args:
        points: (n, ...) in [0, 1].
        normal: (n, ...) of the planes.
        rise: (n,) of either sign.
        norm: "Linf" or "L2", of which the step is to be least.

    Returns:
        (n, ...) the steps; none along a normal that is zero.
    """
    # By the largest value: squares of tiny gradients would vanish.
    scale = linf(normal)
    scale = torch.where(scale > 0, scale, 1)
    normal = normal / columns(scale, normal)
    rise = rise / scale
    direction = normal.sign() * columns(rise.sign(), normal)
    room = torch.where(direction > 0, 1 - points, torch.where(direction < 0, points, 0)).flatten(1)
    slopes = normal.abs().flatten(1)
    speeds = (slopes > 0).to(slopes) if norm == "Linf" else slopes
    time = _time_to_rise(room, speeds, slopes, rise.abs()[:, None])
    return direction * torch.minimum(speeds * time, room).view_as(points)


def _time_to_rise(room: Tensor, speeds: Tensor, slopes: Tensor, rise: Tensor) -> Tensor:
    """(n, 1) when the sum of ``slopes * min(speeds * time, room)`` (n, d) is ``rise`` (n, 1), or all have arrived."""
    arrivals, order = (room / torch.where(speeds > 0, speeds, 1)).sort(1)
    rates = (slopes * speeds).gather(1, order)
    still = rates.flip(1).cumsum(1).flip(1)  # of those that have not arrived before
    gained = torch.nn.functional.pad((slopes * room).gather(1, order).cumsum(1), (1, 0))  # by those that have
    enough = gained[:, :-1] + arrivals * still >= rise
    first = enough.to(torch.uint8).argmax(1, keepdim=True)
    time = (rise - gained.gather(1, first)) / still.gather(1, first).clamp_min(torch.finfo(rise.dtype).tiny)
    return torch.where(enough.any(1, keepdim=True), time.clamp_min(0), arrivals[:, -1:])
