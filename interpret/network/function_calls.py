"""Activations that a network calls as functions, which no hook sees: ``F.relu`` in the forward of a module."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .activation_calls import activation_call

# Takes the module whose own code makes a call, the function's name and its output, which it may replace.
Handle = Callable[[nn.Module, str, Tensor], Tensor | None]


@contextmanager
def function_calls(network: nn.Module, handle: Handle) -> Iterator[None]:
    """A block in which every activation that a module of a network calls as a function is handed over, in order."""
    running: list[nn.Module] = []
    thread = threading.get_ident()

    def begins(module: nn.Module, args: tuple) -> None:
        if threading.get_ident() == thread:
            running.append(module)

    def ends(module: nn.Module, args: tuple, output: object) -> None:
        if threading.get_ident() == thread and running:
            running.pop()

    with ExitStack() as hooks:
        for module in network.modules():
            hooks.enter_context(module.register_forward_pre_hook(begins))
            hooks.enter_context(module.register_forward_hook(ends, always_call=True))
        hooks.enter_context(_Watch(running, handle))
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
