"""Max-sensitivity (Yeh et al. 2019, https://arxiv.org/abs/1901.09392), by captum."""

from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import on_input_grid
from ..explainers.contract import Explainer
from ..explainers.from_captum import one_by_one, quietly, seeded
from ..network.hooks import left_as_found
from ..scores import Target, target_of


def max_sensitivity(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    explainer: Explainer,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
    **options: Any,
) -> Tensor:
    """How far an explanation changes when its picture changes by next to nothing.

    This is the largest change of the attribution, as a share of its Euclidean norm, over random changes of the picture
    within a small cube (definition 3.1).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        explainer: such as ``interpret.gradcam``.
        radius: largest change of a value of the network's input.
        samples: number of changes, each of which takes an explanation.
        seed: of the changes.
        **options: of the explainer.

    Returns:
        (N,) at least 0, lower is better.
    """
    import captum.metrics

    view, inputs, _ = on_input_grid(classifier, images.detach())

    def measured(row: int) -> Tensor:
        def explain(given: Any) -> Any:
            given = given[0] if isinstance(given, tuple) else given
            rows = torch.full((len(given),), row, device=given.device)
            # A tuple, because captum would go through the rows of a tensor.
            return (explainer(view, given, target_of(target, rows), **options).contiguous(),)

        with seeded(seed):
            return captum.metrics.sensitivity_max(
                explain, inputs[row : row + 1], perturb_radius=radius, n_perturb_samples=samples
            )

    with left_as_found(classifier, inputs.device), quietly():
        return one_by_one(lambda _, row: measured(row), inputs).detach()
