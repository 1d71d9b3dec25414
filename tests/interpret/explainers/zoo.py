"""torchvision's classifiers with random weights, what each method makes of them, and the rules done by hand."""

import copy
import fnmatch
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import torch
import torch.nn.functional as F
from captum.attr import GuidedBackprop
from torch import Tensor, nn
from torchvision import models

from interpret.explainers import OF_ATTENTION
from interpret.network.layers import layers

ATTENTION = ("vit_*", "swin_*", "maxvit_t")
TOO_LARGE = ("regnet_y_128gf",)  # 645 M parameters; all others have less than 300 M

# The side of the picture. The last maps must be larger than one place, and Inception wants 75 at the least.
WITH_ATTENTION = (
    "vit_b_16",
    "vit_b_32",
    "vit_l_16",
    "vit_l_32",
    "swin_t",
    "swin_s",
    "swin_b",
    "swin_v2_t",
    "swin_v2_s",
    "swin_v2_b",
    "maxvit_t",
)
SIDES = {"inception_v3": 80, **dict.fromkeys(WITH_ATTENTION, 224)}
SIDE = 64


def architectures() -> list[str]:
    """torchvision's classifiers without attention."""
    names = models.list_models(module=models)
    return [name for name in names if not _is_any(name, ATTENTION) and name not in TOO_LARGE]


# Three that take a second or two; all with -m slow.
FAST = ("resnet18", "shufflenet_v2_x0_5", "squeezenet1_1")


def _is_any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# Few passes for each method, at most 16.
OPTIONS = {
    "smoothgrad": {"samples": 2},
    "integrated_gradients": {"steps": 3},
    "occlusion": {"window": 32, "stride": 32},
    "rise": {"masks": 16},
    "gradient_shap": {"samples": 4},
    "kernel_shap": {"pieces": 4, "samples": 12},
    "fem": {"sigmas": 1.0},  # of the four places of some maps none is two of them above the mean
}
# These cost a pass for each channel of the layer they look at.
BY_CHANNEL = ("scorecam", "ablationcam")
MOST_CHANNELS = 16


def picture(name: str) -> Tensor:
    """One random picture of the size for an architecture."""
    side = SIDES.get(name, SIDE)
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(2))


def build(name: str) -> nn.Module:
    """An architecture with random weights, made so that neither its maps nor its gradients die out."""
    torch.manual_seed(4)
    aux = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = models.get_model(name, weights=None, **aux).eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for parameter_name, parameter in network.named_parameters():
        if parameter_name.endswith("layer_scale"):
            nn.init.constant_(parameter, 0.5)  # ConvNeXt starts at 1e-6, as if its blocks were not there
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    # Noise and holes, because what lies far from what a deep network was normalised on makes it explode.
    image = picture(name)
    noisy = image + 0.3 * torch.randn(8, *image.shape[1:])
    holes = F.interpolate((torch.rand(8, 1, 8, 8) < 0.5).float(), image.shape[2:], mode="bilinear")
    with torch.no_grad():
        network(torch.cat([noisy, image * holes]))
    return network.eval().requires_grad_(False)


def with_attention(name: str) -> nn.Module:
    """An architecture with random weights, none of which is zero, as the heads of some are at first."""
    torch.manual_seed(4)
    network = models.get_model(name, weights=None).eval().requires_grad_(False)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return network


def narrow(network: nn.Module, image: Tensor) -> tuple[nn.Module, str]:
    """The network and its layer with the fewest channels; with a narrow layer in front where all are wide."""
    maps = [layer for layer in layers(network, lambda: network(image)) if _has_places(layer.shape)]
    layer = min(maps, key=lambda layer: layer.shape[1])
    if layer.shape[1] <= MOST_CHANNELS:
        return network, layer.name
    torch.manual_seed(6)
    front = OrderedDict(front=nn.Conv2d(3, 4, 1), relu=nn.ReLU(), back=nn.Conv2d(4, 3, 1), network=network)
    return nn.Sequential(front).eval(), "relu"


def _has_places(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[2] * shape[3] > 1 and shape[1] > 1


# Value and factor of the guided rule, written out.
def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.where(z > 0, z, 0), (z > 0).to(z)


def _relu6(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.where(z > 6, 6, torch.where(z > 0, z, 0)), ((z > 0) & (z < 6)).to(z)


def _silu(z: Tensor) -> tuple[Tensor, Tensor]:
    gate = 1 / (1 + torch.exp(-z))
    return z * gate, _positive(gate * (1 + z * (1 - gate)))


def _hardswish(z: Tensor) -> tuple[Tensor, Tensor]:
    value = torch.where(z > 3, z, torch.where(z > -3, z * (z + 3) / 6, 0))
    return value, _positive(torch.where(z > 3, 1, torch.where(z > -3, (2 * z + 3) / 6, 0)))


def _gelu(z: Tensor) -> tuple[Tensor, Tensor]:
    below = 0.5 * (1 + torch.erf(z * 0.5**0.5))
    return z * below, _positive(below + z * torch.exp(-z * z / 2) / (2 * torch.pi) ** 0.5)


def _positive(values: Tensor) -> Tensor:
    return torch.where(values > 0, values, 0)


class ByHand(torch.autograd.Function):
    """An activation with a rule for its backward pass."""

    @staticmethod
    def forward(ctx, z, formula, rule):
        value, factor = formula(z)
        ctx.save_for_backward(factor if rule == "guided" else torch.ones_like(factor))
        return value

    @staticmethod
    def backward(ctx, above):
        return ctx.saved_tensors[0] * _positive(above), None, None


class ByHandModule(nn.Module):
    """The same as a module."""

    def __init__(self, formula, rule):
        super().__init__()
        self.formula, self.rule = formula, rule

    def forward(self, z):
        return ByHand.apply(z, self.formula, self.rule)


MODULES = {nn.ReLU: _relu, nn.ReLU6: _relu6, nn.SiLU: _silu, nn.Hardswish: _hardswish, nn.GELU: _gelu}
# Sigmoid and Hardsigmoid are left alone. Every other activation would have to be written out first.
NOT_WRITTEN_OUT = (nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.Mish, nn.Softplus, nn.Hardtanh, nn.Threshold)
FUNCTIONS = [
    *[(space, name, _relu) for space in (F, torch, Tensor) for name in ("relu", "relu_")],
    *[(F, "relu6", _relu6), (F, "silu", _silu), (F, "hardswish", _hardswish), (F, "gelu", _gelu)],
]
CLAMPS = {(0, None): _relu, (0, 6): _relu6}


@contextmanager
def by_hand(network: nn.Module, rule: str) -> Iterator[nn.Module]:
    """A copy with every activation module exchanged, while every activation function is exchanged."""
    same = copy.deepcopy(network)
    for module in list(same.modules()):
        for name, child in module.named_children():
            if type(child) in MODULES:
                setattr(module, name, ByHandModule(MODULES[type(child)], rule))
            assert not isinstance(child, NOT_WRITTEN_OUT) or type(child) in MODULES
    with ExitStack() as patches:
        for space, name, formula in FUNCTIONS:
            patches.enter_context(mock.patch.object(space, name, _instead(formula, rule)))
        for name in ("clamp", "clamp_"):
            patches.enter_context(mock.patch.object(Tensor, name, _clamp(getattr(Tensor, name), rule)))
        yield same


def _instead(formula: Callable, rule: str) -> Callable:
    return lambda z, *_, **__: ByHand.apply(z, formula, rule)


def _clamp(original: Callable, rule: str) -> Callable:
    def clamp(z, min=None, max=None):
        formula = CLAMPS.get((min, max))
        return original(z, min, max) if formula is None else ByHand.apply(z, formula, rule)

    return clamp


def captum_guided(network: nn.Module, image: Tensor, target: int) -> Tensor:
    """What captum makes of guided backpropagation."""
    same = copy.deepcopy(network)
    for module in same.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # captum's hooks do not bear it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GuidedBackprop(same).attribute(image.clone().requires_grad_(), target).detach()


# Who refuses what, and what the refusal says. An entry is the method, a pattern of names, and a part of the text.
NOT_FOR_CAM = ("alexnet", "vgg*", "mobilenet_v3_*", "convnext_*")
WITHOUT_ATTENTION = ("[!msv]*", "m[!a]*", "s[!w]*", "v[!i]*")
REFUSALS = [
    *[("cam", pattern, "CAM needs a head of global average pooling") for pattern in (*NOT_FOR_CAM, "vit_*")],
    *[(method, name, "has none; use Grad-CAM") for method in OF_ATTENTION for name in WITHOUT_ATTENTION],
    *[(method, name, "has it within windows") for method in OF_ATTENTION for name in ("swin_*", "maxvit_*")],
]


def refusal(method: str, name: str) -> str | None:
    """What a method has to say of an architecture that it cannot explain; None for one that it can."""
    return next((text for given, pattern, text in REFUSALS if given == method and fnmatch.fnmatch(name, pattern)), None)
