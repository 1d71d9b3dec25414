"""Feature inversion (Mahendran and Vedaldi 2015, https://arxiv.org/abs/1412.0035)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..bounds import bounded
from ..classifier import on_input_grid
from ..network.hooks import left_as_found
from .ascend import Step, ascend, looker
from .objectives import Objective, Seen, total_variation
from .parametrisations import Fourier


@bounded
def invert(
    classifier: nn.Module,
    image: Tensor,
    layer: str,
    *,
    start: nn.Module | None = None,
    steps: int = 160,
    learning_rate: float = 0.05,
    smoothness: float = 0.5,
    optimizer: str = "adam",
    seed: int = 0,
    watch: Callable[[Step], object] | None = None,
) -> Tensor:
    """Draw a picture with the features that another has in one layer, to see what the layer has kept of it.

    Args:
        classifier: whose layer it is.
        image: (N, C, H, W) in [0, 1].
        layer: its name.
        start: a parametrisation of (N, C, h, w) on the network's input grid, such as ``Pixels``; by default
            ``Fourier``, nearly grey.
        steps: number of steps.
        learning_rate: of the optimiser.
        smoothness: weight of the total variation against the error of the features.
        optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam" or "lbfgs".
        seed: of the default start.
        watch: called with every step.

    Returns:
        (N, C, h, w) on the network's input grid; in [0, 1] unless ``start`` is unbounded.

    Raises:
        UnknownNameError: no such layer.
        NetworkError: the layer did not run, or the error is not finite.
    """
    view, inputs, _ = on_input_grid(classifier, image.detach())
    objective = -features_error(view, inputs, layer)
    if smoothness:
        objective = objective - smoothness * total_variation()
    if start is None:
        start = Fourier(tuple(inputs.shape[-2:]), count=len(inputs), channels=inputs.shape[1], seed=seed).to(inputs)
    for step in ascend(
        view, objective, start, steps=steps, learning_rate=learning_rate, optimizer=optimizer, what=layer
    ):
        if watch is not None:
            watch(step)
    return start().detach()


def features_error(classifier: nn.Module, inputs: Tensor, layer: str) -> Objective:
    """The squared error of features, relative to those of pictures (N, C, h, w) on the input grid (eq. 1)."""
    with left_as_found(classifier), torch.no_grad():
        original = looker(classifier, [layer])(inputs)[layer].flatten(1)
    size = original.square().sum(1).clamp(min=torch.finfo(original.dtype).tiny)

    def score(seen: Seen) -> Tensor:
        return (seen[layer].flatten(1) - original).square().sum(1) / size

    return Objective(frozenset([layer]), score, f"error in {layer}", logits=False)


def relative_error(classifier: nn.Module, image: Tensor, inverted: Tensor, layer: str) -> Tensor:
    """(N,) distances of the features of inversions (N, C, h, w) from those of images (N, C, H, W), over their norms."""
    view, inputs, _ = on_input_grid(classifier, image)
    objective = features_error(view, inputs, layer)
    with left_as_found(view), torch.no_grad():
        return objective.score(looker(view, [layer])(inverted)).sqrt()
