"""Backward rules: each spelling of each activation against the rule written out by hand."""

import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from interpret import NetworkError, deconvnet, guided_backprop
from interpret.explainers import explainer_named
from interpret.network.backward_rules import redirected, ruled_gradient

ops = torch.ops.aten

# Inputs with every kink that the rules know, each met by gradients of both signs and by zero. Hardswish's
# kink at 3 is left out: which of its two slopes holds there is PyTorch's choice.
Z = torch.tensor([-7, -6, -3.5, -2, -1.5, -1.2, -1, -0.75, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 2.5, 4, 5.9, 6, 6.1, 8])
Z, R = (grid.flatten() for grid in torch.meshgrid(Z, torch.tensor([-2.0, -0.3, 0, 0.7, 3]), indexing="ij"))


def above_zero(z):
    return (z > 0).to(z)


def band(low, high):
    return lambda z: ((z > low) & (z < high)).to(z)


def selu(z):
    return 1.0507009873554805 * above_zero(z)


def silu(z):
    return z.sigmoid() * (1 + z * (1 - z.sigmoid()))


def gelu(z):
    return 0.5 * (1 + torch.erf(z / math.sqrt(2))) + z * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def gelu_tanh(z):
    c = math.sqrt(2 / math.pi)
    t = torch.tanh(c * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * c * (1 + 3 * 0.044715 * z**2)


def hardswish(z):
    return torch.where(z.abs() < 3, (2 * z + 3) / 6, (z > 0).to(z))


def mish(z):
    t = torch.tanh(torch.log1p(torch.exp(z)))
    return t + z * (1 - t**2) * z.sigmoid()


def twice_as_steep(z):
    return (2 * z).sigmoid()


# The name under which calls are counted, the factor of max(R, 0) in the guided rule before it is cut at
# zero, and the spellings: those that return something new, then those that work in place.
RULES = [
    (
        "relu",
        above_zero,
        "nn.ReLU()(z); F.relu(z); F.relu(input=z); torch.relu(z); torch.relu(input=z); z.relu(); "
        "ops.relu(z); ops.relu.default(z); torch.nn.functional.relu(z, False)",
        "nn.ReLU(inplace=True)(z); F.relu(z, inplace=True); F.relu(z, True); F.relu_(z); torch.relu_(z); z.relu_(); "
        "ops.relu_(z); ops.relu_.default(z)",
    ),
    (
        "clamp",
        above_zero,
        "z.clamp(min=0); z.clamp(0); z.clamp(min=0.0, max=None); torch.clamp(z, 0); torch.clamp(z, min=0); "
        "torch.clamp(input=z, min=0); z.clamp(min=torch.tensor(0)); z.clamp(torch.zeros_like(z)); ops.clamp(z, 0); "
        "ops.clamp.default(z, 0)",
        "z.clamp_(min=0); z.clamp_(0); torch.clamp_(z, min=0); ops.clamp_(z, 0); z.clamp_(torch.zeros_like(z))",
    ),
    ("clip", above_zero, "z.clip(min=0); z.clip(0); torch.clip(z, 0)", "z.clip_(min=0); torch.clip_(z, 0)"),
    (
        "clamp_min",
        above_zero,
        "z.clamp_min(0); torch.clamp_min(z, 0); z.clamp_min(min=0); ops.clamp_min(z, 0)",
        "z.clamp_min_(0); torch.clamp_min_(z, 0)",
    ),
    (
        "maximum",
        above_zero,
        "torch.maximum(z, torch.zeros_like(z)); torch.maximum(z, torch.tensor(0)); z.maximum(torch.zeros(())); "
        "torch.maximum(torch.zeros(()), z); torch.zeros_like(z).maximum(z); torch.maximum(z, other=z.new_zeros(1))",
        "",
    ),
    ("max", above_zero, "torch.max(z, torch.zeros_like(z)); z.max(z.new_zeros(1)); torch.max(z.new_zeros(1), z)", ""),
    (
        "threshold",
        above_zero,
        "nn.Threshold(0, 0)(z); F.threshold(z, 0, 0); F.threshold(z, threshold=0, value=0.0); torch.threshold(z, 0, 0)",
        "nn.Threshold(0, 0, inplace=True)(z); F.threshold(z, 0, 0, True); F.threshold_(z, 0, 0); "
        "torch.threshold_(z, 0, 0)",
    ),
    (
        "relu6",
        band(0, 6),
        "F.relu6(z); ops.relu6(z)",
        "F.relu6(z, inplace=True); ops.relu6_(z)",
    ),
    (
        "hardtanh",
        band(0, 6),
        "nn.ReLU6()(z); nn.Hardtanh(0, 6)(z); F.hardtanh(z, 0, 6); F.hardtanh(z, min_val=0.0, max_val=6.0); "
        "ops.hardtanh(z, 0, 6)",
        "nn.ReLU6(inplace=True)(z); nn.Hardtanh(0, 6, inplace=True)(z); F.hardtanh(z, 0, 6, True); "
        "F.hardtanh_(z, 0, 6); ops.hardtanh_(z, 0, 6)",
    ),
    ("hardtanh", band(-1, 1), "nn.Hardtanh()(z); F.hardtanh(z); ops.hardtanh(z)", "F.hardtanh_(z); ops.hardtanh_(z)"),
    (
        "clamp",
        band(0, 6),
        "z.clamp(0, 6); z.clamp(max=6, min=0); torch.clamp(z, 0, 6); torch.clamp(z, 0, max=6); "
        "z.clamp(torch.tensor(0), torch.tensor(6))",
        "z.clamp_(0, 6); torch.clamp_(z, 0, 6)",
    ),
    ("clip", band(0, 6), "z.clip(0, 6); torch.clip(z, 0, 6)", "z.clip_(0, 6)"),
    (
        "leaky_relu",
        above_zero,
        "nn.LeakyReLU(0.1)(z); F.leaky_relu(z); F.leaky_relu(z, 0.2); ops.leaky_relu(z, 0.2)",
        "nn.LeakyReLU(0.1, inplace=True)(z); F.leaky_relu(z, 0.2, True); F.leaky_relu_(z); ops.leaky_relu_(z)",
    ),
    (
        "prelu",
        above_zero,
        "nn.PReLU().to(z)(z); F.prelu(z, z.new_full((1,), 0.3)); torch.prelu(z, z.new_full((1,), -0.3)); "
        "z.prelu(z.new_ones(1)); ops.prelu(z, z.new_zeros(1))",
        "",
    ),
    (
        "elu",
        above_zero,
        "nn.ELU()(z); nn.ELU(0.5)(z); F.elu(z); F.elu(z, alpha=2.0); ops.elu(z)",
        "nn.ELU(inplace=True)(z); F.elu(z, 1.0, True); F.elu_(z); ops.elu_(z)",
    ),
    (
        "selu",
        selu,
        "nn.SELU()(z); F.selu(z); torch.selu(z); ops.selu(z)",
        "nn.SELU(inplace=True)(z); F.selu(z, True); F.selu_(z); torch.selu_(z); ops.selu_(z)",
    ),
    (
        "celu",
        above_zero,
        "nn.CELU()(z); nn.CELU(0.5)(z); F.celu(z); torch.celu(z); ops.celu(z)",
        "nn.CELU(inplace=True)(z); F.celu(z, inplace=True); F.celu_(z); torch.celu_(z); ops.celu_(z)",
    ),
    (
        "rrelu",
        above_zero,
        "nn.RReLU().eval()(z); F.rrelu(z); torch.rrelu(z); ops.rrelu(z)",
        "nn.RReLU(inplace=True).eval()(z); F.rrelu(z, inplace=True); F.rrelu_(z); torch.rrelu_(z)",
    ),
    (
        "silu",
        silu,
        "nn.SiLU()(z); F.silu(z); ops.silu(z)",
        "nn.SiLU(inplace=True)(z); F.silu(z, True); F.silu(z, inplace=True); ops.silu_(z)",
    ),
    ("gelu", gelu, "nn.GELU()(z); F.gelu(z); F.gelu(z, approximate='none'); ops.gelu(z)", "ops.gelu_(z)"),
    (
        "gelu",
        gelu_tanh,
        "nn.GELU(approximate='tanh')(z); F.gelu(z, approximate='tanh'); ops.gelu(z, approximate='tanh')",
        "ops.gelu_(z, approximate='tanh')",
    ),
    (
        "hardswish",
        hardswish,
        "nn.Hardswish()(z); F.hardswish(z); ops.hardswish(z)",
        "nn.Hardswish(inplace=True)(z); F.hardswish(z, True); ops.hardswish_(z)",
    ),
    ("mish", mish, "nn.Mish()(z); F.mish(z); ops.mish(z)", "nn.Mish(inplace=True)(z); F.mish(z, True); ops.mish_(z)"),
    ("softplus", torch.sigmoid, "nn.Softplus()(z); F.softplus(z); ops.softplus(z)", ""),
    ("softplus", twice_as_steep, "nn.Softplus(beta=2)(z); F.softplus(z, 2); F.softplus(z, beta=2)", ""),
]


def calls():
    """Each spelling as a test case: name, factor, function and whether it works in place."""
    for name, factor, new, in_place in RULES:
        for spellings, writes in ((new, False), (in_place, True)):
            for spelling in filter(None, spellings.split("; ")):
                call = eval(f"lambda z: {spelling}", globals())
                yield pytest.param(name, factor, call, writes, id=spelling)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize(("name", "factor", "call", "in_place"), list(calls()))
def test_every_spelling(name, factor, call, in_place, rule, dtype):
    z, above, outputs = Z.to(dtype), R.to(dtype), []

    def score(inputs):
        hidden = inputs * 1  # a leaf cannot be written to
        returned = call(hidden)
        assert (returned is hidden) == in_place
        # Who calls an activation in place may not look at what it returns.
        outputs.append(hidden if in_place else returned)
        return (outputs[0] * above).sum()[None]

    explained, replaced = ruled_gradient(score, z.clone().requires_grad_(), rule, None)
    expected = above.clamp(min=0) * (factor(z).clamp(min=0) if rule == "guided" else 1)
    assert torch.equal(outputs[0], call(z.clone())), "the forward pass changed"
    assert explained.dtype == dtype
    # float32 is as exact as PyTorch's own derivative of tanh and erf.
    tolerance = 1e-12 if dtype == torch.float64 else 2e-6
    torch.testing.assert_close(explained, expected, rtol=tolerance, atol=tolerance)
    assert replaced == Counter({name: 1})


GATES = {
    "sigmoid": (torch.sigmoid, lambda z: z.sigmoid() * (1 - z.sigmoid())),
    "tanh": (torch.tanh, lambda z: 1 - z.tanh() ** 2),
    "hardsigmoid": (F.hardsigmoid, lambda z: (z.abs() < 3).to(z) / 6),
}


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize(("gate", "slope"), GATES.values(), ids=GATES)
def test_gates_are_left_alone(gate, slope, rule):
    z, above = Z.double().requires_grad_(), R.double()
    explained, replaced = ruled_gradient(lambda z: (torch.relu(gate(z)) * above).sum()[None], z, rule, None)
    open_ = (gate(z) > 0) if rule == "guided" else 1
    torch.testing.assert_close(explained, (slope(z) * open_ * above.clamp(min=0)).detach())
    assert replaced == Counter(relu=1)


NO_ACTIVATIONS = {
    "another floor": lambda z: z.clamp(min=1e-6),
    "a ceiling": lambda z: z.clamp(max=0),
    "no limit": lambda z: z.clamp(min=-1, max=1),
    "a learnt floor": lambda z: torch.maximum(z, torch.zeros(5, requires_grad=True)),
    "another maximum": lambda z: torch.maximum(z, torch.tensor([0.0, 0, 0, 0, 1])),
    "the largest": lambda z: z.max()[None],
    "the largest along 0": lambda z: torch.max(z, 0)[0],
    "the largest along a dimension by name": lambda z: z.max(dim=1)[0],
    "another threshold": lambda z: F.threshold(z, 0.1, 0),
    "another value": lambda z: F.threshold(z, 0, -1),
}


@pytest.mark.parametrize("call", NO_ACTIVATIONS.values(), ids=NO_ACTIVATIONS)
def test_what_is_no_activation_is_left_alone(call):
    z = torch.randn(4, 5)
    with pytest.raises(NetworkError, match="found no activation"):
        ruled_gradient(lambda z: call(z).sum()[None], z.clone().requires_grad_(), "guided", None)
    explained, replaced = ruled_gradient(
        lambda z: torch.relu(call(z)).sum()[None], z.clone().requires_grad_(), "guided", None
    )
    plain = z.clone().requires_grad_()
    torch.relu(call(plain)).sum().backward()
    assert torch.equal(explained, plain.grad)
    assert replaced == Counter(relu=1)


def test_a_part_of_a_tensor_in_place():
    """An in-place call on a view changes the tensor it is a view of, and its gradient."""

    def score(z):
        hidden = z * 1
        hidden[:2].relu_()
        return (hidden * torch.tensor([1.0, 1, 1, 1])).sum()[None]

    for rule, expected in (("guided", [0.0, 1, 1, 1]), ("deconvnet", [1.0, 1, 1, 1])):
        explained, _ = ruled_gradient(score, torch.tensor([-1.0, 2, -3, 4]).requires_grad_(), rule, None)
        assert explained.tolist() == expected


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
def test_a_module_used_twice(rule, in_place):
    act = nn.ReLU(in_place)

    def score(z):
        return (act(act(z * 1) * 2 - 4) * R).sum()[None]

    explained, replaced = ruled_gradient(score, Z.clone().requires_grad_(), rule, None)
    both = (Z > 0) & (2 * Z.clamp(min=0) - 4 > 0)
    assert torch.equal(explained, 2 * R.clamp(min=0) * (both if rule == "guided" else 1))
    assert replaced == Counter(relu=2)


class Calls(nn.Module):
    """A network of one function, for errors."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, images):
        return self.call(images).flatten(1)


class LikeCompiled(nn.Module):
    """What torch.compile returns, as far as one can see from outside: the original, and code without calls."""

    def __init__(self, original):
        super().__init__()
        self._orig_mod = original

    def forward(self, images):
        hidden = images.flatten(1)
        return hidden * (hidden > 0)


REFUSED = {
    "linear": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), "calls none that is known by name"),
    "gates": (lambda: Calls(torch.sigmoid), "bends with sigmoid alone"),
    "two gates": (lambda: Calls(lambda z: z.tanh().sigmoid()), "bends with tanh and sigmoid alone"),
    "TorchScript": (
        lambda: nn.Sequential(nn.Flatten(), torch.jit.trace(nn.ReLU(), torch.zeros(1, 12))),
        "cannot see into TorchScript",
    ),
    "compiled": (lambda: nn.Sequential(LikeCompiled(nn.ReLU())), "compiled; pass the one it was compiled from"),
    "by hand": (lambda: Calls(lambda z: z * (z > 0)), "calls none that is known by name"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("explain", [guided_backprop, deconvnet])
@pytest.mark.parametrize(("network", "cause"), REFUSED.values(), ids=REFUSED)
def test_errors_name_the_cause(network, cause, explain):
    with pytest.raises(NetworkError, match=cause):
        explain(network(), torch.randn(1, 3, 2, 2), 0)


def smooth(activation):
    """Two convolutions and a head, with the activation twice and a pooling, in float64."""
    convolutions = [nn.Conv2d(2, 3, 3), activation(), nn.Conv2d(3, 3, 3), activation()]
    network = nn.Sequential(*convolutions, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3, 4))
    for parameter in network.parameters():
        parameter.data.abs_()  # so that something gets through every rule
    return network.double().requires_grad_(False)


def score(logits):
    """A score that is not linear in the logits, so that no explanation of a ReLU network is constant."""
    return logits.square().sum(1)


ACTIVATIONS = {
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
    "silu in place": lambda: nn.SiLU(inplace=True),
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "relu in place": lambda: nn.ReLU(inplace=True),
    "relu6 in place": lambda: nn.ReLU6(inplace=True),
    "elu in place": lambda: nn.ELU(inplace=True),
    "prelu": lambda: nn.PReLU(3),
}
DIFFERENTIABLE = (
    "saliency",
    "input_x_gradient",
    "smoothgrad",
    "integrated_gradients",
    "guided_backprop",
    "deconvnet",
    "gradcam",
    "gradcam_plusplus",
    "xgradcam",
    "layercam",
    "hirescam",
    "eigencam",
    "gradcam_elementwise",
    "eigengradcam",
    "kpcacam",
    "shapleycam",
    "guided_gradcam",
)


def assert_derivative_is_right(core, network, options):
    """An explanation's derivative, as an attack on it needs it, against central differences."""
    image = torch.rand(1, 2, 6, 6, dtype=torch.float64)

    def size(image):
        return core(network, image, score, **options).square().sum()

    source = image.clone().requires_grad_()
    (found,) = torch.autograd.grad(size(source), source)
    direction = torch.randn_like(image)
    step = 1e-5
    wanted = (size(image + step * direction) - size(image - step * direction)) / (2 * step)
    assert abs(wanted) > 0
    torch.testing.assert_close((found * direction).sum(), wanted, rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_explanations_can_be_differentiated(name):
    options = {"layer": "3"} if "cam" in name else {}
    assert_derivative_is_right(explainer_named(name).__wrapped__, smooth(nn.Softplus), options)


@pytest.mark.parametrize("rule", ["guided_backprop", "deconvnet"])
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_ruled_explanations_can_be_differentiated(activation, rule):
    assert_derivative_is_right(explainer_named(rule).__wrapped__, smooth(activation), {})


def redirected_gradient(call, z, above):
    """The gradient of (N, K) inputs for (N, K) gradients from above."""
    z = z.clone().requires_grad_()
    with redirected():
        output = call(z * 1)
    return torch.autograd.grad(output, z, above)[0]


@pytest.mark.parametrize("in_place", [False, True])
def test_redirected_opens_what_is_shut(in_place):
    z = torch.tensor([[-1.0, 7, -1, 7], [-1, 7, 2, 2]])
    above = torch.tensor([[1.0, 1, -1, -1], [1, 1, 0, 3]])
    for call in (lambda z: F.hardtanh(z, 0, 6, inplace=in_place), lambda z: F.relu6(z, inplace=in_place)):
        # In the first sample nothing gets through: what opens passes. In the second something does.
        expected = torch.tensor([[1.0, 0, 0, -1], [0, 0, 0, 3]])
        assert torch.equal(redirected_gradient(call, z, above), expected)
    expected = torch.tensor([[0.0, 1, 0, -1], [0, 1, 0, 3]])
    assert torch.equal(redirected_gradient(lambda z: F.relu(z, inplace=in_place), z, above), expected)
    shut = torch.tensor([[-1.0, -2, 0]])
    passed = redirected_gradient(lambda z: F.relu(z, inplace=in_place), shut, torch.tensor([[2.0, -3, 1]]))
    assert torch.equal(passed, torch.tensor([[2.0, 0, 1]]))


@pytest.mark.parametrize("call", [F.silu, F.gelu, F.leaky_relu, F.elu, F.relu, F.relu6, torch.sigmoid, torch.exp])
def test_redirected_is_the_gradient_where_that_is_not_zero(call):
    z, above = torch.randn(4, 9), torch.randn(4, 9)
    plain = z.clone().requires_grad_()
    assert torch.equal(redirected_gradient(call, z, above), torch.autograd.grad(call(plain), plain, above)[0])


def test_redirected_scalars():
    z = torch.tensor(-1.0)
    assert redirected_gradient(F.relu, z, torch.tensor(2.0)) == 2
