"""From the channels of pictures to those that a network takes, normalised."""

from torch import Tensor

from ..errors import InterpretError

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow converts to grey


def normalised(inputs: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Inputs (N, C, h, w) in [0, 1] less the mean, divided by the standard deviation (channels, 1, 1) each.

    A network of one channel sees the luma of colours, and one of three takes grey as colours; for any other number of
    channels that differs there is an InterpretError.
    """
    wanted, given = len(mean), inputs.shape[1]
    if wanted == 1 and given == 3:
        inputs = (inputs * inputs.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    elif wanted == 3 and given == 1:
        inputs = inputs.expand(-1, 3, -1, -1)
    elif wanted != given:
        raise InterpretError(f"the network takes pictures of {wanted} channels, not of {given}")
    scaled = (inputs - mean.to(inputs.dtype)) / std.to(inputs.dtype)
    return scaled.contiguous()  # since some networks view what they compute as rows
