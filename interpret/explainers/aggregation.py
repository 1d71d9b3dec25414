"""From an attribution of several channels to one value a pixel."""

from torch import Tensor

from . import DISPLAYS, EXPLAINERS


def combined(attribution: Tensor, channels: str = "sum", *, absolute: bool = False) -> Tensor:
    """One value for each pixel, for drawing.

    Args:
        attribution: (N, C, H, W).
        channels: "max", the channel with the largest absolute value, with its sign; "sum"; or "mean".
        absolute: take absolute values first.

    Returns:
        (N, 1, H, W), in the units of the attribution.
    """
    values = attribution.abs() if absolute else attribution
    if values.shape[1] == 1:
        return values
    if channels == "max":
        return values.gather(1, values.abs().argmax(1, keepdim=True))
    return values.sum(1, keepdim=True) if channels == "sum" else values.mean(1, keepdim=True)


def importance(attribution: Tensor, method: str) -> Tensor:
    """One value for each pixel, (N, 1, H, W), by which pixels are ranked; it follows the display of the method.

    Where that shows absolute values or colours, it is the largest absolute value of the channels; where it shows signed
    pixels, the sum of the absolute values (as in Kapishnikov et al. 2019, https://arxiv.org/abs/1906.02825), since the
    signs of neighbours alternate; for maps, which are smooth, it is the signed value.
    """
    aggregate = DISPLAYS[EXPLAINERS[method]]["aggregate"]
    if aggregate == "colours":
        return combined(attribution, "max", absolute=True)
    pixelwise = EXPLAINERS[method] in ("absolute", "signed")
    return combined(attribution, aggregate, absolute=pixelwise)
