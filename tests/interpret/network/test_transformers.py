"""Maps of transformers without a choice of the layer: tokens read as places, by the layer that the score depends on."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models import VisionTransformer

from interpret import default_layer, gradcam
from interpret.explainers import explainer_named
from interpret.network.layout import layout_of
from interpret.network.survey import survey
from tests.brought import tiny_vit
from tests.transformers import Planted, lively, of_hugging_face, of_timm

pytestmark = pytest.mark.filterwarnings("ignore")

# A network, its default layer, and how many tokens before those of places that layer has.
TIMM = {
    "class token": (lambda: of_timm(), "blocks.2.norm1", 1),
    "registers": (lambda: of_timm(reg_tokens=4), "blocks.2.norm1", 5),
    "mean": (lambda: of_timm(global_pool="avg", fc_norm=False), "norm", 1),
    "attention pooling": (lambda: of_timm(global_pool="map", class_token=False), "norm", 0),
    "distilled": (lambda: of_timm("VisionTransformerDistilled"), "blocks.2.norm1", 2),
    "beit": (lambda: of_timm("Beit"), "blocks.2", 1),
    "eva": (lambda: of_timm("Eva"), "blocks.2", 1),
    "cait": (lambda: of_timm("Cait"), "blocks_token_only.1.norm1", 1),
    "xcit": (lambda: of_timm("Xcit"), "cls_attn_blocks.1.norm1", 1),
}
HUGGING_FACE = {
    "ViT": ("vit.layers.2.layernorm_before", 1),
    "DeiT": ("deit.layers.2.layernorm_before", 2),
    "Beit": ("beit.layers.2", 1),
    "Dinov2": ("dinov2.layernorm", 1),
    "Dinov2WithRegisters": ("dinov2_with_registers.layernorm", 5),
}
CAMS = {"gradcam": "GradCAM", "layercam": "LayerCAM", "xgradcam": "XGradCAM", "hirescam": "HiResCAM"}
MORE = {"gradcam_elementwise": "GradCAMElementWise", "gradcam_plusplus": "GradCAMPlusPlus"}


def unit(maps):
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low)


def check_peer(network, images, layer, before, names=CAMS, tolerance=1e-5):
    """The default maps, which are pytorch-grad-cam's with the reshape that somebody would write for this network."""
    peer = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    assert default_layer(network, images) == layer

    def reshape(output):
        if output.dim() == 4:
            return output.permute(0, 3, 1, 2) if layer != "permute" else output
        side = int((output.shape[1] - before) ** 0.5)
        return output[:, before:].reshape(len(output), side, side, -1).permute(0, 3, 1, 2)

    for ours in names:
        core = explainer_named(ours).__wrapped__
        maps = ((target, core(network, images, target, layer=None).relu()) for target in range(6))
        target, found = next((target, found) for target, found in maps if found.amax((1, 2, 3)).min() > 0)
        found = F.interpolate(found, images.shape[2:], mode="bilinear")[:, 0]
        network.requires_grad_(True)
        with getattr(peer, (CAMS | MORE)[ours])(
            network, [network.get_submodule(layer)], reshape_transform=reshape
        ) as cam:
            theirs = torch.from_numpy(np.asarray(cam(images.clone(), [ClassifierOutputTarget(target)] * len(images))))
        network.requires_grad_(False)
        assert (unit(found) - theirs).abs().max() <= tolerance


class Logits(nn.Module):
    """A network of Hugging Face with bare logits, for a peer that takes no other output."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        return self.inner(images).logits


@pytest.mark.parametrize("kind", TIMM)
def test_timm(kind):
    pytest.importorskip("timm")
    build, layer, before = TIMM[kind]
    check_peer(build(), torch.rand(2, 3, 32, 32), layer, before, ["gradcam", "xgradcam"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", HUGGING_FACE)
def test_hugging_face(kind):
    pytest.importorskip("transformers")
    layer, before = HUGGING_FACE[kind]
    network = of_hugging_face(f"{kind}ForImageClassification", f"{kind}Config")
    images = torch.rand(2, 3, 32, 32)
    assert default_layer(network, images) == layer
    check_peer(Logits(network), images, f"inner.{layer}", before)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Swin", "Swinv2"])
def test_tokens_that_are_merged(kind):
    """Of Hugging Face's Swin only the first of its grids is ever a map; the later ones are halves of it."""
    pytest.importorskip("transformers")
    options = {"patch_size": 4, "embed_dim": 8, "depths": [2, 2, 2], "num_heads": [2, 2, 2], "window_size": 4}
    network = of_hugging_face(f"{kind}ForImageClassification", f"{kind}Config", image_size=64, **options)
    images = torch.rand(1, 3, 64, 64)
    check_peer(Logits(network), images, f"inner.{kind.lower()}.layernorm", 0)


def test_torchvision():
    network = lively(tiny_vit())
    with torch.no_grad():
        network.heads[
            -1
        ].weight *= 1000  # beside such gradients the small number that the peer's Grad-CAM++ adds is none
    names = [*CAMS, "gradcam_elementwise"]
    check_peer(network, torch.rand(2, 3, 32, 32), "encoder.layers.encoder_layer_1.ln_1", 1, names)
    check_peer(network, torch.rand(2, 3, 32, 32), "encoder.layers.encoder_layer_1.ln_1", 1, ["gradcam_plusplus"], 2e-5)


def test_ablation_takes_a_channel_from_the_places_alone():
    """pytorch-grad-cam takes it from the class token too, and the score falls by more than the places give."""
    network, image, layer = lively(tiny_vit()), torch.rand(1, 3, 32, 32), "encoder.layers.encoder_layer_1.ln_1"
    module, given = network.get_submodule(layer), []
    with module.register_forward_hook(lambda _, inputs, output: given.append(output)):
        score = network(image)[0, 1]

    def without(channel):
        def taken(_, inputs, output):
            return torch.cat([output[:, :1], output[:, 1:].index_fill(2, torch.tensor(channel), 0)], 1)

        with module.register_forward_hook(taken):
            return network(image)[0, 1]

    falls = torch.stack([(score - without(channel)) / score.abs() for channel in range(16)])
    expected = (given[0][:, 1:] @ falls).relu().view(1, 1, 4, 4)
    torch.testing.assert_close(explainer_named("ablationcam").__wrapped__(network, image, 1), expected)


@pytest.mark.parametrize("seed", range(3))
def test_random_pictures_of_any_seed_are_none_that_a_network_is_tried_with(seed):
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    assert default_layer(lively(tiny_vit()), images) == "encoder.layers.encoder_layer_1.ln_1"


def real(name, size):
    timm = pytest.importorskip("timm")
    torch.manual_seed(1)
    return timm.create_model(name).eval().requires_grad_(False), torch.rand(1, 3, size, size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, size, layer, before",
    [
        ("deit_tiny_patch16_224", 224, "blocks.11.norm1", 1),
        ("beit_base_patch16_224", 224, "blocks.11", 1),
        ("vit_small_patch14_reg4_dinov2", 518, "blocks.11.norm1", 5),
        ("vit_base_patch16_224", 224, "blocks.11.norm1", 1),
    ],
)
def test_real_ones_of_timm(name, size, layer, before):
    check_peer(*real(name, size), layer, before)


@pytest.mark.slow
def test_real_ones_of_torchvision():
    torch.manual_seed(1)
    network, images = models.vit_b_16().eval().requires_grad_(False), torch.rand(1, 3, 224, 224)
    nn.init.normal_(network.heads.head.weight, std=0.02)
    check_peer(network, images, "encoder.layers.encoder_layer_11.ln_1", 1)
    check_peer(models.swin_t().eval().requires_grad_(False), images, "permute", 0)


def test_a_head_of_zeros_hides_no_layer():
    network = VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=6).eval()
    kept = network.heads.head.weight
    assert not kept.any()
    assert default_layer(network, torch.rand(1, 3, 32, 32)) == "encoder.layers.encoder_layer_1.ln_1"
    assert network.heads.head.weight is kept and not kept.any()
    assert not gradcam(network, torch.rand(1, 3, 32, 32), 1).any()


@pytest.mark.parametrize("registers", [0, 3])
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (3, 1)])
def test_the_planted_patch_is_found(place, registers):
    """Of one red patch among black ones the map is exactly that patch, wherever it lies."""
    network, images = Planted(registers=registers).eval(), torch.zeros(1, 3, 32, 32)
    row, column = (8 * index for index in place)
    images[0, 0, row : row + 8, column : column + 8] = 1
    found = explainer_named("hirescam").__wrapped__(network, images, 1, layer=None)[0, 0]
    share = torch.tensor(2.0).exp() / (torch.tensor(2.0).exp() + 16 + registers)  # 15 black patches, and the others
    expected = torch.zeros(4, 4)
    expected[place] = share + 2 * share * (1 - share)  # what is read, and what reading it more would add
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "tokens, grids, others, grid, before",
    [
        (49, [(56, 56)], (0, 0), (7, 7), 0),
        (50, [(14, 14)], (1, 0), (7, 7), 1),
        (16, [(14, 14)], (0, 0), (4, 4), 0),  # 14, 7, and half of that rounded up
        (17, [(4, 4), (3, 3)], (1, 0), (4, 4), 1),
        (65, [], (1, 0), (8, 8), 1),
        (66, [], (0, 0), None, 0),
        (100, [(14, 14)], (0, 0), None, 0),
    ],
)
def test_grids_that_no_map_has(tokens, grids, others, grid, before):
    found = layout_of((2, tokens, 5), 2, 1.0, grids=grids, others={tokens: others})
    assert isinstance(found, str) if grid is None else (found.grid, found.before) == (grid, before)


def test_patches_cut_without_a_convolution():
    class Unfolded(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.norm, self.head = nn.Linear(192, 12), nn.LayerNorm(12), nn.Linear(12, 3)
            self.block = nn.TransformerEncoderLayer(12, 2, 24, batch_first=True)

        def forward(self, images):
            patches = F.unfold(images, 8, stride=8).mT
            return self.head(self.norm(self.block(self.embed(patches))).mean(1))

    network, images = Unfolded().eval(), torch.rand(1, 3, 32, 48)
    layer = default_layer(network, images)
    assert layer == "norm" and survey(network, images).layer(layer).layout.grid[0] > 1
    assert explainer_named("gradcam").__wrapped__(network, images, 1).shape == (1, 1, 4, 6)
