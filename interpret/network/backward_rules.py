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
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import NetworkError
from .activation_calls import GATE_CALLS, Activation, Run, activation_call
from .autograd import gradient

Rule = Literal["guided", "deconvnet", "redirected"]

_log = logging.getLogger(__name__)


def _backward(run: Run, z: Tensor, above: Tensor) -> Tensor:
    """The activation's own backward pass, with a graph where somebody differentiates an explanation."""
    keep_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        return torch.autograd.grad(run(z.clone()), z, above, create_graph=keep_graph)[0]


def _gate(activation: Activation, saved: Tensor, run: Run) -> Tensor:
    """The factor of the guided rule, of the saved input or output."""
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
    """The activation's own backward pass, or for samples (the first dimension) that it stops, what would open it."""
    passed = _backward(run, z, above)
    shut = _backward(run, z, torch.ones_like(above)) == 0
    opens = torch.where(z < activation.high, above > 0, above < 0)
    stopped = ~passed.reshape(*passed.shape[:1], -1).any(-1)
    stopped = stopped.view((*stopped.shape, *[1] * (passed.dim() - 1)))
    return torch.where(stopped & shut & opens, above, passed)


def _in_place(z: Tensor, run: Run, activation: Activation) -> bool:
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

    Beside it: how many calls of which activation were replaced. With ``keep_graph`` the result can be differentiated
    itself, which follows no rule. A NetworkError says why a network has no activation to replace.
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
