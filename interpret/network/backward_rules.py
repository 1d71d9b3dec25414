"""Backward rules for activations: guided backpropagation, the deconvnet and redirected gradients, for every kind.

For an activation f with input z and a gradient R coming in from above, the rules pass on

=====================================  =============================  ==========
f                                      guided                         deconvnet
=====================================  =============================  ==========
ReLU, clamp(min=0), threshold at 0     1[z > 0] max(R, 0)             max(R, 0)
ReLU6, hardtanh, clamp(0, high)        1[low < z < high] max(R, 0)    max(R, 0)
leaky ReLU, PReLU, ELU, SELU, CELU     f'(z) 1[z > 0] max(R, 0)       max(R, 0)
SiLU, GELU, Hardswish, Mish, Softplus  f'(z) 1[f'(z) > 0] max(R, 0)   max(R, 0)
sigmoid, tanh, hardsigmoid (gates)     left alone                     left alone
=====================================  =============================  ==========

and a third, "redirected" (lucid, https://github.com/tensorflow/lucid), passes on f'(z) R, except
where that is zero for all of a sample: there whatever R would open what is shut, so R > 0 where z is
below the bend and R < 0 where it is above a cap. It finds the way to a unit that is silent.

They come from intercepting the calls, not the modules, so they hold for modules, for modules that
are used twice or work in place, for functions and for tensor methods alike, and nothing of the
network is touched. What is not called by name cannot be seen: ``x * (x > 0)``, ``x * sigmoid(x)``,
custom autograd functions, compiled code.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import NetworkError
from .autograd import gradient

Rule = Literal["guided", "deconvnet", "redirected"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Activation:
    """How one call of an activation bends: what the guided rule needs to know of it."""

    name: str
    bends: Literal["at zero", "in a band", "smoothly"]
    low: float = 0.0
    high: float = float("inf")
    slope: float = 1.0  # above zero
    from_output: bool = False  # judge by the output, as PyTorch does for ReLU; else by the input

    def gate(self, saved: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
        """The factor of the guided rule, of the saved input or output."""
        if self.bends == "at zero":
            return (saved > 0).to(saved) * self.slope
        if self.bends == "in a band":
            return (saved > self.low) & (saved < self.high)
        return _backward(run, saved, torch.ones_like(saved)).clamp(min=0)


def _backward(run: Callable[[Tensor], Tensor], z: Tensor, above: Tensor) -> Tensor:
    """The activation's own backward pass, with a graph where somebody differentiates an explanation."""
    keep_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        return torch.autograd.grad(run(z.clone()), z, above, create_graph=keep_graph)[0]


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


def _callables(names: Iterable[str]) -> dict[Any, str]:
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


_ACTIVATIONS = _callables(KNOWN)
_GATES = _callables(GATES)


class _Ruled(torch.autograd.Function):
    """An activation whose backward pass is a rule's; it works in place where the activation does."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, run: Callable, activation: Activation, mode: "_Mode") -> Tensor:
        output = run(z)
        if output is z:
            ctx.mark_dirty(z)
        ctx.run, ctx.activation, ctx.mode = run, activation, mode
        if mode.keep_graph or mode.rule == "redirected":
            ctx.save_for_backward(z)
        elif mode.rule == "guided":
            ctx.save_for_backward(output if activation.from_output or output is z else z)
        return output

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple:
        if not ctx.mode.explaining:
            return _backward(ctx.run, *ctx.saved_tensors, above), None, None, None
        if ctx.mode.rule == "redirected":
            return _redirected(ctx.run, ctx.activation, *ctx.saved_tensors, above), None, None, None
        passed = above.clamp(min=0)
        if ctx.mode.rule == "guided":
            (saved,) = ctx.saved_tensors
            if ctx.activation.from_output:
                passed = torch.ops.aten.threshold_backward(passed, saved, 0)
            else:
                passed = passed * ctx.activation.gate(saved, ctx.run)
        return passed, None, None, None


def _redirected(run: Callable[[Tensor], Tensor], activation: Activation, z: Tensor, above: Tensor) -> Tensor:
    """The activation's own backward pass, or for samples (the first dimension) that it stops, what would open it."""
    passed = _backward(run, z, above)
    shut = _backward(run, z, torch.ones_like(above)) == 0
    opens = torch.where(z < activation.high, above > 0, above < 0)
    stopped = ~passed.reshape(*passed.shape[:1], -1).any(-1)
    stopped = stopped.view((*stopped.shape, *[1] * (passed.dim() - 1)))
    return torch.where(stopped & shut & opens, above, passed)


def _in_place(z: Tensor, run: Callable, activation: Activation) -> bool:
    # Those that bend elsewhere than smoothly may hold a tensor of z's shape, such as zeros_like(z).
    probe = z.new_zeros(1) if activation.bends == "smoothly" else z.detach().clone()
    return run(probe) is probe


class _Mode(TorchFunctionMode):
    """Calls of activations, replaced by ones with the rule's backward pass, and counted."""

    def __init__(self, rule: Rule, keep_graph: bool = False) -> None:
        super().__init__()
        self.rule, self.keep_graph = rule, keep_graph
        # Whoever differentiates the explanation afterwards needs the derivative of what the network computes.
        self.explaining = True
        self.replaced: Counter[str] = Counter()
        self.gates: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in _GATES:
            self.gates[_GATES[func]] += 1
        if func not in _ACTIVATIONS:
            return func(*args, **kwargs)
        activation = KNOWN[_ACTIVATIONS[func]]
        z, rest, options = _input_of(args, kwargs)
        if activation.name in ("maximum", "max") and rest and isinstance(z, Tensor) and _is_zero(z):
            z, rest = rest[0], (z,)  # the other way round
        activation = _as_called(activation, rest, options)
        if activation is None or not isinstance(z, Tensor) or not z.requires_grad:
            return func(*args, **kwargs)
        self.replaced[activation.name] += 1

        def run(value: Tensor) -> Tensor:
            return func(value, *rest, **options)

        kept = self.keep_graph or self.rule == "redirected"
        needs_input = kept or self.rule == "guided" and activation.bends == "smoothly"
        if needs_input and _in_place(z, run, activation):
            return z.copy_(_Ruled.apply(z.clone(), lambda value: run(value.clone()), activation, self))
        return _Ruled.apply(z, run, activation, self)


def _input_of(args: tuple, kwargs: dict) -> tuple[Any, tuple, dict]:
    """The activation's input, and its other arguments."""
    if args:
        return args[0], args[1:], kwargs
    options = dict(kwargs)
    return options.pop("input", None), (), options


def _as_called(activation: Activation, rest: tuple, options: dict) -> Activation | None:
    """The activation that a call with these arguments is; None for a call that is none."""
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


def ruled_gradient(
    function: Callable[[Tensor], Tensor], inputs: Tensor, rule: Rule, network: object, *, keep_graph: bool = False
) -> tuple[Tensor, Counter[str]]:
    """The gradient of a score, with a backward rule in place of the derivative of every activation.

    Args:
        function: runs the network and takes (N, ...) inputs to (N,) scores.
        inputs: (N, ...), requiring grad.
        rule: "guided" or "deconvnet", see the table above.
        network: what runs, to say why nothing was replaced.
        keep_graph: whether the result shall be differentiable itself; its derivative follows no rule.

    Returns:
        (N, ...), and how many calls of which activation were replaced.

    Raises:
        NetworkError: no activation was found; the message names the cause.
    """
    score, mode = _run(function, inputs, rule, network, keep_graph)
    counted = ", ".join(f"{count} {name}" for name, count in mode.replaced.most_common())
    _log.info("%s rule on %d activations: %s", rule, mode.replaced.total(), counted)
    explained = gradient(score, inputs, keep_graph=keep_graph)
    mode.explaining = False
    return explained, mode.replaced


def redirected() -> TorchFunctionMode:
    """A block; the gradient of what runs in it, asked for after its end, follows the redirected rule above."""
    return _Mode("redirected")


def activations_called(function: Callable[[Tensor], Tensor], inputs: Tensor, network: object) -> Counter[str]:
    """How many calls of which activation the rules would replace; NetworkError if there is none."""
    return _run(function, inputs, "deconvnet", network)[1].replaced


def _run(
    function: Callable[[Tensor], Tensor], inputs: Tensor, rule: Rule, network: object, keep_graph: bool = False
) -> tuple[Tensor, _Mode]:
    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules):
        raise NetworkError(f"{rule} rules cannot see into TorchScript; build the network in Python instead")
    with _Mode(rule, keep_graph) as mode:
        output = function(inputs)
    if not mode.replaced:
        raise NetworkError(f"found no activation to apply the {rule} rule to: {_cause(mode.gates, modules)}")
    return output, mode


def _cause(gates: Counter[str], modules: list[nn.Module]) -> str:
    if any(hasattr(module, "_orig_mod") for module in modules):
        return "the network is compiled; pass the one it was compiled from (._orig_mod)"
    if gates:
        return f"the network bends with {' and '.join(gates)} alone, which the rules leave as they are"
    return "the network calls none that is known by name (relu, silu, gelu, ...), so this would be the plain gradient"
