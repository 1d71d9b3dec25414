"""What layers give while a network runs: recorded, or replaced by something else."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from torch import Tensor, nn

from ..errors import NetworkError
from .backward_rules.activation_calls import function_calls
from .hooks import find_layer, function_named
from .layout import Layout
from .opaque import check_layers_show


class Recording(dict[str, Tensor]):
    """Layer name to the output of that layer in the last forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.wanted: dict[str, int | None] = {}  # the number of the call that a name means; None for the last one
        self.layouts: Mapping[str, Layout] = {}
        self.whole: dict[str, Tensor] = {}  # the outputs of which the maps are parts

    def call(self, layer: str) -> str:
        """The layer's name with the number of the call that was recorded, as "relu#2"."""
        return layer if self.wanted[layer] else f"{layer}#{self.calls[layer]}"

    def __missing__(self, layer: str) -> Tensor:
        raise NetworkError(f"layer {layer!r} did not run in this forward pass, or ran fewer times than asked for")


@contextmanager
def recorded(
    network: nn.Module,
    *layers: str,
    cut: bool = False,
    enough: Mapping[str, int] | None = None,
    layouts: Mapping[str, Layout] | None = None,
) -> Iterator[Recording]:
    """Record the outputs of layers while the block runs the network.

    The record is a copy, and the network continues with another copy, so that an in-place layer after
    the recorded one cannot change the record. What other threads run meanwhile is not recorded.

    Args:
        network: the network that runs inside the block.
        layers: dotted names; ``name#2`` is the second call of a module, ``name`` the last one. An
            activation that a module calls as a function is ``module.F.relu``, or ``F.relu`` in the network's own code.
        cut: start the graph at these layers: each record is a leaf that requires grad, and nothing
            below is kept. The score then does not depend on a layer below another recorded one.
        enough: layer to number of calls, such as an earlier recording's ``calls``: once these calls
            have run, the network stops and the block ends.
        layouts: layer to how its output is laid out; what is recorded of such a layer is a map (N, K, u, v).

    Yields:
        A mapping from each name to its tensor, filled when the network runs.

    Raises:
        UnknownNameError: a layer that does not exist.
        NetworkError: a layer that is read did not run, or its output is not a tensor.
    """
    check_layers_show(network)
    recording = Recording()
    recording.layouts = layouts or {}
    with ExitStack() as hooks:
        for layer in layers:
            _, wanted = find_layer(network, layer)
            recording.wanted[layer] = wanted
            hooks.enter_context(_at(network, layer, _recorder(recording, layer, wanted, cut, enough)))
        try:
            yield recording
        except _Enough:
            pass


class _Enough(Exception):
    """Stops a network that has run as far as needed."""


def _at(network: nn.Module, layer: str, handle: Callable[[object], Tensor | None]) -> AbstractContextManager:
    """A block in which every call of a layer, by this thread, is handed over; what comes back replaces its output."""
    module, _ = find_layer(network, layer)
    function, thread = function_named(network, layer), threading.get_ident()
    if function is None:

        def hook(module: nn.Module, args: tuple, output: object) -> Tensor | None:
            return handle(output) if threading.get_ident() == thread else None

        return module.register_forward_hook(hook)
    return function_calls(
        module, lambda caller, name, output: handle(output) if caller is module and name == function else None
    )


def _recorder(
    recording: Recording, layer: str, wanted: int | None, cut: bool, enough: Mapping[str, int] | None
) -> Callable[[object], Tensor | None]:
    layout = recording.layouts.get(layer)

    def record(output: object) -> Tensor | None:
        recording.calls[layer] += 1
        passed_on = None
        if wanted is None or recording.calls[layer] == wanted:
            if not isinstance(output, Tensor):
                kind = type(output).__name__
                raise NetworkError(f"layer {layer!r} gives a {kind}, not a tensor; name a layer inside it")
            passed_on = keep(output)
        if enough and all(recording.calls[name] >= calls for name, calls in enough.items()):
            raise _Enough
        return passed_on

    def keep(output: Tensor) -> Tensor:
        # In a narrow format, sums over channels and the like would not be exact enough.
        kept = output.float() if output.is_floating_point() and output.element_size() < 4 else output.clone()
        whole = kept
        if layout is not None:
            kept = layout.to_map(kept)
        if cut:
            kept = kept.detach().requires_grad_()
        recording[layer], recording.whole[layer] = kept, whole.detach()
        back = kept if layout is None else layout.from_map(kept, whole.detach() if cut else whole)
        return back.to(output.dtype, copy=True)

    return record


@contextmanager
def edited(
    network: nn.Module, layer: str, edit: Callable[[Tensor], Tensor], layout: Layout | None = None
) -> Iterator[None]:
    """Replace a layer's output by what ``edit`` makes of it, or of its map, while the block runs the network once.

    "relu#2" means the second call of a module, "relu" every one.
    """
    (_, wanted), calls = find_layer(network, layer), 0

    def replace(output: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if wanted not in (None, calls):
            return None
        return edit(output) if layout is None else layout.from_map(edit(layout.to_map(output)), output)

    with _at(network, layer, replace):
        yield
