"""Calling an explainer again and again leaves nothing behind."""

import gc

import pytest
import torch

from interpret.explainers import EXPLAINERS, explainer_named
from tests.laws.test_explainers import classifier, pictures

ONCE = {
    "smoothgrad": {"samples": 2},
    "integrated_gradients": {"steps": 2},
    "rise": {"masks": 4},
    "gradient_shap": {"samples": 2},
    "kernel_shap": {"pieces": 3, "samples": 6},
    "occlusion": {"window": 8, "stride": 8},
}


def tensors() -> int:
    """How many tensors are alive."""
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


@pytest.mark.parametrize("name", EXPLAINERS)
def test_many_calls_leave_no_tensor_and_no_hook(name):
    explain = explainer_named(name)
    model, images = classifier(explain, input_size=16), pictures(1)
    calls = 200 if name in ("gradcam", "saliency", "guided_backprop") else 10
    options = ONCE.get(name, {})
    explain(model, images, 1, **options)
    before = tensors()
    for _ in range(calls):
        explain(model, images, 1, **options)
    assert tensors() == before
    assert all(not module._forward_hooks and not module._backward_hooks for module in model.modules())
