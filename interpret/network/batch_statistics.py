"""Batch normalisation without running statistics, which would make a picture's answer depend on its batch."""

import logging
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import NetworkError

_log = logging.getLogger(__name__)
_told: weakref.WeakSet[nn.Module] = weakref.WeakSet()


@contextmanager
def each_alone(network: nn.Module) -> Iterator[None]:
    """A block in which batch normalisation without running statistics takes each picture by itself.

    In evaluation mode it would use the statistics of whatever shares the picture's batch; the answer is that of the
    picture run alone. It is said once for each network.
    """
    found = [
        module
        for module in network.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None
    ]
    with ExitStack() as hooks:
        for module in found:
            hooks.enter_context(module.register_forward_hook(_by_itself))
        if found and found[0] not in _told and not network.training:
            _told.add(found[0])
            _log.warning(
                "%s has batch normalisation without running statistics: every picture is normalised by itself, "
                "as if it ran alone",
                type(network).__name__,
            )
        yield


def _by_itself(module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
    inputs = args[0]
    if module.training or len(inputs) == 1:
        return None
    if inputs.dim() < 3:
        raise NetworkError(
            "the network normalises vectors over their batch, without running statistics, which no single picture has"
        )
    weight, bias = module.weight, module.bias
    with torch.autocast(inputs.device.type, enabled=False):
        return F.instance_norm(inputs, None, None, weight, bias, True, 0.0, module.eps).to(output.dtype)
