"""Pictures that show nothing: where integrated gradients begin, and what hides a part of a picture."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from ..classifier import Classifier
from ..errors import InterpretError

Baseline = str | float | Tensor
NAMES = ("black", "white", "grey", "mean", "blur", "rise-blur", "uniform")


def baseline_for(baseline: str | float | Tensor, classifier: nn.Module, inputs: Tensor, seed: int = 0) -> Tensor:
    """A baseline for every input, of the shape of ``inputs``.

    It is "black" (0), "white" (1), "grey" (0.5), "mean" (what the classifier's normalisation takes to 0), "blur" (the
    input, blurred with a sigma of a tenth of its shorter side), "rise-blur" (blurred as in the code of RISE's authors,
    with 11 pixels and a sigma of 5), "uniform" (random in [0, 1], the same for every image), a number, or a tensor
    that broadcasts to the inputs.
    """
    if isinstance(baseline, Tensor):
        try:
            return baseline.detach().to(inputs).expand_as(inputs)
        except RuntimeError as error:
            shape = tuple(baseline.shape)
            raise InterpretError(f"a baseline of shape {shape} does not fit inputs {tuple(inputs.shape)}") from error
    levels = {"black": 0.0, "white": 1.0, "grey": 0.5}
    if baseline in levels or _number(baseline) is not None:
        return torch.full_like(inputs, levels.get(baseline, _number(baseline)))
    if baseline == "mean":
        return _mean(classifier, inputs)
    if baseline == "uniform":
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(inputs.shape[1:], generator=generator).to(inputs).expand_as(inputs)
    if baseline == "blur" and inputs.dim() == 4:
        sigma = min(inputs.shape[-2:]) / 10
        size = 2 * min(round(3 * sigma), (min(inputs.shape[-2:]) - 1) // 2) + 1
        return _blurred(inputs, size, sigma)
    if baseline == "rise-blur" and inputs.dim() == 4:
        return _rise_blur(inputs, _mean(classifier, inputs))
    raise InterpretError(f"no baseline {baseline!r}; there are {', '.join(NAMES)}, or a number")


def baselines_for(
    baseline: Baseline | Sequence[Baseline], classifier: nn.Module, inputs: Tensor, seed: int = 0
) -> list[Tensor]:
    """Each of several baselines, in a list or in one text with commas, as `baseline_for` makes it."""
    several = baseline.split(",") if isinstance(baseline, str) else baseline
    several = list(several) if isinstance(several, list | tuple) else [several]
    if not several:
        raise InterpretError("at least one baseline is needed")
    stripped = (one.strip() if isinstance(one, str) else one for one in several)
    return [baseline_for(one, classifier, inputs, seed) for one in stripped]


def _mean(classifier: nn.Module, inputs: Tensor) -> Tensor:
    """What the classifier's normalisation takes to 0, of the shape of the inputs."""
    mean = classifier.mean.to(inputs) if isinstance(classifier, Classifier) else torch.zeros_like(inputs[:1])
    return mean.expand_as(inputs) if mean.numel() == inputs.shape[1] else torch.full_like(inputs, mean.mean())


def _blurred(inputs: Tensor, size: int, sigma: float) -> Tensor:
    """Inputs (N, C, h, w) under a Gaussian of so many pixels, mirrored at the edges: as torchvision's, line by line.

    Rows and then columns take a hundredth of the work of a kernel of both.
    """
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    line = torch.exp(-0.5 * (offsets / sigma) ** 2)
    line, channels = (line / line.sum()).to(inputs), inputs.shape[1]
    padded = pad(inputs, [size // 2] * 4, mode="reflect")
    rows = conv2d(padded, line.expand(channels, 1, 1, size), groups=channels)
    blurred = conv2d(rows, line[:, None].expand(channels, 1, size, 1), groups=channels)
    return blurred.clamp(*inputs.aminmax())  # which means cannot leave, but for rounding


def _rise_blur(inputs: Tensor, mean: Tensor) -> Tensor:
    """The blur that insertion begins with in the published code of Petsiuk et al. 2018.

    Its kernel is a point in 11 x 11 pixels, blurred with a sigma of 5 cut off at 20 pixels, where what leaves the
    square at an edge comes back mirrored; beyond the picture lies the mean.
    """
    width, sigma, reach = 11, 5.0, 20
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-(offsets.double() ** 2) / (2 * sigma**2))
    mirrored = (torch.arange(width)[:, None] + offsets) % (2 * width)
    mirrored = torch.minimum(mirrored, 2 * width - 1 - mirrored)
    line = ((mirrored == width // 2) * weights / weights.sum()).sum(1)
    kernel = torch.outer(line, line).to(inputs).expand(inputs.shape[1], 1, width, width)
    return conv2d(inputs - mean, kernel, padding=width // 2, groups=inputs.shape[1]) + mean


def _number(value: str | float) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
