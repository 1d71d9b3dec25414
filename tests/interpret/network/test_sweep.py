"""Many people's networks, with random weights: the default layer, its layout, and Grad-CAM beside one made by hand.

``pytest -m slow -n 0 -s tests/interpret/network/test_sweep.py`` prints a line for each.
"""

import re
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from interpret import default_layer
from interpret.explainers import explainer_named
from interpret.network.hooks import find_layer
from interpret.network.layout import Layout
from interpret.network.recording import recorded
from interpret.network.survey import survey
from tests.interpret.network.sweep import TIMM, TRANSFORMERS

pytestmark = pytest.mark.slow
gradcam = explainer_named("gradcam").__wrapped__
HEAVY = re.compile(r"vit_h|regnet_y_128gf|regnet_y_32gf|convnext_large|efficientnet_v2_l|efficientnet_b[5-7]")


def seeded(build, *arguments, **options) -> nn.Module:
    torch.manual_seed(0)
    return build(*arguments, **options).eval().requires_grad_(False)


def of_torchvision(name: str) -> tuple[nn.Module, int]:
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    size = models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    fixed = name.startswith("vit_") or name == "maxvit_t"
    if name.startswith("vit_"):
        extra["image_size"] = size
    return seeded(models.get_model, name, weights=None, **extra), size if fixed else 128


def of_timm(name: str) -> tuple[nn.Module, int]:
    import timm

    network = seeded(timm.create_model, name)
    config = timm.data.resolve_data_config({}, model=network)
    return network, config["input_size"][1]


def by_hand(network: nn.Module, images: Tensor, target: int, layer: str, layout: Layout) -> Tensor:
    """Grad-CAM by its equations: of a module by a hook, of a function by patching ``torch.nn.functional``."""
    kept: list[Tensor] = []
    module, call = find_layer(network, layer)
    function = re.search(r"F\.(\w+)", layer)

    def keep(module: nn.Module, args: tuple, output: Tensor) -> Tensor:
        kept.append(output.clone())
        return kept[-1].clone()  # what changes it in place later changes a copy

    with pytest.MonkeyPatch.context() as patch:
        if function:
            known = getattr(F, function[1])
            patch.setattr(
                F, function[1], lambda given, *rest, **options: keep(module, (), known(given, *rest, **options))
            )
        else:
            handle = module.register_forward_hook(keep)
        score = network(images.clone().requires_grad_())[:, target].sum()
    if not function:
        handle.remove()
    activations = kept[-1 if function or call is None else call - 1]
    gradients = torch.autograd.grad(score, activations)[0]
    if layout.kind != "map":
        activations, gradients = (channels_first(values, layout.kind) for values in (activations, gradients))
    return F.relu((gradients.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True)).detach()


def channels_first(values: Tensor, kind: str) -> Tensor:
    """Maps (N, K, H, W) of such with the channels last, or of tokens: the last ones that fill a square."""
    if kind == "tokens":
        side = int(values.shape[1] ** 0.5)
        values = values[:, -side * side :].unflatten(1, (side, side))
    return values.movedim(-1, 1)


def places_kept(network: nn.Module, images: Tensor, layer: str, layout: Layout) -> float:
    """How much more a spot of the picture changes the same spot of a layer's map than the rest; the least of four."""

    def maps(pictures: Tensor) -> Tensor:
        with torch.no_grad(), recorded(network, layer, layouts={layer: layout}) as recording:
            network(pictures)
        return recording[layer]

    before, found = maps(images), []
    for down, across in ((0, 0), (0, 3), (3, 0), (3, 3)):
        spot = torch.zeros(1, 1, 4, 4)
        spot[..., down, across] = 1
        where = F.interpolate(spot, images.shape[2:])
        change = (maps(images * (1 - where) + where * (1 - images)) - before).abs().mean(1, keepdim=True)
        here = F.interpolate(spot, change.shape[2:])
        found.append(float((change * here).sum() / here.sum() * (1 - here).sum() / (change * (1 - here)).sum()))
    return min(found)


def likeness(one: Tensor, other: Tensor) -> float:
    """The correlation of two maps; 1 where both are silent."""
    one, other = (values.flatten().double() - values.double().mean() for values in (one, other))
    if not one.any() or not other.any():
        return float(torch.allclose(one, other))
    return float((one @ other) / (one.norm() * other.norm()))


def check(name: str, network: nn.Module, size: int) -> None:
    images = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = default_layer(network, images)
        layout = survey(network, images).layer(layer).layout
        target = int(network(images).argmax())
        alike = likeness(
            gradcam(network, images, target, layer=None),
            by_hand(network, images, target, layer, layout),
        )
        kept = places_kept(network, images, layer, layout) if layout.kind == "tokens" else 9.0
    print(f"\n{name:32} {layer:44} {layout.kind:14} {alike:.6f} {kept:.2f}", end="")
    # The last tokens of LeViT have no skip path from their own places, and before training attend to all alike.
    assert alike > 0.999 and (kept > 1 or "levit" in name)


@pytest.mark.parametrize("name", [name for name in models.list_models(module=models) if not HEAVY.match(name)])
def test_torchvision(name):
    check(name, *of_torchvision(name))


@pytest.mark.parametrize("name", TIMM + TRANSFORMERS)
def test_timm(name):
    pytest.importorskip("timm")
    check(f"timm:{name}", *of_timm(name))
