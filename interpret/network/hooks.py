"""Blocks that look into a network while it runs, and leave it as it was; no other folder sets hooks."""

import re
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import NetworkError, UnknownNameError, did_you_mean
from .backward_rules.activation_calls import KNOWN, function_calls
from .batch_statistics import each_alone

FUNCTION = re.compile(r"(?:(?P<module>.+)\.)?F\.(?P<function>\w+)")  # an activation called as a function, by name

_guard = threading.Lock()
_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_inside: Counter[int] = Counter()  # how many blocks of `_generators_kept` each thread is in
_first: list[torch.Tensor] = []  # the state of the CPU's generator before the first of them


@dataclass(frozen=True)
class Call:
    """One call of one module of a network in a forward pass, or of an activation as a function in a module's code."""

    name: str  # the module's dotted name and the number of this call of it, such as "relu#1"
    module: nn.Module
    inputs: tuple
    output: Tensor
    function: str | None = None  # the activation's name, if it is called as a function

    @property
    def path(self) -> str:
        """The module's dotted name."""
        return self.name.rpartition("#")[0]


def find_layer(network: nn.Module, name: str) -> tuple[nn.Module, int | None]:
    """The module with a dotted name, and which of its calls is meant.

    Args:
        network: where to look.
        name: such as ``layer4.1`` or, for the second call of a module that is used several times,
            ``layer4.1.relu#2``. An activation that the code of a module calls as a function is
            ``layer4.1.F.relu``, or ``F.relu`` where the module is the network itself.

    Returns:
        The module, or the one that calls the function; and the number of the call counted from 1, or None for the
        last one.

    Raises:
        UnknownNameError: no such layer; the message lists the close names.
    """
    modules = dict(network.named_modules())
    path, call = _path_and_call(name, modules)
    calling = FUNCTION.fullmatch(path) if function_named(network, name) else None
    known = path in modules and path or calling
    if not known or (call and not (call.isdigit() and int(call) > 0)):
        names = [known for known in modules if known not in ("", name)]
        hint = f"; did you mean {path!r}?" if path in names else did_you_mean(path, names) or _children(path, modules)
        raise UnknownNameError(f"no layer {name!r} in {type(network).__name__}{hint}")
    return modules[calling["module"] or "" if calling else path], int(call) if call else None


def function_named(network: nn.Module, name: str) -> str | None:
    """The activation that a layer's name means, if the layer is one that a module calls as a function."""
    modules = dict(network.named_modules())
    path, _ = _path_and_call(name, modules)
    found = FUNCTION.fullmatch(path)
    if found is None or path in modules or (found["module"] or "") not in modules:
        return None
    return found["function"] if found["function"] in KNOWN else None


def _path_and_call(name: str, modules: dict[str, nn.Module]) -> tuple[str, str]:
    """A module's dotted name, which may hold a "#" itself, and the number of its call, or "" for the last one."""
    path, mark, call = name.rpartition("#")
    return (name, "") if name in modules or not mark else (path, call)


def _children(path: str, modules: dict[str, nn.Module]) -> str:
    """The names one level below the longest part of ``path`` that exists."""
    while path and path not in modules:
        path = path.rpartition(".")[0]
    names = [f"{path}.{name}" if path else name for name, _ in modules[path].named_children()]
    return f"; {path or 'the network'} has {', '.join(names)}" if names else ""


@contextmanager
def counted(network: nn.Module) -> Iterator[Counter[str]]:
    """Count the pictures that go through a network inside the block, under the key "passes"."""
    count: Counter[str] = Counter()
    thread = threading.get_ident()

    def hook(module: nn.Module, args: tuple) -> None:
        if threading.get_ident() == thread:
            count["passes"] += len(args[0])

    with network.register_forward_pre_hook(hook):
        yield count


def traced(
    network: nn.Module, run: Callable[[], object], visit: Callable[[Call], None], *, functions: bool = False
) -> None:
    """Run a network and visit every call of its submodules that gives a tensor, in the order in which they end.

    With ``functions`` also every activation that they, or the network, call as functions. A later in-place layer may
    change that tensor, so the visitor reads what it needs at once.
    """
    names, thread = {module: name for name, module in network.named_modules()}, threading.get_ident()
    calls: Counter[str] = Counter()

    def see(name: str, module: nn.Module, inputs: tuple, output: object, function: str | None = None) -> None:
        calls[name] += 1
        if isinstance(output, Tensor):
            visit(Call(f"{name}#{calls[name]}", module, inputs, output, function))

    def hook(module: nn.Module, args: tuple, output: object) -> None:
        if threading.get_ident() == thread:
            see(names[module], module, args, output)

    def called(module: nn.Module, function: str, output: Tensor) -> None:
        see(f"{names[module]}.F.{function}".lstrip("."), module, (), output, function)

    with ExitStack() as hooks:
        for module in names:
            if module is not network:
                hooks.enter_context(module.register_forward_hook(hook))
        if functions:
            hooks.enter_context(function_calls(network, called))
        run()


@contextmanager
def left_as_found(network: object, device: torch.device | None = None) -> Iterator[None]:
    """Evaluate a network, or any other callable, without leaving a trace in it.

    Inside the block every module is in evaluation mode, no parameter requires a gradient (so none is computed),
    gradients are recorded even under ``no_grad`` or ``inference_mode``, a network that changes its input in place
    changes a copy, and batch normalisation without running statistics takes each picture by itself. Other threads wait
    at such a block of the same network. Afterwards, also after an exception, each module's training flag, each
    parameter's ``requires_grad`` and the random generators, of the CPU and of the device, are what they were.
    """
    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    state = [*network.parameters(), *network.buffers()] if modules else []
    if any(tensor.is_inference() for tensor in state):
        raise NetworkError(
            "the network's weights were made under torch.inference_mode and can carry no gradient; "
            "build or load the network outside of it"
        )
    cuda = [device] if device is not None and device.type == "cuda" else []
    with ExitStack() as blocks:
        blocks.enter_context(_only_thread(modules))
        blocks.enter_context(_frozen(network, modules))
        if modules:
            blocks.enter_context(network.register_forward_pre_hook(_copied))
            blocks.enter_context(each_alone(network))
        blocks.enter_context(_generators_kept(cuda))
        blocks.enter_context(torch.inference_mode(False))
        blocks.enter_context(torch.enable_grad())
        yield


@contextmanager
def _only_thread(modules: Sequence[nn.Module]) -> Iterator[None]:
    """A block that waits until no other thread is in such a block of the same network.

    Flags and hooks of modules are seen by every thread, so what one thread sets another would find. Networks that
    share their first layer, as a classifier and the network in it do, count as one.
    """
    first = next((module for module in modules if not module._modules), None)
    if first is None:
        yield
        return
    with _guard:
        lock = _locks.setdefault(first, threading.RLock())
    with lock:
        yield


@contextmanager
def _generators_kept(devices: Sequence[torch.device]) -> Iterator[None]:
    """A block after which the random generators, of the CPU and of these CUDA devices, are as they were before it.

    Blocks of several threads may overlap. Then none of them puts the CPU's generator back while another may draw, and
    the one that ends last restores what was there before the first.
    """
    thread = threading.get_ident()
    with _guard:
        before = torch.get_rng_state()
        if not _inside:
            _first[:] = [before]
        _inside[thread] += 1
    on_devices = [torch.cuda.get_rng_state(device) for device in devices]
    try:
        yield
    finally:
        for device, state in zip(devices, on_devices, strict=True):
            torch.cuda.set_rng_state(state, device)
        with _guard:
            _inside[thread] -= 1
            if not _inside[thread]:
                del _inside[thread]
            if not set(_inside) - {thread}:
                torch.set_rng_state(before if _inside else _first.pop())


@contextmanager
def _frozen(network: object, modules: list[nn.Module]) -> Iterator[None]:
    """A block in which all modules are in evaluation mode and no parameter requires a gradient."""
    parameters = list(network.parameters()) if modules else []
    training = [module.training for module in modules]
    trained = [parameter.requires_grad for parameter in parameters]
    try:
        for module in modules:
            module.training = False
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, flag in zip(modules, training, strict=True):
            module.training = flag
        for parameter, flag in zip(parameters, trained, strict=True):
            parameter.requires_grad_(flag)


def _copied(module: nn.Module, args: tuple) -> tuple:
    """A network's inputs as copies, since it may write over what it is given."""
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in args)
