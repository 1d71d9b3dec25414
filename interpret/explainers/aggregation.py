"""From an attribution of several channels to one value a pixel."""

from torch import Tensor

from . import DISPLAYS, EXPLAINERS


def combined(attribution: Tensor, channels: str = "sum", *, absolute: bool = False) -> Tensor:
    """One value a pixel, for drawing.

    Args:
        attribution: (N, C, H, W).
        channels: "max", the value that is largest in size, with its sign; "sum"; or "mean".
        absolute: take the sizes, without signs, before.

    Returns:
        (N, 1, H, W).
    """
    values = attribution.abs() if absolute else attribution
    if channels == "max":
        return values.gather(1, values.abs().argmax(1, keepdim=True))
    return values.sum(1, keepdim=True) if channels == "sum" else values.mean(1, keepdim=True)


def importance(attribution: Tensor, method: str) -> Tensor:
    """One value a pixel, by which places are ranked: what the method's own display goes by.

    Where papers draw sizes or colours, the largest size of the channels; of what is signed pixel by pixel,
    the sum of their sizes (as in Kapishnikov et al. 2019, https://arxiv.org/abs/1906.02825), since the
    signs of neighbours alternate; of maps, which are smooth, the signed values.

    Args:
        attribution: (N, C, H, W), as the method gives it.
        method: a name of the table EXPLAINERS.

    Returns:
        (N, 1, H, W).
    """
    aggregate = DISPLAYS[EXPLAINERS[method]]["aggregate"]
    if aggregate == "colours":
        return combined(attribution, "max", absolute=True)
    pixelwise = EXPLAINERS[method] in ("absolute", "signed")
    return combined(attribution, aggregate, absolute=pixelwise)
