"""Blocks that look into a network while it runs, and leave it as it was; no other file sets hooks."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import NetworkError, UnknownNameError, did_you_mean


class Recording(dict[str, Tensor]):
    """Layer name to the output of that layer in the last forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def call(self, layer: str) -> str:
        """The layer's name with the number of the call that was recorded, as "relu#2"."""
        return layer if "#" in layer else f"{layer}#{self.calls[layer]}"

    def __missing__(self, layer: str) -> Tensor:
        raise NetworkError(f"layer {layer!r} did not run in this forward pass, or ran fewer times than asked for")


@dataclass(frozen=True)
class Call:
    """One call of one module of a network in a forward pass."""

    name: str  # the module's dotted name and the number of this call of it, such as "relu#1"
    module: nn.Module
    inputs: tuple
    output: Tensor


def find_layer(network: nn.Module, name: str) -> tuple[nn.Module, int | None]:
    """The module with a dotted name, and which of its calls is meant.

    Args:
        network: where to look.
        name: such as ``layer4.1`` or, for the second call of a module that is used several times,
            ``layer4.1.relu#2``.

    Returns:
        The module, and the number of the call counted from 1, or None for the last one.

    Raises:
        UnknownNameError: no such layer; the message lists the close names.
    """
    path, _, call = name.partition("#")
    modules = dict(network.named_modules())
    if path not in modules or not path or (call and not (call.isdigit() and int(call) > 0)):
        hint = did_you_mean(path, filter(None, modules)) or _children(path, modules)
        raise UnknownNameError(f"no layer {name!r} in {type(network).__name__}{hint}")
    return modules[path], int(call) if call else None


def _children(path: str, modules: dict[str, nn.Module]) -> str:
    """The names one level below the longest part of ``path`` that exists."""
    while path and path not in modules:
        path = path.rpartition(".")[0]
    names = [f"{path}.{name}" if path else name for name, _ in modules[path].named_children()]
    return f"; {path or 'the network'} has {', '.join(names)}" if names else ""


@contextmanager
def recorded(
    network: nn.Module, *layers: str, cut: bool = False, enough: Mapping[str, int] | None = None
) -> Iterator[Recording]:
    """Record the outputs of layers while the block runs the network.

    The record is a copy, and the network continues with another copy, so that an in-place layer after
    the recorded one cannot change the record.

    Args:
        network: the network that runs inside the block.
        layers: dotted names; ``name#2`` is the second call of a module, ``name`` the last one.
        cut: start the graph at these layers: each record is a leaf that requires grad, and nothing
            below is kept. The score then does not depend on a layer below another recorded one.
        enough: layer to number of calls, such as an earlier recording's ``calls``: once these calls
            have run, the network stops and the block ends.

    Yields:
        A mapping from each name to its tensor, filled when the network runs.

    Raises:
        UnknownNameError: a layer that does not exist.
        NetworkError: a layer that is read did not run, or its output is not a tensor.
    """
    recording = Recording()
    with ExitStack() as hooks:
        for layer in layers:
            module, wanted = find_layer(network, layer)
            hook = _recorder(recording, layer, wanted, cut)
            hooks.enter_context(module.register_forward_hook(hook))
            if enough:
                hooks.enter_context(module.register_forward_hook(_stopper(recording, enough)))
        try:
            yield recording
        except _Enough:
            pass


class _Enough(Exception):
    """Stops a network that has run as far as needed."""


def _stopper(recording: Recording, enough: Mapping[str, int]) -> Callable:
    def hook(module: nn.Module, args: tuple, output: Tensor) -> None:
        if all(recording.calls[layer] >= calls for layer, calls in enough.items()):
            raise _Enough

    return hook


def _recorder(recording: Recording, layer: str, wanted: int | None, cut: bool) -> Callable:
    def hook(module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
        recording.calls[layer] += 1
        if wanted is not None and recording.calls[layer] != wanted:
            return None
        if not isinstance(output, Tensor):
            raise NetworkError(f"layer {layer!r} gives a {type(output).__name__}, not a tensor; name a layer inside it")
        # In a narrow format, sums over channels and the like would not be exact enough.
        kept = output.float() if output.is_floating_point() and output.element_size() < 4 else output.clone()
        if cut:
            kept = kept.detach().requires_grad_()
        recording[layer] = kept
        return kept.to(output.dtype, copy=True)

    return hook


@contextmanager
def counted(network: nn.Module) -> Iterator[Counter[str]]:
    """Count the pictures that go through a network inside the block, under the key "passes"."""
    count: Counter[str] = Counter()

    def hook(module: nn.Module, args: tuple) -> None:
        count["passes"] += len(args[0])

    with network.register_forward_pre_hook(hook):
        yield count


@contextmanager
def edited(network: nn.Module, layer: str, edit: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replace a layer's output by what ``edit`` makes of it, while the block runs the network once.

    "relu#2" means the second call of a module, "relu" every one.
    """
    module, wanted = find_layer(network, layer)
    calls = 0

    def hook(module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        return edit(output) if wanted in (None, calls) else None

    with module.register_forward_hook(hook):
        yield


def traced(network: nn.Module, run: Callable[[], object], visit: Callable[[Call], None]) -> None:
    """Run a network and visit every call of its submodules that gives a tensor, in the order in which they end.

    A later in-place layer may change that tensor, so the visitor reads what it needs at once.
    """
    names = {module: name for name, module in network.named_modules() if name}
    calls: Counter[nn.Module] = Counter()

    def hook(module: nn.Module, args: tuple, output: object) -> None:
        calls[module] += 1
        if isinstance(output, Tensor):
            visit(Call(f"{names[module]}#{calls[module]}", module, args, output))

    with ExitStack() as hooks:
        for module in names:
            hooks.enter_context(module.register_forward_hook(hook))
        run()


@contextmanager
def left_as_found(network: object, device: torch.device | None = None) -> Iterator[None]:
    """Evaluate a network, or any other callable, without leaving a trace in it.

    Inside the block every module is in evaluation mode, no parameter requires a gradient (so none is computed), and
    gradients are recorded even under ``no_grad`` or ``inference_mode``. Afterwards, also after an exception, each
    module's training flag, each parameter's ``requires_grad`` and the random generators, of the CPU and of the
    device, are what they were.
    """
    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    parameters = list(network.parameters()) if modules else []
    state = [*parameters, *network.buffers()] if modules else []
    if any(tensor.is_inference() for tensor in state):
        raise NetworkError(
            "the network's weights were made under torch.inference_mode and can carry no gradient; "
            "build or load the network outside of it"
        )
    training = [module.training for module in modules]
    trained = [parameter.requires_grad for parameter in parameters]
    cuda = [device] if device is not None and device.type == "cuda" else []
    try:
        for module in modules:
            module.training = False
        for parameter in parameters:
            parameter.requires_grad_(False)
        with torch.random.fork_rng(cuda), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module, flag in zip(modules, training, strict=True):
            module.training = flag
        for parameter, flag in zip(parameters, trained, strict=True):
            parameter.requires_grad_(flag)
