"""Layers read in their own layout: channels last, tokens, flattened maps, activations called as functions."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from interpret import Classifier, InterpretError, NetworkError, activation_maps, default_layer, recorded
from interpret.drawing.ascend import looker
from interpret.drawing.objectives import channel, neuron
from interpret.explainers import explainer_named
from interpret.network.survey import layouts_of, survey
from tests.brought import ChannelsLast, Crops, Functions, Siamese, Tokens, tiny_vit
from tests.refusals import refusal

CAMS = (
    *("gradcam", "gradcam_plusplus", "xgradcam", "layercam", "hirescam", "eigencam", "scorecam", "ablationcam"),
    *("gradcam_elementwise", "eigengradcam", "kpcacam", "fem", "shapleycam", "finercam"),
)


def core(name):
    return explainer_named(name).__wrapped__


def hand_made(network: nn.Module, module: nn.Module, images: Tensor, target: int, to_map) -> Tensor:
    """Grad-CAM by its equations, on what ``to_map`` makes of the last output of a module and of its gradient."""
    kept = []
    handle = module.register_forward_hook(lambda module, args, output: kept.append(output))
    score = network(images.clone().requires_grad_())[:, target].sum()
    handle.remove()
    activations, gradients = to_map(kept[-1]), to_map(torch.autograd.grad(score, kept[-1])[0])
    return F.relu((gradients.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True)).detach()


def test_channels_last_maps():
    network, images = ChannelsLast().eval(), torch.rand(2, 3, 64, 48)
    assert default_layer(network, images) == "norm"
    expected = hand_made(network, network.norm, images, 1, lambda output: output.permute(0, 3, 1, 2))
    torch.testing.assert_close(core("gradcam")(network, images, 1), expected)
    assert activation_maps(network, images).shape == (2, 16, 16, 12)


def test_swin_by_name():
    network, images = models.swin_t(weights=None).eval(), torch.rand(1, 3, 64, 64)
    expected = hand_made(network, network.features[5], images, 3, lambda output: output.permute(0, 3, 1, 2))
    torch.testing.assert_close(core("gradcam")(network, images, 3, layer="features.5"), expected)


@pytest.mark.parametrize("others, pool, first", [(0, "mean", False), (1, "class", False), (5, "mean", True)])
@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_tokens(others, pool, first, size):
    network, images = Tokens(others, pool, first).eval(), torch.rand(2, 3, *size)
    rows, columns = size[0] // 4, size[1] // 4

    def to_map(output):
        tokens = output.transpose(0, 1) if first else output
        return tokens[:, others:].mT.unflatten(2, (rows, columns))

    expected = hand_made(network, network.blocks[0], images, 2, to_map)
    torch.testing.assert_close(core("gradcam")(network, images, 2, layer="blocks.0"), expected)
    maps = activation_maps(network, images, "blocks.0")
    assert maps.shape == (2, 12, rows, columns)


@pytest.mark.parametrize("name", CAMS)
def test_every_cam_takes_tokens_and_channels_last(name):
    for network, layer in ((Tokens().eval(), "blocks.0"), (ChannelsLast().eval(), "norm")):
        maps = explainer_named(name)(network, torch.rand(2, 3, 32, 32), 1, layer=layer)
        assert maps.shape == (2, 1, 32, 32) and torch.isfinite(maps).all()


def test_tokens_that_the_class_token_alone_reads_are_refused():
    network, images = tiny_vit(), torch.rand(1, 3, 32, 32)
    message = refusal(lambda: core("gradcam")(network, images, 1, layer="encoder.ln"), kind=NetworkError)
    assert "class token" in message and "encoder.layers.encoder_layer_1.ln_1" in message
    assert core("gradcam")(network, images, 1, layer="encoder.layers.encoder_layer_1.ln_1").shape == (1, 1, 4, 4)
    assert default_layer(network, images) == "encoder.layers.encoder_layer_1.ln_1"


def test_a_channel_of_tokens_is_a_feature():
    network, images = tiny_vit(), torch.rand(2, 3, 32, 32)
    layer = "encoder.layers.encoder_layer_1"
    with torch.no_grad(), recorded(network, layer) as recording:
        network(images)
    seen = looker(network, [layer])(images)
    assert torch.allclose(channel(layer, 7).score(seen), recording[layer][:, :, 7].mean(1))
    assert torch.allclose(neuron(layer, 7, 1, 2).score(seen), recording[layer][:, 1 + 4 * 1 + 2, 7])
    with pytest.raises(InterpretError, match="from 0 to 15"):
        channel(layer, 16).score(seen)


def test_attention_is_no_map():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.weights, self.proj = nn.Linear(8, 24), nn.Softmax(-1), nn.Linear(8, 8)

        def forward(self, tokens):
            q, k, v = self.qkv(tokens).unflatten(2, (3, 2, 4)).permute(2, 0, 3, 1, 4)
            return self.proj((self.weights(q @ k.mT) @ v).transpose(1, 2).flatten(2))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.attention, self.head = nn.Conv2d(3, 8, 8, stride=8), Attention(), nn.Linear(8, 3)

        def forward(self, images):
            tokens = self.patch(images).flatten(2).mT
            return self.head((tokens + self.attention(tokens)).mean(1))

    network, images = Transformer().eval(), torch.rand(1, 3, 32, 32)
    for explain in (core("gradcam"), lambda network, images, target, layer: activation_maps(network, images, layer)):
        message = refusal(lambda e=explain: e(network, images, 1, layer="attention.weights"), kind=InterpretError)
        assert "attention.weights" in message and "each head" in message and "gives one" in message
    assert core("gradcam")(network, images, 1, layer="attention").shape == (1, 1, 4, 4)


def test_a_reference_is_not_the_picture():
    network, images = Siamese().eval(), torch.rand(2, 3, 16, 16)
    assert default_layer(network, images[:1]) == "net.3#1"
    maps = core("gradcam")(network, images, 1)
    alone = [core("gradcam")(network, image[None], 1) for image in images]
    torch.testing.assert_close(maps, torch.cat(alone))
    assert not torch.allclose(maps[0], maps[1])
    message = refusal(lambda: core("gradcam")(network, images[:1], 1, layer="net.3"), kind=InterpretError)
    assert "does not depend on the picture" in message and "'net.3#1' gives one" in message


def test_pictures_regrouped_inside():
    message = refusal(lambda: core("gradcam")(Crops().eval(), torch.rand(2, 3, 16, 16), 1), kind=NetworkError)
    assert "no feature map" in message
    message = refusal(
        lambda: core("gradcam")(Crops().eval(), torch.rand(2, 3, 16, 16), 1, layer="relu"), kind=InterpretError
    )
    assert "gives (8, 8, 8, 8)" in message and "one row for each picture" in message


@pytest.mark.parametrize("inplace", [False, True])
def test_activations_called_as_functions(inplace):
    network, images = Functions(inplace).eval(), torch.rand(2, 3, 16, 16)
    assert default_layer(network, images) == "F.relu#2"
    plain = Functions().eval()
    plain.load_state_dict(network.state_dict())
    rectified = nn.Sequential(plain.conv1, nn.ReLU(), nn.MaxPool2d(2), plain.conv2, nn.ReLU())
    features = rectified(images)
    expected = F.relu((network.fc.weight[1].view(1, -1, 1, 1) * features).sum(1, keepdim=True)) / features[0, 0].numel()
    torch.testing.assert_close(core("gradcam")(network, images, 1), expected)
    torch.testing.assert_close(core("cam")(network, images, 1).relu() / features[0, 0].numel(), expected)
    with recorded(network, "F.relu#1", "conv1") as recording, torch.no_grad():
        network(images)
    torch.testing.assert_close(recording["F.relu#1"], recording["conv1"].relu())
    assert core("ablationcam")(network, images, 1).shape == (2, 1, 8, 8)


def test_a_function_that_a_module_calls():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Functions()

        def forward(self, images):
            return self.inner(images)

    network, images = Outer().eval(), torch.rand(1, 3, 16, 16)
    assert default_layer(network, images) == "inner.F.relu#2"
    names = [layer.name for layer in survey(network, images).layers]
    assert names == ["inner.conv1", "inner.F.relu#1", "inner.conv2", "inner.F.relu#2", "inner.fc", "inner"]
    assert set(layouts_of(network, images, ["inner.F.relu", "inner.fc"])) == {"inner.F.relu"}


def test_a_pooling_of_tokens_is_a_head():
    class Pool(nn.Module):
        """Attention of one query, the mean, over the places, as CLIP's residual networks end."""

        def __init__(self):
            super().__init__()
            self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

        def forward(self, maps):
            tokens = maps.flatten(2).mT
            tokens = torch.cat([tokens.mean(1, keepdim=True), tokens], 1)
            q, k, v = self.qkv(tokens).chunk(3, -1)
            return self.proj(F.scaled_dot_product_attention(q, k, v))[:, 0]

    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(), Pool(), nn.Linear(8, 3)).eval()
    assert default_layer(network, torch.rand(1, 3, 64, 64)) == "1"


def test_maps_that_are_silent_still_depend_on_the_picture():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).eval()
    nn.init.constant_(network[0].bias, -100)
    assert default_layer(network, torch.rand(1, 3, 16, 16)) == "1"


def test_a_network_for_one_picture_at_a_time():
    class One(Functions):
        def forward(self, images):
            if len(images) != 1:
                raise ValueError("one picture")
            return super().forward(images)

    model = Classifier(One().eval(), mean=[0] * 3, std=[1] * 3)
    assert explainer_named("gradcam")(model, torch.rand(1, 3, 16, 16), 1).shape == (1, 1, 16, 16)


def test_volumes_are_refused():
    class Volume(nn.Module):
        def __init__(self):
            super().__init__()
            self.flat, self.deep, self.head = nn.Conv2d(3, 4, 3), nn.Conv3d(1, 2, 3, padding=1), nn.Linear(2, 3)

        def forward(self, images):
            return self.head(self.deep(self.flat(images)[:, None]).relu().mean((2, 3, 4)))

    network, images = Volume().eval(), torch.rand(1, 3, 16, 16)
    message = refusal(lambda: core("gradcam")(network, images, 1, layer="deep"), kind=InterpretError)
    assert "gives (1, 2, 4, 14, 14)" in message and "'flat' gives one" in message
