"""Pictures drawn for layers of tokens and of channels last."""

import pytest
import torch

from interpret import Classifier, NetworkError, deep_dream, invert, style_transfer
from interpret.drawing.feature_visualization import visualize
from interpret.drawing.objectives import channel, energy, neuron
from tests.brought import ChannelsLast, Tokens, tiny_vit
from tests.refusals import refusal

NETWORKS = {"tokens": (Tokens, "blocks.0"), "channels last": (ChannelsLast, "norm")}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_drawing_takes_them(kind):
    build, layer = NETWORKS[kind]
    classifier = Classifier(build().eval(), mean=[0.5] * 3, std=[0.5] * 3, input_size=32)
    image = torch.rand(1, 3, 32, 32)
    for objective in (channel(layer, 3), neuron(layer, 3, 1, 1)):
        assert visualize(classifier, objective, steps=1).shape == (1, 3, 32, 32)
    assert deep_dream(classifier, image, energy(layer)).shape == image.shape
    assert invert(classifier, image, layer, steps=1).shape == image.shape
    assert style_transfer(classifier, image, [image.flip(3)], layers=[layer], steps=1).shape == image.shape


def test_a_network_for_one_size_is_told():
    classifier = Classifier(tiny_vit(), mean=[0.5] * 3, std=[0.5] * 3, input_size=32)
    layer = "encoder.layers.encoder_layer_0"
    message = refusal(deep_dream, classifier, torch.rand(1, 3, 48, 48), energy(layer), kind=NetworkError)
    assert "does not take pictures of" in message
