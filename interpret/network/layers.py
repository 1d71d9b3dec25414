"""The layers of a network: every call of a module, and of an activation as a function, and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .hooks import Call, left_as_found, traced
from .layout import Layout

POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.FractionalMaxPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
CHANNELS_FIRST = (
    *POOLING,
    nn.Conv2d,
    nn.ConvTranspose2d,
    nn.BatchNorm2d,
    nn.InstanceNorm2d,
    nn.GroupNorm,
    nn.Upsample,
    nn.PixelShuffle,
)


@dataclass(frozen=True)
class Layer:
    """What one call gave in a forward pass."""

    name: str  # the module's dotted name; if it ran several times, with "#1", "#2" and so on
    path: str  # the module's dotted name
    kind: str  # the module's class, or "function"
    shape: tuple[int, ...]  # of its output
    weighted: bool  # whether the module, or one inside it, has parameters
    projects: bool  # whether the module itself is a matrix of weights, and no norm or container
    pooling: bool
    channels_first: bool  # whether the kind of the module says that maps are (N, K, H, W)
    fingerprint: tuple  # equal for outputs with equal values
    alike: tuple[bool, ...]  # of two pictures: whether each token, or all, has the same values for both
    graph: bool  # whether the output has a gradient
    layout: Layout | None = None  # where that was found out
    trouble: str = ""  # why there is none, as the end of a sentence

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns of the map in the output, (0, 0) where there is none."""
        return (0, 0) if self.layout is None else self.layout.grid

    @property
    def channels(self) -> int:
        """How many numbers there are at each place of that map."""
        return self.shape[1 if self.layout is None or self.layout.kind in ("map", "flat map") else -1]


def layers(network: nn.Module, run: Callable[[], object], *, grad: bool = False) -> list[Layer]:
    """Every call that gives a tensor while ``run`` runs the network, in the order in which they end.

    These are the calls of submodules, and of activations as functions where no submodule gives the same values.
    """
    seen: list[Layer] = []
    with left_as_found(network), torch.set_grad_enabled(grad):
        traced(network, run, lambda call: seen.append(_describe(call)), functions=True)
    modules = {layer.fingerprint for layer in seen if layer.kind != "function"}
    seen = [layer for layer in seen if layer.kind != "function" or layer.fingerprint not in modules]
    again = {layer.path for layer in seen if not layer.name.endswith("#1")}
    # A module that ran once needs no number. The name of any other without a number means its last call.
    return [layer if layer.path in again else replace(layer, name=layer.name.removesuffix("#1")) for layer in seen]


def _describe(call: Call) -> Layer:
    output, function = call.output, call.function is not None
    return Layer(
        name=call.name,
        path=call.path,
        kind="function" if function else type(call.module).__name__,
        shape=tuple(output.shape),
        weighted=not function and next(call.module.parameters(), None) is not None,
        projects=not function and any(own.dim() > 1 for own in call.module.parameters(recurse=False)),
        pooling=not function and isinstance(call.module, POOLING),
        channels_first=not function and isinstance(call.module, CHANNELS_FIRST),
        fingerprint=(tuple(output.shape), *_moments(output)),
        alike=_alike(output),
        graph=output.requires_grad,
    )


def _moments(output: Tensor) -> tuple[float, ...]:
    # Computed at once, since a later in-place layer may overwrite the values.
    if not output.is_floating_point() or output.dim() < 3:
        return ()
    wide = output.detach().double()
    return float(wide.sum()), float(wide.square().sum())


def _alike(output: Tensor) -> tuple[bool, ...]:
    """Whether two rows have equal values: of tokens (2, T, K) or (T, 2, K) each, else all; () for other outputs."""
    output = output.detach()
    if output.dim() == 3 and 2 in output.shape[:2]:
        first, second = output.unbind(0 if output.shape[0] == 2 else 1)
        return tuple((first == second).all(-1).tolist())
    if output.dim() > 1 and output.shape[0] == 2:
        return (torch.equal(output[0], output[1]),)
    return ()
