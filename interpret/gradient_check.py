"""Whether the gradient is right: the analytic one against central differences, as lectures advise."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .classifier import network_of, on_input_grid
from .layer_outputs import runner
from .network.autograd import gradient
from .network.gradient_path import path_told
from .network.hooks import left_as_found
from .scores import Target, score_of

STEP = 1e-5  # near the cube root of float64's precision, where central differences are most exact


@dataclass(frozen=True)
class Checked:
    """One value of the network's input, and its derivative in two ways."""

    channel: int
    row: int
    column: int
    analytic: float
    numeric: float
    error: float  # relative: |a - n| / max(|a|, |n|)
    verdict: str  # "agrees", "kink" or "differs"


def check_gradient(
    classifier: nn.Module, image: Tensor, target: Target, *, pixels: int = 20, seed: int = 0
) -> list[Checked]:
    """Compare the gradient at random places of a picture with central differences, in float64.

    A copy of the network runs in double precision on its own input grid. Where the two one-sided
    differences disagree, or a smaller step finds another number, there is a kink (a ReLU or a max-pool
    that switches within the step), and neither number is wrong. Where all differences agree with each
    other but not with the analytic gradient, the backward pass of some operation is not its derivative
    (a custom backward, a detach, rounding).

    Args:
        classifier: the classifier to check.
        image: (1, C, H, W), in [0, 1].
        target: a class index or a score.
        pixels: how many values to check, at random places.
        seed: of the places.

    Returns:
        One entry for each place; a relative error below 1e-5 counts as agreement.

    Raises:
        NetworkError: the score has no gradient at all; the message says where its path is cut.
    """
    double = copy.deepcopy(classifier).to(torch.float64, memory_format=torch.contiguous_format)
    with left_as_found(double, image.device):
        view, inputs, _ = on_input_grid(double, image.detach().double())
        source = inputs.detach().requires_grad_()
        with path_told(network_of(view), source, runner(view), lambda: None):
            score = score_of(view, source, target)
            analytic = gradient(score, source)[0]
        generator = torch.Generator().manual_seed(seed)
        places = torch.randperm(inputs[0].numel(), generator=generator)[:pixels]
        checked = []
        for place in zip(*(axis.tolist() for axis in torch.unravel_index(places, inputs[0].shape)), strict=True):
            move = _mover(view, inputs.detach(), target, place)
            checked.append(_check(place, float(analytic[place]), float(score[0].detach()), move))
        return checked


def _mover(view: nn.Module, inputs: Tensor, target: Target, place: tuple[int, ...]) -> Callable[[float], float]:
    """A function from the change of one value of the input to the score."""

    def move(change: float) -> float:
        changed = inputs.clone()
        changed[0][place] += change
        with torch.no_grad():
            return float(score_of(view, changed, target)[0])

    return move


def _check(place: tuple[int, ...], analytic: float, here: float, move: Callable[[float], float]) -> Checked:
    below, above = move(-STEP), move(STEP)
    numeric = (above - below) / (2 * STEP)
    off, largest = abs(analytic - numeric), max(abs(analytic), abs(numeric))
    error = off / largest if largest else 0.0
    # How far rounding alone takes a difference of scores of this size.
    rounding = 1e-15 * max(abs(here), 1.0) / STEP
    if error < 1e-5 or off < 100 * rounding:
        return Checked(*place, analytic, numeric, error, "agrees")
    # At a kink the gradient lies between the slopes of the two sides; close to one, a smaller step no longer
    # reaches it. An error in a backward pass is the same on both sides and for every step.
    kink = off < 0.6 * abs((here - below) - (above - here)) / STEP
    for step in (STEP / 10, STEP / 100):
        kink = kink or abs(analytic - (move(step) - move(-step)) / (2 * step)) < off / 2
    return Checked(*place, analytic, numeric, error, "kink" if kink else "differs")
