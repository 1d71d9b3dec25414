"""Backward rules for activations of every kind: guided backpropagation, the deconvnet and redirected gradients.

For an activation f with input z and the gradient R of its output, the rules pass on

=====================================  =============================  ==========
f                                      guided                         deconvnet
=====================================  =============================  ==========
ReLU, clamp(min=0), threshold at 0     1[z > 0] max(R, 0)             max(R, 0)
ReLU6, hardtanh, clamp(0, high)        1[low < z < high] max(R, 0)    max(R, 0)
leaky ReLU, PReLU, ELU, SELU, CELU     f'(z) 1[z > 0] max(R, 0)       max(R, 0)
SiLU, GELU, Hardswish, Mish, Softplus  f'(z) 1[f'(z) > 0] max(R, 0)   max(R, 0)
sigmoid, tanh, hardsigmoid (gates)     left alone                     left alone
=====================================  =============================  ==========

A third rule, "redirected" (lucid, https://github.com/tensorflow/lucid), passes on f'(z) R. Where that is zero for all
values of a sample, it passes on the R that would open a shut activation: R > 0 where z is below the bend, and R < 0
where z is above a cap. So a gradient reaches units that are silent.

The rules replace calls, not modules. They work for modules, also those that run twice or in place, for functions and
for tensor methods, and they do not change the network. They cannot see activations that are not called by name:
``x * (x > 0)``, ``x * sigmoid(x)``, custom autograd functions, compiled code.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...errors import NetworkError
from ..autograd import gradient
from .activation_calls import GATE_CALLS, Activation, Run, activation_call

Rule = Literal["guided", "deconvnet", "redirected"]

_log = logging.getLogger(__name__)


def _backward(run: Run, z: Tensor, above: Tensor) -> Tensor:
    """The activation's own backward pass, with a graph where somebody differentiates an explanation."""
    keep_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        return torch.autograd.grad(run(z.clone()), z, above, create_graph=keep_graph)[0]


def _gate(activation: Activation, saved: Tensor, run: Run) -> Tensor:
    """The factor of the guided rule, computed from the saved input or output."""
    if activation.bends == "at zero":
        return (saved > 0).to(saved) * activation.slope
    if activation.bends == "in a band":
        return (saved > activation.low) & (saved < activation.high)
    return _backward(run, saved, torch.ones_like(saved)).clamp(min=0)


class _Ruled(torch.autograd.Function):
    """An activation whose backward pass is a rule's; it works in place where the activation does."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, run: Run, activation: Activation, mode: "_Mode") -> Tensor:
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
                passed = passed * _gate(ctx.activation, saved, ctx.run)
        return passed, None, None, None


def _redirected(run: Run, activation: Activation, z: Tensor, above: Tensor) -> Tensor:
    """The activation's own backward pass; for samples (the first dimension) that it stops, what would open it."""
    passed = _backward(run, z, above)
    shut = _backward(run, z, torch.ones_like(above)) == 0
    opens = torch.where(z < activation.high, above > 0, above < 0)
    stopped = ~passed.reshape(*passed.shape[:1], -1).any(-1)
    stopped = stopped.view((*stopped.shape, *[1] * (passed.dim() - 1)))
    return torch.where(stopped & shut & opens, above, passed)


def _in_place(z: Tensor, run: Run, activation: Activation) -> bool:
    # A call that does not bend smoothly may have another argument of z's shape, such as zeros_like(z).
    probe = z.new_zeros(1) if activation.bends == "smoothly" else z.detach().clone()
    return run(probe) is probe


class _Mode(TorchFunctionMode):
    """Replaces calls of activations by calls with the rule's backward pass, and counts them."""

    def __init__(self, rule: Rule, keep_graph: bool = False) -> None:
        super().__init__()
        self.rule, self.keep_graph = rule, keep_graph
        # False once the explanation is made: its own derivative is that of what the network computes.
        self.explaining = True
        self.replaced: Counter[str] = Counter()
        self.gates: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in GATE_CALLS:
            self.gates[GATE_CALLS[func]] += 1
        found = activation_call(func, args, kwargs)
        if found is None or not found.input.requires_grad:
            return func(*args, **kwargs)
        activation, z, run = found
        self.replaced[activation.name] += 1
        kept = self.keep_graph or self.rule == "redirected"
        needs_input = kept or self.rule == "guided" and activation.bends == "smoothly"
        if needs_input and _in_place(z, run, activation):
            return z.copy_(_Ruled.apply(z.clone(), lambda value: run(value.clone()), activation, self))
        return _Ruled.apply(z, run, activation, self)


def ruled_gradient(
    function: Callable[[Tensor], Tensor], inputs: Tensor, rule: Rule, network: object, *, keep_graph: bool = False
) -> tuple[Tensor, Counter[str]]:
    """The gradient of (N,) scores by (N, ...) inputs, with a rule in place of the derivative of every activation.

    The second result says how many calls of which activation were replaced; if there are none, a NetworkError says
    why. With ``keep_graph`` the gradient can be differentiated itself; that derivative follows no rule.
    """
    score, mode = _run(function, inputs, rule, network, keep_graph)
    counted = ", ".join(f"{count} {name}" for name, count in mode.replaced.most_common())
    _log.info("%s rule on %d activations: %s", rule, mode.replaced.total(), counted)
    explained = gradient(score, inputs, keep_graph=keep_graph)
    mode.explaining = False
    return explained, mode.replaced


def redirected() -> TorchFunctionMode:
    """A block: the gradient of what runs inside it, computed after its end, follows the redirected rule above."""
    return _Mode("redirected")


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
