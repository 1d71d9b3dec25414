"""Networks that change their input, and those whose answer would depend on the batch."""

import logging

import pytest
import torch
from torch import nn

from interpret import Classifier, NetworkError
from interpret.explainers import explainer_named
from tests.brought import BatchStatistics, WritesOver
from tests.refusals import refusal


@pytest.mark.parametrize("method", ["saliency", "gradcam", "occlusion", "integrated_gradients", "guided_backprop"])
@pytest.mark.parametrize("bare", [True, False])
def test_a_network_that_writes_over_its_input(method, bare):
    network, images = WritesOver().eval(), torch.rand(2, 3, 12, 12)
    model = network if bare else Classifier(network, mean=[0] * 3, std=[1] * 3)
    before = images.clone()
    first, second = (explainer_named(method)(model, images, 1) for _ in range(2))
    assert torch.equal(images, before) and torch.equal(first, second)

    class Copies(WritesOver):
        def forward(self, images):
            return super().forward(images.clone())

    copies = Copies().eval()
    copies.load_state_dict(network.state_dict())
    torch.testing.assert_close(first, explainer_named(method)(copies, images, 1))


@pytest.mark.parametrize("bare", [True, False])
def test_batch_normalisation_without_running_statistics(bare, caplog):
    network, images = BatchStatistics().eval(), torch.rand(3, 3, 12, 12)
    model = network if bare else Classifier(network, mean=[0] * 3, std=[1] * 3)
    occlusion, options = explainer_named("occlusion"), {"window": 4, "stride": 4}
    with caplog.at_level(logging.WARNING):
        one, many = (occlusion(model, images, 1, max_batch=most, **options) for most in (1, 32))
    torch.testing.assert_close(one, many)
    assert caplog.text.count("normalised by itself") == 1
    together = explainer_named("gradcam")(model, images, 1)
    torch.testing.assert_close(
        together, torch.cat([explainer_named("gradcam")(model, image[None], 1) for image in images])
    )
    if not bare:
        torch.testing.assert_close(model(images), torch.cat([model(image[None]) for image in images]))


def test_vectors_that_are_normalised_over_their_batch_are_refused():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4, track_running_stats=False))
    message = refusal(explainer_named("saliency"), network, torch.rand(2, 3, 2, 2), 1, kind=NetworkError)
    assert "over their batch" in message
