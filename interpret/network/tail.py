"""A network's part above a layer, run again and again without what lies below."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

from torch import Tensor, nn

from .hooks import find_layer


@dataclass(eq=False)
class _Node:
    """A call of a module in a traced pass, with the calls inside it."""

    module: nn.Module
    calls: list["_Node"] = field(default_factory=list)
    by_rows: bool = False  # whether it gives a tensor with a row for each image
    done: bool = False  # before the layer's call was


@dataclass(eq=False)
class _Step:
    """What a later pass does with a call: run it, return what it gave or, where nobody looks at that, its input."""

    module: nn.Module
    does: Literal["run", "return", "pass", "layer"]
    output: Tensor | None = None


class Tail:
    """What comes after a layer; what comes before it is computed once, by the modules that end before the layer does.

    Functions called between such modules run again, on what these gave.

    Args:
        network: the network.
        layer: a dotted name with the number of its call, ``name#2``.
        run: runs the network for one image.
    """

    def __init__(self, network: nn.Module, layer: str, run: Callable[[], object]) -> None:
        self.copies = False  # whether later passes may write into what modules gave
        top = _Node(network)
        stack = [top]
        with _instead(network.modules(), lambda module, forward: _noted(module, forward, stack)):
            run()
        self.steps = list(_plan(top, _call_of(top, *find_layer(network, layer))))

    @contextmanager
    def first_pass(self) -> Iterator[None]:
        """A block that runs the network once for all images, and keeps what later passes need."""
        with self._by_steps(_keep):
            yield

    @contextmanager
    def later_pass(self, rows: Tensor, output: Tensor) -> Iterator[None]:
        """A block that runs the network once, for the images of these numbers (M,), whose layer gives (M, ...)."""

        def answer(step: _Step, forward: Callable, args: tuple, kwargs: dict) -> Any:
            if step.does == "layer":
                return output
            if step.does == "pass":
                return args[0]
            return step.output[rows] if self.copies else of_rows(step.output, rows)

        with self._by_steps(answer):
            yield

    @contextmanager
    def _by_steps(self, answer: Callable) -> Iterator[None]:
        """A block in which the calls of the steps, in their order, are answered unless they are to run."""
        waiting = list(reversed(self.steps))

        def follow(module: nn.Module, forward: Callable) -> Callable:
            def followed(*args: Any, **kwargs: Any) -> Any:
                if not waiting or waiting[-1].module is not module:
                    return forward(*args, **kwargs)
                step = waiting.pop()
                if step.does == "run":
                    return forward(*args, **kwargs)
                # What is called inside is no step, though it may be a module of the next one.
                later = waiting[:]
                waiting.clear()
                output = answer(step, forward, args, kwargs)
                waiting.extend(later)
                return output

            return followed

        with _instead({step.module for step in self.steps}, follow):
            yield


def _keep(step: _Step, forward: Callable, args: tuple, kwargs: dict) -> Any:
    output = forward(*args, **kwargs)
    if step.does == "return":
        step.output = output.clone()  # a later call may change it in place
    return output


def of_rows(values: Tensor, rows: Tensor) -> Tensor:
    """Some rows of (N, ...), without a copy where all are the same."""
    first = int(rows[0])
    if bool((rows == first).all()):
        return values[first : first + 1].expand(len(rows), *values.shape[1:])
    return values[rows]


def _call_of(top: _Node, module: nn.Module, number: int | None) -> _Node:
    """One call of a module; all that end before it are marked as done."""
    order = list(_ended(top))
    wanted = [node for node in order if node.module is module][-1 if number is None else number - 1]
    for node in order[: order.index(wanted)]:
        node.done = True
    return wanted


def _plan(node: _Node, layer: _Node) -> Iterator[_Step]:
    """The steps up to the layer."""
    in_order = type(node.module).forward is nn.Sequential.forward
    for call, following in zip_longest(node.calls, node.calls[1:]):
        if call is layer:
            yield _Step(call.module, "layer")
            return
        if not call.done or not call.by_rows:
            yield _Step(call.module, "run")
            yield from _plan(call, layer)
        elif in_order and following is not None and (following is layer or following.done and following.by_rows):
            yield _Step(call.module, "pass")
        else:
            yield _Step(call.module, "return")
        if not call.done:
            return


def _ended(node: _Node) -> Iterator[_Node]:
    for call in node.calls:
        yield from _ended(call)
        yield call


def _noted(module: nn.Module, forward: Callable, stack: list[_Node]) -> Callable:
    """A forward that notes its call in the innermost call that runs."""

    def noted(*args: Any, **kwargs: Any) -> Any:
        node = _Node(module)
        stack[-1].calls.append(node)
        stack.append(node)
        output = forward(*args, **kwargs)
        stack.pop()
        node.by_rows = isinstance(output, Tensor) and output.dim() > 1 and len(output) == 1
        return output

    return noted


@contextmanager
def _instead(modules: Iterable[nn.Module], made: Callable[[nn.Module, Callable], Callable]) -> Iterator[None]:
    """A block in which modules have other forwards, each made of the module and its own."""
    changed = []
    try:
        for module in modules:
            changed.append((module, module.__dict__.get("forward")))
            module.forward = made(module, module.forward)
        yield
    finally:
        for module, own in changed:
            if own is None:
                module.__dict__.pop("forward", None)
            else:
                module.forward = own
