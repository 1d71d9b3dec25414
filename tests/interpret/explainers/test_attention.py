"""Methods that follow attention, against their equations, torch-cam, and networks whose attention is known."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from interpret import InterpretError, NetworkError
from interpret.explainers import OF_ATTENTION, explainer_named
from interpret.network.tokens.attention import attention_seen
from tests.brought import Tokens, tiny_vit
from tests.refusals import refusal
from tests.tiny import SmallCNN, SmallTransformer
from tests.transformers import Planted, lively, of_hugging_face, of_timm

pytestmark = pytest.mark.filterwarnings("ignore")
each = pytest.mark.parametrize("method", OF_ATTENTION)


def core(method):
    return explainer_named(method).__wrapped__


def run_by_hand(network, images):
    """torchvision's vision transformer, written out: attention and tokens of every block, and the logits."""
    tokens = network._process_input(images)
    tokens = torch.cat([network.class_token.expand(len(images), -1, -1), tokens], 1) + network.encoder.pos_embedding
    kept, after = [], []
    for block in network.encoder.layers:
        own, heads = block.self_attention, block.self_attention.num_heads
        query, key, value = (
            part.unflatten(2, (heads, -1)).transpose(1, 2)
            for part in F.linear(block.ln_1(tokens), own.in_proj_weight, own.in_proj_bias).chunk(3, -1)
        )
        kept.append(((query @ key.mT) / query.shape[-1] ** 0.5).softmax(-1))
        tokens = tokens + own.out_proj((kept[-1] @ value).transpose(1, 2).flatten(2))
        tokens = tokens + block.mlp(block.ln_2(tokens))
        after.append(tokens)
    return kept, after, network.heads(network.encoder.ln(tokens)[:, 0])


def grids(rows):
    return rows[:, None, 1:].unflatten(2, (4, 4)).detach()


def rollout(network, images, target):
    kept, _, _ = run_by_hand(network, images)
    joint = torch.eye(17, dtype=images.dtype)
    for weights in kept:
        joint = (0.5 * weights.mean(1) + 0.5 * torch.eye(17, dtype=images.dtype)) @ joint
    return grids(joint[:, 0])


def generic(network, images, target):
    kept, _, logits = run_by_hand(network, images)
    slopes = torch.autograd.grad(logits[:, target].sum(), kept)
    relevance = torch.eye(17, dtype=images.dtype).repeat(len(images), 1, 1)
    for weights, slope in zip(kept, slopes, strict=True):
        relevance = relevance + (slope * weights).clamp(min=0).mean(1) @ relevance
    return grids(relevance[:, 0])


def by_blocks(network, images, target):
    kept, after, _ = run_by_hand(network, images)
    total = 0
    for weights, tokens in zip(kept, after, strict=True):
        score = network.heads(network.encoder.ln(tokens.mean(1)))[:, target].sum()
        total = total + torch.autograd.grad(score, weights, retain_graph=True)[0].clamp(min=0).mean((1, 2))
    return grids(total / len(kept))


EQUATIONS = {"attention_rollout": rollout, "transformer_attribution": generic, "legrad": by_blocks}


@each
def test_equations(method):
    network = lively(tiny_vit()).double()
    images = torch.rand(2, 3, 32, 32, dtype=torch.float64).requires_grad_()
    expected = EQUATIONS[method](network, images, 3)
    assert expected.std() > 0.05 * expected.mean() > 0
    torch.testing.assert_close(core(method)(network, images.detach(), 3), expected, rtol=1e-9, atol=1e-12)


def check_torchcam(network, images, target):
    peer = pytest.importorskip("torchcam.methods")
    found = core("legrad")(network, images, target)[:, 0]
    with peer.LeGrad(network, list(network.encoder.layers)) as cam:
        (theirs,) = cam(target, network(images.clone().requires_grad_()), normalized=False)
    assert theirs.max() > 0 and (found - theirs).abs().max() <= 1e-5 * theirs.max()


def test_legrad_is_torchcams():
    check_torchcam(lively(tiny_vit()), torch.rand(2, 3, 32, 32), 4)


@pytest.mark.slow
def test_legrad_is_torchcams_on_a_large_network():
    torch.manual_seed(1)
    network = models.vit_b_16().eval()
    nn.init.normal_(network.heads.head.weight, std=0.02)
    check_torchcam(network.requires_grad_(False), torch.rand(1, 3, 224, 224), 7)


@pytest.mark.parametrize("how", ["fused", "plain", "module"])
@pytest.mark.parametrize("registers", [0, 2])
def test_the_planted_patch_is_attended_to(how, registers):
    """The class token takes from a red patch exp(2) times what it takes from any other token."""
    network, images = Planted(how, registers).eval(), torch.zeros(1, 3, 32, 32)
    images[0, 0, 8:16, 16:24] = 1
    rest = 1 / (torch.tensor(2.0).exp() + 16 + registers)
    expected = rest.expand(4, 4).clone()
    expected[1, 2] *= torch.tensor(2.0).exp()
    torch.testing.assert_close(core("attention_rollout")(network, images, 1)[0, 0], expected / 2)
    only = torch.zeros(4, 4)
    only[1, 2] = expected[1, 2]  # times its gradient, which is its value, 1; the others have the value 0
    torch.testing.assert_close(core("transformer_attribution")(network, images, 1)[0, 0], only)


@each
@pytest.mark.parametrize("kind", ["VisionTransformer", "Beit", "Eva"])
def test_how_attention_is_computed_makes_no_difference(method, kind):
    pytest.importorskip("timm")
    network, images = of_timm(kind), torch.rand(2, 3, 32, 32)
    assert all(block.attn.fused_attn for block in network.blocks)
    found = core(method)(network, images, 1)
    assert found.min() >= 0 and found.std() > 0
    for block in network.blocks:
        block.attn.fused_attn = False
    torch.testing.assert_close(found, core(method)(network, images, 1), rtol=1e-4, atol=1e-7)


@pytest.mark.slow
@each
@pytest.mark.parametrize("how", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Beit", "Dinov2", "Dinov2WithRegisters"])
def test_hugging_face(method, kind, how):
    pytest.importorskip("transformers")
    networks = [
        of_hugging_face(f"{kind}ForImageClassification", f"{kind}Config", attn_implementation=way)
        for way in ("sdpa", how)
    ]
    images = torch.rand(2, 3, 32, 32)
    found, same = (core(method)(Logits(network), images, 1) for network in networks)
    assert found.shape == (2, 1, 4, 4) and found.std() > 0
    torch.testing.assert_close(found, same, rtol=1e-4, atol=1e-6)


class Logits(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        return self.inner(images).logits


@each
@pytest.mark.parametrize("others, pool, first", [(0, "mean", False), (1, "class", False), (3, "mean", True)])
def test_tokens_in_every_order(method, others, pool, first):
    network, images = lively(Tokens(others, pool, first)), torch.rand(2, 3, 24, 40)
    found = core(method)(network, images, 1)
    assert found.shape == (2, 1, 6, 10) and found.min() >= 0 and found.std() > 0
    alone = torch.cat([core(method)(network, image[None], 1) for image in images])
    torch.testing.assert_close(found, alone)


def test_shares_add_up():
    network, images = lively(Tokens(0, "mean")), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(core("attention_rollout")(network, images, 1).sum((1, 2, 3)), torch.ones(2))


def test_what_is_seen_is_what_runs():
    network, images = lively(tiny_vit()), torch.rand(2, 3, 32, 32)
    with attention_seen(network, 2) as seen:
        logits = network(images)
    torch.testing.assert_close(logits, network(images))
    assert [found.name for found in seen] == [f"encoder.layers.encoder_layer_{n}.self_attention" for n in (0, 1)]
    assert all(found.weights.shape == (2, 2, 17, 17) for found in seen)
    torch.testing.assert_close(seen[0].weights.sum(-1), torch.ones(2, 2, 17))


@each
def test_networks_that_cannot_be_followed(method):
    pytest.importorskip("timm")
    images = torch.rand(1, 3, 32, 32)
    cases = {
        "SmallCNN has none; use Grad-CAM": SmallCNN().eval(),
        "that are no places": of_timm("Xcit"),
        "among 16 tokens, and 'blocks.2.attn' among 17": of_timm("ConVit", local_up_to_layer=2),
        "by place alone": of_timm("ConVit", local_up_to_layer=3),
    }
    for message, network in cases.items():
        said = refusal(lambda network=network: core(method)(network, images, 1), kind=NetworkError)
        assert message in said and "; use Grad-CAM" in said and "\n" not in said


@each
def test_windows_are_refused(method):
    network = models.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5).eval()
    message = refusal(lambda: core(method)(network, torch.rand(1, 3, 64, 64), 1), kind=NetworkError)
    assert "within windows" in message and "features.1.0.attn" in message


def test_legrad_needs_blocks():
    message = refusal(lambda: core("legrad")(Planted().eval(), torch.rand(1, 3, 32, 32), 1), kind=InterpretError)
    assert "in no block of its own" in message


@each
def test_a_graph_is_kept_where_the_inputs_have_one(method):
    network, images = lively(SmallTransformer()), torch.rand(1, 3, 16, 16).requires_grad_()
    (slope,) = torch.autograd.grad(core(method)(network, images, 1).square().sum(), images)
    assert slope.abs().max() > 0
