"""How a network ends: the last sigmoid, softmax or the like that it calls, as a module, a function or a method."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .backward_rules.activation_calls import callables_named

# What turns logits into probabilities of labels or of classes; before a logarithm of these, the input is the same.
_KINDS = {
    "sigmoid": ("sigmoid", "special_expit", "logsigmoid", "log_sigmoid"),
    "softmax": ("softmax", "_softmax", "special_softmax"),
}
# What gives numbers that are no log-odds: of one sign, or between two bounds.
BOUNDED = ("tanh", "hardtanh", "hardsigmoid", "softsign", "relu", "relu6", "softplus", "exp", "elu", "abs", "clamp")
SQUASHING = ("sigmoid", "hardsigmoid", "tanh", "exp")  # of which probabilities of labels are made
CLOSE = 1e-3  # how far a clamp, or a copy in a narrow format, takes an output from what the last call gave

_ENDINGS = {call: kind for kind, names in _KINDS.items() for call in callables_named(names)}
_ENDINGS |= {torch.special.expit: "sigmoid", torch.special.softmax: "softmax"}
_ENDINGS |= callables_named(BOUNDED)
_JOINS = {torch.cat, torch.concat, torch.concatenate, torch.stack, torch.hstack, torch.vstack}
_COPIES = set(callables_named(("clamp", "clip")))  # a clamp of probabilities is no ending of its own
_LINEAR = {F.linear, F.conv2d, torch.addmm, torch.conv2d, torch.mm, torch.matmul}


@dataclass(frozen=True)
class Ending:
    """A call that may be what a network ends in, or a gate inside it."""

    kind: str  # "sigmoid", "softmax", "linear", or the name of a function of BOUNDED
    input: Tensor
    output: Tensor

    def gave(self, output: Tensor) -> bool:
        """Whether an output has the values of this call, also as a view, a copy, or clamped a little."""
        if self.output.numel() != output.numel():
            return False
        if self.output.data_ptr() == output.data_ptr():
            return True
        ours, theirs = (values.detach().float().flatten() for values in (self.output, output))
        return bool(((ours - theirs).abs() <= CLOSE).all())

    @property
    def cut(self) -> bool:
        """Whether the gradient ends between the input and the output."""
        return self.input.requires_grad and not self.output.requires_grad


class EndingSeen(TorchFunctionMode):
    """A block that runs a network, and keeps the last call that may be the network's ending, and the last linear one.

    Calls are seen, not modules, so it makes no difference how the function is written. Compiled and scripted code
    shows nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last: Ending | None = None
        self.linear: Ending | None = None
        self._made: dict[int, Ending] = {}  # by the id of its output, which the ending keeps alive

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func in _JOINS:
            return self._joined(func, args, kwargs or {})
        kind = _ENDINGS.get(func)
        if kind is None:
            output = func(*args, **(kwargs or {}))
            if func in _LINEAR and is_flat(output):
                self.linear = Ending("linear", output, output)
            return output
        given = args[0] if args else (kwargs or {}).get("input")
        # What still has rows and columns is no answer, and would only be kept in memory.
        if not is_flat(given) or self._is_clamp_of_probabilities(func, given):
            return func(*args, **(kwargs or {}))
        in_place = getattr(func, "__name__", "").endswith("_") or bool(kwargs and kwargs.get("inplace"))
        kept = given.clone() if in_place else given
        output = func(*args, **(kwargs or {}))
        if is_flat(output):
            self.last = self._made[id(output)] = Ending(kind, kept, output)
        return output

    def _joined(self, func: Any, args: tuple, kwargs: dict) -> Any:
        """A call that joins tensors: those of several sigmoids, of heads or of pictures, are an ending of their own."""
        output = func(*args, **kwargs)
        parts = args[0] if args and isinstance(args[0], list | tuple) else ()
        made = [self._made.get(id(part)) for part in parts]
        if made and all(ending is not None and ending.kind == "sigmoid" for ending in made) and is_flat(output):
            inputs = func([ending.input for ending in made], *args[1:], **kwargs)
            self.last = self._made[id(output)] = Ending("sigmoid", inputs, output)
        return output

    def _is_clamp_of_probabilities(self, func: Any, given: Tensor) -> bool:
        return func in _COPIES and self.last is not None and self.last.kind in _KINDS and self.last.gave(given)


def is_flat(value: object) -> bool:
    """Whether something is a tensor (), (N,), (N, K), or such with rows and columns of length 1."""
    return isinstance(value, Tensor) and all(length == 1 for length in value.shape[2:])


def is_opaque(network: object) -> bool:
    """Whether some of a network is compiled, scripted or run in other threads, so that its calls cannot be seen."""
    if not isinstance(network, nn.Module):
        return False
    return any(map(_hides_calls, network.modules()))


def _hides_calls(part: nn.Module) -> bool:
    if isinstance(part, nn.DataParallel):
        return len(part.device_ids) > 1
    return isinstance(part, torch.jit.ScriptModule) or hasattr(part, "_orig_mod")
