"""How tokens attend to each other while a network runs, whichever call computes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..backward_rules.activation_calls import callables_named, running
from ..backward_rules.compounds import attention_weights, for_each_query
from ..backward_rules.operations import opened
from ..opaque import check_layers_show

_SOFTMAX = set(callables_named(("softmax", "_softmax"))) | {torch.special.softmax}
_FUSED = set(callables_named(("scaled_dot_product_attention",)))


@dataclass(frozen=True)
class Attention:
    """One call of attention."""

    weights: Tensor  # (N, heads, T, S): how much each of T tokens takes from each of S; rows add up to 1
    around: tuple[str, ...]  # names of the modules that run it, the outermost first, without the network itself

    @property
    def name(self) -> str:
        """The module that computes it."""
        return self.around[-1] if self.around else "the network"

    @property
    def among_all(self) -> bool:
        """Whether as many tokens attend as are attended to."""
        return self.weights.shape[-1] == self.weights.shape[-2]


@contextmanager
def attention_seen(network: nn.Module, pictures: int) -> Iterator[list[Attention]]:
    """A block in which every call of attention of a network that runs so many pictures is kept, in order.

    These are ``scaled_dot_product_attention``, `nn.MultiheadAttention`, and softmaxes over the last of three or more
    dimensions. What is kept is a part of the graph, so a score that the network gives can be differentiated by it.
    """
    check_layers_show(network)
    names = {module: name for name, module in network.named_modules()}
    with running(network) as inside:
        mode = _Watch(pictures, lambda: tuple(names[module] for module in inside if names[module]))
        with mode:
            yield mode.found


class _Watch(TorchFunctionMode):
    """Keeps what attention gives, and passes it on."""

    def __init__(self, pictures: int, around: Any) -> None:
        super().__init__()
        self.pictures, self.around, self.found = pictures, around, []

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            return opened(func, self)(*args, **kwargs)
        if func in _FUSED:
            return self._attended(*args, **kwargs)
        output = func(*args, **kwargs)
        if func in _SOFTMAX and output.dim() > 2 and _dim(args, kwargs) in (-1, output.dim() - 1):
            return self._kept(output)
        return output

    def _attended(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        key, value = for_each_query(query, key, value, enable_gqa)
        return self._kept(attention_weights(query, key, attn_mask, is_causal, scale)) @ value

    def _kept(self, weights: Tensor) -> Tensor:
        together = weights.dim() == 3 and weights.shape[0] % self.pictures == 0  # pictures and heads in one dimension
        parted = weights.unflatten(0, (self.pictures, -1)) if together else weights
        self.found.append(Attention(parted, self.around()))
        return parted.flatten(0, 1) if together else parted


def _dim(args: tuple, kwargs: dict) -> Any:
    return args[1] if len(args) > 1 else kwargs.get("dim")
