"""Where the path of the gradient is cut: between which layers of a network, and by what."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import NetworkError, NoGradientError
from .hooks import left_as_found
from .recording import Recording, recorded

# What PyTorch says where a gradient that is asked for cannot be had.
SAID = ("use_reentrant", "Can't call numpy() on Tensor that requires grad", "does not require grad")
Run = Callable[[Tensor], object]


@contextmanager
def path_told(network: nn.Module, inputs: Tensor, run: Run, layer: Callable[[], str | None]) -> Iterator[None]:
    """A block in which a gradient that does not exist is a NetworkError that says where its path is cut.

    ``run`` takes inputs (N, ...) to logits, and ``layer`` gives the layer that the gradient goes back to, or None for
    the inputs.
    """
    try:
        yield
    except NoGradientError as error:
        raise NetworkError(_sentence(network, inputs, run, layer())) from error
    except RuntimeError as error:
        if not any(text in str(error) for text in SAID):
            raise
        raise NetworkError(_sentence(network, inputs, run, layer())) from error


def _sentence(network: nn.Module, inputs: Tensor, run: Run, layer: str | None) -> str:
    place = where_cut(network, inputs, run, layer)
    if place is None and layer is not None:
        place = where_cut(network, inputs, run, None)
        if place is None:
            return f"the score does not depend on layer {layer!r}; name one on the way from the picture to the logits"
    to = "the picture" if layer is None else f"layer {layer!r}"
    place = place or "behind the logits, in the score that is explained"
    return f"the score has no gradient to {to}: the path is cut {place}; methods that only run forwards still work"


@dataclass(frozen=True)
class _Ended:
    """One call of a module that has ended."""

    name: str  # "" is the network itself
    module: nn.Module
    given: list[Tensor]
    output: list[Tensor]
    mode: str  # what switches gradients off while it runs, or ""

    @property
    def took(self) -> bool:
        """Whether something that it was given has a gradient."""
        return any(tensor.requires_grad for tensor in self.given)

    @property
    def gave(self) -> bool:
        """Whether something that it returned has a gradient."""
        return any(tensor.requires_grad for tensor in self.output)


def where_cut(network: nn.Module, inputs: Tensor, run: Run, layer: str | None = None) -> str | None:
    """Where and by what the path of the gradient is cut between a layer, or the inputs (N, ...), and the logits.

    The answer is the end of a sentence such as "in 'backbone', which runs under torch.no_grad"; None if it is not cut.
    """
    ended: list[_Ended] = []
    recording, output = Recording(), None
    with ExitStack() as blocks:
        blocks.enter_context(left_as_found(network))
        blocks.enter_context(_noted(network, ended, lambda: layer is None or layer in recording))
        if layer is not None:
            recording = blocks.enter_context(recorded(network, layer, cut=True))
        try:
            output = run(inputs[:1].detach().clone().requires_grad_())
        except RuntimeError as error:
            if not any(text in str(error) for text in SAID):
                raise
            after = next((call.name for call in reversed(ended) if call.gave), "")
            return f"behind {after!r}, by {_called(error)}" if after else f"before any layer, by {_called(error)}"
    if _checkpointed(output):
        return "by re-entrant checkpointing: call torch.utils.checkpoint with use_reentrant=False"
    return _place(ended) or _hollow(ended, layer or "")


def _called(error: RuntimeError) -> str:
    return "a call of numpy()" if "numpy" in str(error) else " ".join(str(error).split())


@contextmanager
def _noted(network: nn.Module, ended: list[_Ended], begun: Callable[[], bool]) -> Iterator[None]:
    """A block that notes every call of a module that ends once ``begun`` is true."""
    names, thread = {module: name for name, module in network.named_modules()}, threading.get_ident()

    def note(module: nn.Module, args: tuple, options: dict, output: object) -> None:
        if threading.get_ident() != thread or not begun():
            return
        mode = "torch.inference_mode" if torch.is_inference_mode_enabled() else "torch.no_grad"
        given = _tensors([args, options])
        ended.append(_Ended(names[module], module, given, _tensors(output), "" if torch.is_grad_enabled() else mode))

    with ExitStack() as hooks:
        for module in names:
            hooks.enter_context(module.register_forward_hook(note, with_kwargs=True))
        yield


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def _checkpointed(output: object) -> bool:
    """Whether the graph of an output leads through torch's re-entrant checkpointing."""
    waiting, seen = [tensor.grad_fn for tensor in _tensors(output)], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if node.name().startswith("CheckpointFunction"):
            return True
        seen.add(node)
        waiting.extend(following for following, _ in node.next_functions)
    return False


def _place(ended: list[_Ended]) -> str | None:
    """Where the gradient is lost among calls in the order in which they ended; None if it is not."""
    number, lost = next(((i, call) for i, call in enumerate(ended) if call.took and not call.gave), (0, None))
    if lost is None:
        first = next((call for call in ended if call.name), None)
        return f"before {first.name!r}" if first is not None and not any(call.gave for call in ended) else None
    if lost.mode:
        around = [call for call in ended[number:] if call.mode and f"{lost.name}.".startswith(f"{call.name}.")]
        return f"in {(around or [lost])[-1].name!r}, which runs under {lost.mode}"
    inside = [call for call in ended[:number] if not lost.name or call.name.startswith(f"{lost.name}.")]
    own = f"in {lost.name!r} ({type(lost.module).__name__})" if lost.name else "in the network's own code"
    last = next((place for place in reversed(range(len(inside))) if inside[place].gave), None)
    if last is None:
        return f"{own}{_reason(lost)}"
    following = next((call for call in inside[last + 1 :] if not call.took), None)
    where = f"between {inside[last].name!r} and {following.name!r}" if following else f"behind {inside[last].name!r}"
    return f"{where}, {own}, as detach, .data, argmax or NumPy do"


def _hollow(ended: list[_Ended], layer: str) -> str | None:
    """The innermost call whose output claims a gradient that does not lead to what the call was given."""
    around = {
        call.name for call in ended if not call.name or layer.startswith(f"{call.name}.")
    }  # the graph starts inside
    for call in (call for call in ended if call.name not in around):
        given, output = ([t for t in part if t.requires_grad] for part in (call.given, call.output))
        if given and output:
            total = sum(tensor.sum() for tensor in output)
            slopes = torch.autograd.grad(total, given, retain_graph=True, allow_unused=True)
            if all(slope is None for slope in slopes):
                return f"in {call.name!r} ({type(call.module).__name__}){_reason(call)}"
    return None


def _reason(lost: _Ended) -> str:
    if "quantized" in type(lost.module).__module__:
        return ", which is quantised"
    if not any(tensor.is_floating_point() for tensor in lost.output):
        return ", which gives whole numbers"
    return ", as detach, a quantised or an exported part do"
