"""Which calls are activations: functions, methods and operators of PyTorch by name, and how each one bends."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Activation:
    """How one call of an activation bends: what the guided rule needs to know of it."""

    name: str
    bends: Literal["at zero", "in a band", "smoothly"]
    low: float = 0.0
    high: float = float("inf")
    slope: float = 1.0  # above zero
    from_output: bool = False  # judge by the output, as PyTorch does for ReLU; else by the input


class ActivationCall(NamedTuple):
    """An activation, its input, and the function that computes it with the other arguments of the call."""

    activation: Activation
    input: Tensor
    run: Run


def _names(names: str, bends: Any, **options: Any) -> dict[str, Activation]:
    return {name: Activation(name, bends, **options) for name in names.split()}


KNOWN = {
    **_names("relu", "at zero", from_output=True),
    **_names("leaky_relu prelu elu celu rrelu", "at zero"),
    **_names("selu", "at zero", slope=1.0507009873554804934193349852946),
    **_names("relu6", "in a band", high=6.0),
    **_names("hardtanh", "in a band"),
    **_names("silu gelu hardswish mish softplus", "smoothly"),
    # These are activations with some arguments only.
    **_names("clamp clip clamp_min threshold maximum max", "at zero"),
}
GATES = ("sigmoid", "tanh", "hardsigmoid", "softsign", "tanhshrink", "logsigmoid")


def callables_named(names: Iterable[str]) -> dict[Any, str]:
    """Every function, method and operator with one of these names, in place or not, to the plain name."""
    found = {}
    for space in (torch, F, torch.Tensor, torch._C._nn, torch.ops.aten):
        for name in names:
            for spelled in (name, f"{name}_"):
                function = getattr(space, spelled, None)
                if function is not None:
                    found[function] = name
                if space is torch.ops.aten and function is not None:
                    found.update({getattr(function, overload): name for overload in function.overloads()})
    return found


_ACTIVATIONS = callables_named(KNOWN)
GATE_CALLS = callables_named(GATES)


def activation_call(func: Any, args: tuple, kwargs: dict) -> ActivationCall | None:
    """What a call does, if it is one of an activation, and None if it is another one."""
    if func not in _ACTIVATIONS:
        return None
    activation = KNOWN[_ACTIVATIONS[func]]
    z, rest, options = _input_of(args, kwargs)
    if activation.name in ("maximum", "max") and rest and isinstance(z, Tensor) and _is_zero(z):
        z, rest = rest[0], (z,)  # max(0, z) is max(z, 0)
    activation = _as_called(activation, rest, options)
    if activation is None or not isinstance(z, Tensor):
        return None
    return ActivationCall(activation, z, lambda value: func(value, *rest, **options))


def _input_of(args: tuple, kwargs: dict) -> tuple[Any, tuple, dict]:
    """The activation's input, and its other arguments."""
    if args:
        return args[0], args[1:], kwargs
    options = dict(kwargs)
    return options.pop("input", None), (), options


def _as_called(activation: Activation, rest: tuple, options: dict) -> Activation | None:
    """The activation that a call with these arguments computes; None where the arguments make it another function."""
    if activation.name == "hardtanh":
        low, high = _arguments(rest, options, ("min_val", -1.0), ("max_val", 1.0))
        return replace(activation, low=low, high=high)
    if activation.name in ("clamp", "clip"):
        low, high = _arguments(rest, options, ("min", None), ("max", None))
        if not _is_zero(low):
            return None
        return activation if high is None else replace(activation, bends="in a band", high=high)
    if activation.name == "clamp_min":
        return activation if _is_zero(*_arguments(rest, options, ("min", None))) else None
    if activation.name == "threshold":
        return activation if all(map(_is_zero, _arguments(rest, options, ("threshold", 0), ("value", 0)))) else None
    if activation.name in ("maximum", "max"):
        (other,) = _arguments(rest, options, ("other", None))  # a number is a dimension
        return activation if isinstance(other, Tensor) and _is_zero(other) else None
    return activation


def _arguments(rest: tuple, options: dict, *wanted: tuple[str, Any]) -> list[Any]:
    """Arguments by position or name, or their defaults."""
    given = dict(zip((name for name, _ in wanted), rest, strict=False)) | options
    return [given.get(name, default) for name, default in wanted]


def _is_zero(value: Any) -> bool:
    if isinstance(value, Tensor):
        return not value.requires_grad and bool((value == 0).all())
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


# Takes the module whose own code makes a call, the function's name and its output, which it may replace.
Handle = Callable[[nn.Module, str, Tensor], Tensor | None]


@contextmanager
def running(network: nn.Module) -> Iterator[list[nn.Module]]:
    """A block with the list of those modules of a network that this thread is running, the innermost last."""
    inside: list[nn.Module] = []
    thread = threading.get_ident()

    def begins(module: nn.Module, args: tuple) -> None:
        if threading.get_ident() == thread:
            inside.append(module)

    def ends(module: nn.Module, args: tuple, output: object) -> None:
        if threading.get_ident() == thread and inside:
            inside.pop()

    with ExitStack() as hooks:
        for module in network.modules():
            hooks.enter_context(module.register_forward_pre_hook(begins))
            hooks.enter_context(module.register_forward_hook(ends, always_call=True))
        yield inside


@contextmanager
def function_calls(network: nn.Module, handle: Handle) -> Iterator[None]:
    """A block in which every activation that a module of a network calls as a function is handed over, in order."""
    with running(network) as inside, _Watch(inside, handle):
        yield


class _Watch(TorchFunctionMode):
    """Hands over the output of each call of an activation, and passes on what comes back."""

    def __init__(self, running: list[nn.Module], handle: Handle) -> None:
        super().__init__()
        self.running, self.handle = running, handle

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        found = activation_call(func, args, kwargs) if self.running else None
        output = func(*args, **kwargs)
        if found is None or not isinstance(output, Tensor):
            return output
        replaced = self.handle(self.running[-1], found.activation.name, output)
        if replaced is None:
            return output
        return output.copy_(replaced) if output is found.input else replaced
