"""DeepLIFT and LRP: what adds up, call by call, and closed forms."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import SwinTransformer

from interpret import InterpretError, NetworkError, deeplift, lrp
from interpret.network.backward_rules import (
    COMPOSITES,
    OPENING_ATTENTION,
    composite_named,
    difference_gradient,
    relevance_of,
)
from tests.brought import tiny_vit
from tests.tiny import SmallTransformer
from tests.transformers import lively

torch.manual_seed(0)
W = torch.randn(6, 6, dtype=torch.float64)
POSITIVE = torch.rand(6, dtype=torch.float64) + 0.5
WIDE = torch.randn(4, 3, 3, 3, dtype=torch.float64)

# Functions of x (2, 3, 6, 6), in float64; what they give is weighed at random and added up.
CALLS = """
x.relu(); F.relu6(4 * x); F.leaky_relu(x, 0.1); F.elu(x); F.selu(x); F.celu(x, 0.5); F.silu(x); F.gelu(x); F.mish(x)
F.hardswish(3 * x); F.softplus(x); F.hardtanh(2 * x); F.threshold(x, 0.2, 0.1); x.clamp(-0.5, 0.7); x.clamp_min(0.1)
F.prelu(x, POSITIVE[:3]); torch.sigmoid(x); x.tanh(); F.hardsigmoid(x); F.softsign(x); F.logsigmoid(x)
F.tanhshrink(x); x.abs(); x.pow(2); x**3; x.square(); (x.abs() + 0.5).sqrt(); x.exp(); x.expm1(); x.sin()
torch.erf(x); 2**x; x.relu_(); F.relu(x * 1, inplace=True); F.silu(x * 1, inplace=True); F.hardshrink(x)
x.log1p() if x.min() > -1 else x.relu(); x + 1; 1 - x; x * 2; -x; x / 3; x.mean(1); x.sum((2, 3)); x + x.relu()
x - x.tanh(); torch.cat([x, x.relu()], 1); x.double().flatten(1); x[:, 1:]; x.transpose(1, 2); x.roll(1, 2); x.flip(3)
torch.stack([x, x.exp()]); x.chunk(3, 1)[1]; x.permute(0, 2, 3, 1).reshape(2, -1)
torch.cat([x, torch.ones_like(x)], 1); F.pad(x, (1, 2)); F.pad(x, (1, 1), value=2.0); torch.where(x > 0, x, 0.3)
x.masked_fill(x > 0.5, 0.7); F.dropout(x, 0.5, False); F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2); F.avg_pool2d(x, 2)
F.adaptive_avg_pool2d(x, 4); F.interpolate(x, scale_factor=2, mode='bilinear'); F.interpolate(x, 9); F.conv2d(x, WIDE)
F.conv2d(x, WIDE[:3, :1], groups=3); F.conv_transpose2d(x, WIDE[:3], stride=2); F.linear(x, W, POSITIVE)
F.conv1d(x[:, 0], WIDE[:, :1, 0].repeat(1, 6, 1), padding=1); x @ W; W @ x; torch.einsum('nchw,wv->nchv', x, W); x * x
x * x.sigmoid(); x * x.relu(); x.mul(x.tanh()); x @ x.transpose(2, 3); torch.einsum('nchw,nchv->ncwv', x, x.relu())
(x * 1).mul_(x.mean((2, 3), keepdim=True).sigmoid()); x / (1 + x.abs())
x / x.square().mean(1, keepdim=True).add(1).sqrt(); x * torch.rsqrt(x.square().mean() + 1); F.normalize(x)
F.glu(x, 3); x * (x > 0); (x * 1).div_(2 + x * x); F.max_pool2d(x, 2); F.max_pool2d(x, 3, 2)
F.max_pool2d(x.relu(), 3, 1, 1); F.max_pool2d(x, 2, return_indices=True)[0]; F.adaptive_max_pool2d(x, 2)
F.max_pool1d(x[:, 0], 3, 2); torch.max_pool2d(x, 3, 2); x.amax((2, 3)); x.max(1)[0]; x.min(2).values; x.amin(1)
x.max(); torch.maximum(x, x.flip(3)); torch.max(x, torch.zeros_like(x)); torch.minimum(x, 2 * x); F.lp_pool2d(x, 2, 2)
F.layer_norm(x, (6,)); F.layer_norm(x, (3, 6, 6), x.new_ones(3, 6, 6), x.new_ones(3, 6, 6)); F.group_norm(x, 3)
F.instance_norm(x); F.batch_norm(x, None, None, training=True); F.rms_norm(x, (6,)); F.local_response_norm(x, 2)
F.batch_norm(x, POSITIVE[:3], POSITIVE[:3], POSITIVE[:3], POSITIVE[:3]); x.var(1); x.std((2, 3)); x.norm(dim=1)
x.softmax(1); F.softmax(x, -1); F.log_softmax(x, 1); x.logsumexp(1); x.softmax(1) @ x; F.softmin(x, 1)
F.scaled_dot_product_attention(x, x.relu(), x.tanh()); F.scaled_dot_product_attention(x, x, x, is_causal=True)
F.scaled_dot_product_attention(x.repeat(1, 2, 1, 1), x, x.tanh(), enable_gqa=True)
torch.ops.aten.relu(x); torch.addmm(POSITIVE, x[:, 0, 0], W); torch.baddbmm(x[:, 0], x[:, 1], x[:, 2]); x.mT @ x
x * (1 / (1 + (-x).exp())); x.exp() / x.exp().sum(1, keepdim=True) * x; x + (x.round() - x).detach()
"""
CALLS = [call.strip() for line in CALLS.strip().splitlines() for call in line.split(";")]
SETTINGS = {"W": W, "POSITIVE": POSITIVE, "WIDE": WIDE, "F": F, "torch": torch}


def score_by(call):
    """(N,) scores by a call, whose result does not take the batch apart in any of the cases."""
    code = compile(call, call, "eval")

    def score(inputs):
        result = eval(code, SETTINGS, {"x": inputs * 1})
        weighed = result * torch.randn(result.shape, generator=torch.Generator().manual_seed(3)).to(result)
        return weighed.sum()[None]

    return score


def pictures(seed=1):
    return torch.randn(2, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("call", CALLS)
def test_differences_add_up(call):
    score, x, x0 = score_by(call), pictures(1), pictures(2)
    x[0, 0, 0], x0[0, 0, 1], x0[1] = x0[0, 0, 0], 0, 0  # units that do not change, that are 0, and a black picture
    found = ((x - x0) * difference_gradient(score, x, x0, None)).sum()
    torch.testing.assert_close(found, (score(x) - score(x0))[0], rtol=1e-7, atol=1e-7)


LAYERS = {
    "bends": lambda x: F.elu(F.conv2d(x, WIDE, POSITIVE[:4]) - 0.1).flatten(1),
    "two": lambda x: F.relu(F.conv2d(F.relu(F.conv2d(x, WIDE, padding=1)), WIDE[:, :1].repeat(1, 4, 1, 1))),
    "in place": lambda x: F.silu(F.linear(x, W, POSITIVE), inplace=True),
    "batch norm": lambda x: F.batch_norm(F.conv2d(x, WIDE), POSITIVE[:4], POSITIVE[:4], W[0, :4], W[1, :4]).relu_(),
    "transposed": lambda x: F.gelu(F.conv_transpose2d(x, WIDE[:3], stride=2)),
    "residual": lambda x: F.relu(F.conv2d(x, WIDE[:3], padding=1) + x),
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_reveal_cancel_adds_up(layers):
    def score(inputs):
        return layers(inputs * 1).flatten(1).square().sum(1)

    x, x0 = pictures(1), pictures(2)
    x[0, 0, 0] = x0[0, 0, 0]
    found = (x - x0) * difference_gradient(score, x, x0, None, reveal_cancel=True)
    torch.testing.assert_close(found.sum((1, 2, 3)), score(x) - score(x0), rtol=1e-7, atol=1e-7)


def test_reveal_cancel_shares_a_minimum():
    """min(x1, x2) = x1 - relu(x1 - x2): the rescale rule gives everything to one of them (section 3.5.3)."""

    def smaller(x):
        return x[:, :1] - F.relu(F.linear(x, torch.tensor([[1.0, -1]])))

    x = torch.tensor([[2.0, 1]])
    assert deeplift(Calls(smaller), x, 0).tolist() == [[0, 1]]
    assert deeplift(Calls(smaller), x, 0, rule="reveal-cancel").tolist() == [[0.5, 0.5]]


def test_baselines_are_averaged():
    network = Calls(lambda x: F.elu(x.flatten(1) @ torch.ones(48, 2)))
    x = torch.rand(2, 3, 4, 4)
    several = deeplift(network, x, 0, baseline=["black", 0.7, torch.full_like(x, 0.2)])
    alone = [deeplift(network, x, 0, baseline=baseline) for baseline in ("black", 0.7, 0.2)]
    torch.testing.assert_close(several, sum(alone) / 3)
    torch.testing.assert_close(several, deeplift(network, x, 0, baseline="black, .7,.2"))


@pytest.mark.parametrize("composite", ["epsilon", "epsilon-plus-flat"])
@pytest.mark.parametrize("call", CALLS)
def test_relevance_is_conserved(call, composite):
    conserved(call, composite)


@pytest.mark.parametrize("call", [call for call in CALLS if "attention" in call or "softm" in call])
def test_relevance_is_conserved_where_attention_opens(call):
    conserved(call, "attnlrp")


def conserved(call, composite):
    score, opens = score_by(call), composite in OPENING_ATTENTION
    found = relevance_of(score, pictures(), None, composite_named(composite), opens_attention=opens)
    rest = found.relevance.sum() + found.biases + found.epsilon
    torch.testing.assert_close(rest, found.scores[0], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("call", CALLS)
def test_the_forward_pass_is_as_it_is(call):
    score, x, seen = score_by(call), pictures(), []
    relevance_of(lambda given: seen.append(score(given)) or seen[0], x, None, composite_named("epsilon-plus"))
    torch.testing.assert_close(seen[0].detach(), score(x), rtol=1e-12, atol=1e-12)


class Calls(nn.Module):
    """A network of one function."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, inputs):
        return self.call(inputs).flatten(1)


class Doubled(torch.autograd.Function):
    """A function whose inside nobody sees."""

    @staticmethod
    def forward(ctx, values):
        return 2 * values

    @staticmethod
    def backward(ctx, above):
        return 2 * above


REFUSED = {
    "sort": (lambda x: x.sort(1)[0], "'sort'"),
    "cumprod": (lambda x: x.cumprod(1), "'cumprod'"),
    "fft": (lambda x: torch.fft.rfft2(x).abs(), "'fft_rfft2'"),
    "a power of two results": (lambda x: x.abs() ** x.relu(), "'pow'"),
    "three results": (lambda x: torch.einsum("nchw,nchw,nchw->nc", x, x.relu(), x.tanh()), "'einsum'"),
    "custom": (lambda x: Doubled.apply(x), "cannot see into Doubled"),
}


@pytest.mark.parametrize("explain", [deeplift, lrp])
@pytest.mark.parametrize(("call", "named"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_rule_is_named(explain, call, named):
    with pytest.raises(NetworkError, match=named):
        explain(Calls(call), torch.rand(2, 3, 4, 4), 0)


def test_what_lrp_alone_cannot_pass():
    with pytest.raises(NetworkError, match="'reciprocal' through which the score passes"):
        lrp(Calls(lambda x: 1 / (1 + x)), torch.rand(1, 3, 4, 4), 0)


def test_what_deeplift_alone_cannot_compare():
    with pytest.raises(NetworkError, match="other calls for the one"):
        deeplift(Calls(lambda x: x.relu() if x.sum() > 0 else x.tanh()), torch.ones(1, 3, 4, 4), 0)
    with pytest.raises(NetworkError, match="'gather' by what follows"):
        deeplift(Calls(lambda x: x.gather(3, x.argsort(3))), torch.rand(1, 3, 4, 4), 0)


def test_torchscript_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of PyTorch say that it is no longer developed
        network = nn.Sequential(nn.Flatten(), torch.jit.trace(nn.ReLU(), torch.zeros(1, 48)))
    for explain in (deeplift, lrp):
        with pytest.raises(NetworkError, match="TorchScript"):
            explain(network, torch.rand(1, 3, 4, 4), 0)


def with_ones(*layers):
    """A network, whose last layer adds everything up."""
    network = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(2, bias=False))
    network(torch.zeros(1, 1, 2, 2))
    nn.init.ones_(network[-1].weight)
    return network.double()


def grid(*values):
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 2, 2)


MAXIMA = {  # picture, baseline, answer: the rise belongs to what is largest now, a fall to what was the largest
    "another place wins": ([2, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]),
    "a fall": ([0, 0, 1, 0], [2, 1, 0, 0], [-1, 0, 0, 0]),
    "the same place": ([3, 1, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]),
    "a tie": ([2, 2, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]),
    "a tie before": ([0, 0, 3, 0], [1, 1, 0, 0], [0, 0, 2, 0]),
    "no change": ([0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]),
}


@pytest.mark.parametrize(
    "layers", [(nn.ReLU(), nn.MaxPool2d(2)), (nn.ReLU(True), nn.Dropout(), nn.AdaptiveMaxPool2d(1))]
)
@pytest.mark.parametrize(("picture", "baseline", "answer"), MAXIMA.values(), ids=MAXIMA)
def test_the_maximum(layers, picture, baseline, answer):
    found = deeplift(with_ones(*layers).eval(), grid(*picture), 0, baseline=grid(*baseline))
    assert found.flatten().tolist() == answer


def test_a_constant_factor_conserves():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2, bias=False))
    scaled = Calls(lambda x: 3 * network(2 * x))
    x = torch.rand(1, 3, 4, 4)
    for composite in COMPOSITES:
        found = lrp(scaled, x, 0, composite=composite)
        torch.testing.assert_close(found.sum(), scaled(x)[0, 0], rtol=1e-4, atol=1e-5)


def test_a_gate_takes_nothing():
    weights = torch.tensor([[1.0, 2.0]])

    def gated(x):
        return (weights * x) * torch.sigmoid(5 * x.flip(1))

    x = torch.tensor([[3.0, -1.0]])
    for composite in ("epsilon", "epsilon-plus-flat"):
        found = lrp(Calls(gated), x, 0, composite=composite)
        torch.testing.assert_close(found, torch.stack([gated(x)[:, 0], torch.zeros(1)], 1))
    # Both operands share what their product rises by: halfway between the picture and the baseline.
    found = deeplift(Calls(gated), x, 0)
    before, after = torch.tensor(0.5), torch.sigmoid(torch.tensor(-5.0))
    torch.testing.assert_close(found, torch.stack([3 * (before + after) / 2, 1.5 * (after - before)])[None])


def opened(call, x):
    return relevance_of(lambda x: call(x * 1), x, None, composite_named("attnlrp"), opens_attention=True)


def test_softmax_by_its_tangent():
    """R_i = x_i (R_i - s_i sum R), the rest stays (Achtibat et al. 2024, proposition 3.1)."""
    x, weights = torch.randn(2, 5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    found = opened(lambda x: (x.softmax(1) * weights).sum(1), x)
    shares = x.softmax(1)
    above = shares * weights
    expected = x * (above - shares * above.sum(1, keepdim=True))
    torch.testing.assert_close(found.relevance, expected)
    assert found.biases == pytest.approx(float((above - expected).sum()))


def test_a_product_of_matrices_gives_half_to_each():
    """Attention by hand: half of the relevance to the values, half to the weights (proposition 3.3)."""
    x, out = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    scores, shares = x @ x.mT, (x @ x.mT).softmax(-1)
    above = (shares @ x) * out  # relevance of the output, of which each product A V takes its share
    products = shares[..., None] * x[:, None] * out  # (N, T, S, K)
    torch.testing.assert_close(products.sum(2), above)
    to_values, to_shares = products.sum(1) / 2, products.sum(3) / 2
    to_scores = scores * (to_shares - shares * to_shares.sum(-1, keepdim=True))
    parts = x[:, :, None] * x[:, None] / scores[..., None] * to_scores[..., None] / 2
    expected = to_values + parts.sum(2) + parts.sum(1)
    found = opened(lambda x: ((x @ x.mT).softmax(-1) @ x * out).sum((1, 2)), x)
    torch.testing.assert_close(found.relevance, expected)


def test_the_scale_of_a_norm_passes_relevance_as_it_is():
    x = torch.randn(2, 6, dtype=torch.float64)
    found = opened(lambda x: F.layer_norm(x, (6,)).square().sum(1), x)
    values = F.layer_norm(x, (6,))
    scale = (values[:, :1] - values[:, 1:2]) / (x[:, :1] - x[:, 1:2])
    inside = values**2 / (x - x.mean(1, keepdim=True)) / scale  # for each unit of the centred input
    expected = x * scale * (inside - inside.mean(1, keepdim=True))
    torch.testing.assert_close(found.relevance, expected)


ATTENDING = {
    "class token": lambda: tiny_vit(),
    "windows": lambda: SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5),
    "functions": lambda: SmallTransformer(),
}


@pytest.mark.parametrize("composite", ["epsilon-plus-flat", "attnlrp"])
@pytest.mark.parametrize("build", ATTENDING.values(), ids=ATTENDING)
def test_relevance_is_conserved_through_transformers(build, composite):
    network, opens = lively(build()).double(), composite in OPENING_ATTENTION
    x = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    rules = composite_named(composite)
    found = relevance_of(lambda x: network(x)[:, 1], x, network, rules, opens_attention=opens)
    assert found.relevance.abs().sum() > 0
    rest = found.relevance.sum() + found.biases + found.epsilon
    torch.testing.assert_close(rest, found.scores.sum(), rtol=1e-12, atol=1e-12)


def test_attnlrp_differs_from_the_other_rules():
    network, x = lively(tiny_vit()), torch.rand(1, 3, 32, 32)
    assert not torch.allclose(lrp(network, x, 1, composite="attnlrp"), lrp(network, x, 1, composite="epsilon"))


def test_the_rules_of_one_layer():
    """x = (1, -2, 0), w = (3, 1, -1), bias 2: z = 3, of which 3 + 2 are positive and -2 negative."""
    layer = nn.Linear(3, 1).double()
    layer.weight.data, layer.bias.data = torch.tensor([[3.0, 1, -1]]).double(), torch.tensor([2.0]).double()
    x = torch.tensor([[1.0, -2, 0]], dtype=torch.float64)
    answers = {
        "epsilon": ([3, -2, 0], 2),
        "flat": ([1, 1, 1], 0),
        "w-square": ([27 / 11, 3 / 11, 3 / 11], 0),
        "z+": ([9 / 5, 0, 0], 6 / 5),
        "alpha-beta": ([2 * 9 / 5, -3, 0], 2 * 6 / 5),
        "gamma": ([3 * 3.75 / 4.25, -3 * 2 / 4.25, 0], 3 * 2.5 / 4.25),
        # The least and the largest are -2 and 1: z = 3 - 2 + 2 * 4 + 1 = 10.
        "z-box": ([3 * (3 + 6) / 10, 3 * (-2 + 2) / 10, 3 * 1 / 10], 0),
    }
    for rule, (answer, kept) in answers.items():
        rules = composite_of(rule)
        found = relevance_of(lambda inputs: layer(inputs)[:, 0], x, layer, rules, epsilon=0.0)
        torch.testing.assert_close(found.relevance, torch.tensor([answer], dtype=torch.float64), msg=rule)
        assert found.biases == pytest.approx(kept, abs=1e-9), rule


def composite_of(rule):
    """A rule for every layer, out of a composite that has it."""
    found = next((name, layer) for name, rules in COMPOSITES.items() for layer in rules if rules[layer] == rule)
    chosen = composite_named(found[0])[found[1]]
    return dict.fromkeys(("first", "convolution", "linear"), chosen)


def test_black_pixels_get_relevance_by_the_rules_of_pixels():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    x = torch.zeros(1, 3, 4, 4)
    assert lrp(network, x, 0, composite="epsilon-plus").abs().max() == 0
    assert lrp(network, x, 0, composite="epsilon-plus-flat").abs().min() > 0


@pytest.mark.parametrize("composite", [name for name, rules in COMPOSITES.items() if "first" in rules])
def test_padding_gets_no_relevance(composite):
    torch.manual_seed(0)
    layer, head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(64, 2, bias=False)
    padded = Calls(lambda x: head(F.relu(F.conv2d(F.pad(x - 0.3, (1, 1, 1, 1)), layer.weight, layer.bias)).flatten(1)))
    x = torch.rand(1, 3, 4, 4)
    inside = Calls(lambda x: head(F.relu(layer(x - 0.3)).flatten(1)))
    torch.testing.assert_close(*(lrp(network, x, 0, composite=composite) for network in (padded, inside)))


def test_options_of_lrp_are_checked():
    network, x = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), torch.rand(1, 3, 4, 4)
    with pytest.raises(InterpretError, match="did you mean 'epsilon-plus'"):
        lrp(network, x, 0, composite="epsilon-pluss")
    for option in ("epsilon", "gamma"):
        with pytest.raises(InterpretError, match=f"{option} is .*, not -1"):
            lrp(network, x, 0, **{option: -1})
