"""Exact answers on tiny networks, by hand or from the test suites of other toolkits."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret import NetworkError, occlusion
from interpret.explainers import explainer_named
from tests.tiny import RELUS, m1, x0


def core(name: str):
    """The method before its map is laid on the picture."""
    return explainer_named(name).__wrapped__


M1_ANSWERS = [  # method, options, answer
    ("input_x_gradient", {}, [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11], [0, 0, 0, 0]]),
    ("guided_backprop", {}, [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]]),
    ("gradcam", {"layer": "conv1", "relu": False}, [[11.25, 13.5], [20.25, 22.5]]),
    ("gradcam", {"layer": "relu1"}, [[0, 4], [28, 32.5]]),
    ("layercam", {"layer": "relu1"}, [[0, 4], [31, 40]]),
    ("gradcam_plusplus", {"layer": "relu1"}, [[0, 4 * 4 / 77], [31 * 4 / 77 + 6 / 23, 40 * 4 / 77 + 15 / 23]]),
    ("xgradcam", {"layer": "relu1"}, [[0, 4], [25, 25]]),
    ("hirescam", {"layer": "relu1"}, [[0, 4], [25, 25]]),
]


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
@pytest.mark.parametrize(("name", "options", "answer"), M1_ANSWERS)
def test_m1(relu, name, options, answer):
    found = core(name)(m1(relu), x0(), 0, **options)
    torch.testing.assert_close(found[0, 0], torch.tensor(answer, dtype=torch.float32), atol=1e-5, rtol=0)


def test_gradcam_plusplus_as_published():
    found = core("gradcam_plusplus")(m1(), x0(), 0, layer="relu1")
    torch.testing.assert_close(found[0, 0], torch.tensor([[0, 0.207792], [1.871259, 2.730096]]), atol=1e-5, rtol=0)


class M2(nn.Module):
    """Linear(3, 3), Linear(3, 4), ReLU, Linear(4, 2)."""

    def forward(self, inputs: Tensor) -> Tensor:
        middle = torch.relu(inputs.sum(1, keepdim=True) + inputs.new_tensor([-10.0, 1, 1, 1]))
        return middle.sum(1, keepdim=True) + inputs.new_tensor([-1.0, 1])


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"window": 1, "baseline": 0}, [80, 200, 120]),
        ({"window": 2, "stride": 1, "baseline": 10}, [200, 220, 240]),
    ],
)
def test_occlusion(options, answer):
    found = occlusion(M2(), torch.tensor([[20.0, 50, 30]]), 0, **options)
    torch.testing.assert_close(found, torch.tensor([answer], dtype=torch.float32), atol=1e-5, rtol=0)


def in_one_logit(function):
    """A network of one logit out of a function of two columns."""

    class Network(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return function(inputs[:, 0], inputs[:, 1])

    return Network()


@pytest.mark.parametrize(
    "function",
    [
        lambda x1, x2: F.relu(F.relu(x1) - 1 - F.relu(x2)),
        lambda x1, x2: F.relu(F.relu(x1 - 1) - F.relu(x2)),
    ],
    ids=["M5", "M5'"],
)
def test_integrated_gradients_see_the_function_not_its_form(function):
    found = explainer_named("integrated_gradients")(in_one_logit(function), torch.tensor([[3.0, 1.0]]), 0, steps=100)
    torch.testing.assert_close(found, torch.tensor([[1.5, -0.5]]), atol=0.05, rtol=0)


def test_gradient_of_m4():
    network = in_one_logit(lambda x, _: 1 - F.relu(1 - x))
    inputs = torch.tensor([1.0, 2, 3, 0, -1, 7])
    found = explainer_named("saliency")(network, torch.stack([inputs, inputs], 1), 0)[:, 0]
    torch.testing.assert_close(found, torch.tensor([0.0, 0, 0, 1, 1, 0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(
    ("name", "answer"), [("saliency", [-4, 1]), ("guided_backprop", [-2, 1]), ("deconvnet", [-2, 2])]
)
def test_a_tensor_that_a_relu_shares(name, answer, inplace):
    weights = torch.tensor([-2.0, 1])

    class Shared(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            copied = inputs.clone() if inplace else inputs
            return (weights * (inputs + F.relu(copied, inplace=inplace))).sum(1)

    found = explainer_named(name)(Shared(), torch.tensor([[1.0, -1]]), 0)
    torch.testing.assert_close(found, torch.tensor([answer], dtype=torch.float32), atol=1e-5, rtol=0)


class Pooled(nn.Sequential):
    """Convolution, ReLU, global average pooling, one linear layer."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), nn.Identity()
        )


def test_cam_is_the_number_of_places_times_gradcam():
    network, images = Pooled(), torch.rand(2, 3, 12, 10)
    cam, gradcam = core("cam")(network, images, 2), core("gradcam")(network, images, 2, relu=False)
    torch.testing.assert_close(cam, gradcam * cam[0, 0].numel(), rtol=1e-6, atol=1e-6)


def test_cam_means_to_the_logit_less_its_bias():
    network, images = Pooled(), torch.rand(2, 3, 12, 10)
    found = core("cam")(network, images, 1).mean((1, 2, 3)) + network[4].bias[1]
    torch.testing.assert_close(found, network(images)[:, 1])


class Behind(Pooled):
    """The head that CAM reads, with a softmax behind it."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).softmax(1)


def test_cam_says_that_something_is_behind_the_head():
    with pytest.raises(NetworkError, match="and nothing behind it; the logits of Behind are not those of such a head"):
        core("cam")(Behind(), torch.rand(2, 3, 12, 10), 1)


def test_cam_of_squeezenet_is_the_heads_own_map(squeezenet, cat):
    view, inputs = squeezenet.on_inputs(), squeezenet.prepare(cat)[0]
    found = core("cam")(view, inputs, 282)
    torch.testing.assert_close(found.mean(), view(inputs)[0, 282], rtol=1e-4, atol=1e-4)


def test_eigencam_is_the_first_direction_with_a_settled_sign():
    network, images = Pooled(), torch.rand(1, 3, 12, 10)
    found = core("eigencam")(network, images, 0)[0, 0].flatten()
    places = network[1](network[0](images))[0].flatten(1)
    first = torch.linalg.svd(places.T).U[:, 0] * torch.linalg.matrix_norm(places, 2)
    torch.testing.assert_close(found, first * first.sum().sign(), rtol=1e-4, atol=1e-5)
    assert found.sum() > 0
