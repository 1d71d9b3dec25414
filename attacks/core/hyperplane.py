"""The shortest step onto a linear boundary that stays in the box."""

import torch
from torch import Tensor

from .norms import batch_view, l1, l2, linf, positive

DUAL_NORM = {"Linf": l1, "L2": l2}  # the distance of a plane is a difference of values over this size of its normal


def step_onto_plane(points: Tensor, normal: Tensor, rise: Tensor, norm: str) -> Tensor:
    """The smallest step (n, ...) from points in [0, 1] after which ``<normal, point>`` has risen by (n,), of any sign.

    Every value moves along its sign at a speed of its own, 1 for Linf and its share of the normal for L2, until it
    meets the end of the box (Croce and Hein 2020, section 2.1). The rise is then piecewise linear in time, so that the
    time at which it suffices is found by sorting. Where the box is too small, all values meet its ends.
    """
    # Divided by the largest value: the squares of tiny gradients would vanish.
    scale = linf(normal)
    scale = torch.where(scale > 0, scale, 1)
    normal, rise = normal / batch_view(scale, normal), rise / scale
    direction = normal.sign() * batch_view(rise.sign(), normal)
    room = torch.where(direction > 0, 1 - points, torch.where(direction < 0, points, 0)).flatten(1)
    slopes = normal.abs().flatten(1)
    speeds = (slopes > 0).to(slopes) if norm == "Linf" else slopes
    time = _time_to_rise(room, speeds, slopes, rise.abs()[:, None])
    return direction * torch.minimum(speeds * time, room).view_as(points)


def _time_to_rise(room: Tensor, speeds: Tensor, slopes: Tensor, rise: Tensor) -> Tensor:
    """(n, 1) the time at which the sum of ``slopes * min(speeds * time, room)`` (n, d) is the rise (n, 1)."""
    arrivals, order = (room / torch.where(speeds > 0, speeds, 1)).sort(1)
    rates = (slopes * speeds).gather(1, order)
    moving = rates.flip(1).cumsum(1).flip(1)  # the rate of the values that have not arrived before
    gained = torch.nn.functional.pad((slopes * room).gather(1, order).cumsum(1), (1, 0))  # by those that have
    enough = gained[:, :-1] + arrivals * moving >= rise
    first = enough.to(torch.uint8).argmax(1, keepdim=True)
    time = (rise - gained.gather(1, first)) / positive(moving.gather(1, first))
    return torch.where(enough.any(1, keepdim=True), time.clamp_min(0), arrivals[:, -1:])
