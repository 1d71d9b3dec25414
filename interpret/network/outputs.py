"""The logits in whatever a network returns."""

from torch import Tensor

from ..errors import NetworkError


def first_tensor(output: object) -> Tensor:
    """The logits (N, classes) in what a network returns: a tensor, tuple, list, dict, or object with ``.logits``."""
    if isinstance(output, dict):
        output = output.get("logits", next(iter(output.values()), None))
    elif not isinstance(output, Tensor) and hasattr(output, "logits"):
        output = output.logits
    elif isinstance(output, list | tuple):
        output = output[0] if output else None
    if isinstance(output, Tensor) and output.dim() > 2 and output[0, :, ...].numel() == output.shape[1]:
        output = output.flatten(1)
    if isinstance(output, Tensor) and output.dim() < 2:
        output = output.reshape(-1, 1)
    if not isinstance(output, Tensor) or output.dim() != 2:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise NetworkError(f"a classifier returns logits of shape (N, classes); this network returned {shape}")
    return output
