"""Is the gradient right? The analytic one against central differences, as the lectures advise."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .explainers.contract import on_input_grid, score_of
from .gradients import Target, gradient
from .hooks import left_as_found

STEP = 1e-5  # near the cube root of float64's precision, where the error of central differences is least


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

    The network is copied and run in double precision on its own input grid. Where the two one-sided
    differences disagree there is a kink (a ReLU or a max-pool that switches within the step), and
    neither number is wrong; where they agree with each other but not with the analytic gradient,
    some operation's backward pass is not its derivative (a custom backward, a detach, rounding).

    Args:
        classifier: the classifier to check.
        image: (1, C, H, W), in [0, 1].
        target: a class index or a score.
        pixels: how many values to check, at random places.
        seed: of the places.

    Returns:
        One entry a place. Errors below 1e-5 agree.
    """
    double = copy.deepcopy(classifier).double()
    with left_as_found(double):
        view, inputs, _ = on_input_grid(double, image.detach().double().cpu().to(image.device))
        source = inputs.detach().requires_grad_()
        analytic = gradient(score_of(view, source, target), source)
        generator = torch.Generator().manual_seed(seed)
        places = torch.randperm(inputs[0].numel(), generator=generator)[:pixels].tolist()
        return [_check(view, inputs.detach(), target, place, float(analytic.flatten()[place])) for place in places]


def _check(view: nn.Module, inputs: Tensor, target: Target, place: int, analytic: float) -> Checked:
    def score(change: float) -> float:
        changed = inputs.clone()
        changed.view(-1)[place] += change
        with torch.no_grad():
            return float(score_of(view, changed, target)[0])

    below, here, above = score(-STEP), score(0.0), score(STEP)
    numeric = (above - below) / (2 * STEP)
    left, right = (here - below) / STEP, (above - here) / STEP
    error = _relative(analytic, numeric)
    # What rounding alone does to a difference of scores this large.
    rounding = 1e-15 * max(abs(here), 1.0) / STEP
    agrees = error < 1e-5 or abs(analytic - numeric) < 100 * rounding
    kink = _relative(left, right) > 1e-3 and abs(left - right) > 100 * rounding
    channel, row, column = (int(index) for index in torch.unravel_index(torch.tensor(place), inputs[0].shape))
    verdict = "agrees" if agrees else "kink" if kink else "differs"
    return Checked(channel, row, column, analytic, numeric, error, verdict)


def _relative(first: float, second: float) -> float:
    largest = max(abs(first), abs(second))
    return abs(first - second) / largest if largest else 0.0
