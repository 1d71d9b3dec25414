"""What it takes to run captum's methods on any network, without a trace in it."""

import copy
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import InterpretError, NetworkError
from ..network.autograd import leaf
from ..network.backward_rules import activations_called
from ..network.hooks import Call, traced
from ..network.outputs import first_tensor
from ..scores import Target, class_indices, score_of, target_of

_drawing = threading.RLock()
RULES = ("relu", "leaky_relu", "elu", "softplus")  # the activations that captum has rules for


@contextmanager
def quietly() -> Iterator[None]:
    """A block without captum's warnings about the hooks it sets and the gradients it switches on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def refused_in_one_line(method: str) -> Iterator[None]:
    """A block that runs captum quietly; a network that its rules cannot explain is a NetworkError of one line."""
    try:
        with quietly():
            yield
    except InterpretError:
        raise
    except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        line = " ".join(str(error).split())[:200] or type(error).__name__
        raise NetworkError(f"captum's {method} cannot explain this network: {line}") from error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block with seeded global generators, also NumPy's, from which captum draws; they are restored afterwards."""
    with _drawing:  # they are the only ones, for all threads
        before = np.random.get_state()
        np.random.seed(seed)
        torch.manual_seed(seed)  # inside left_as_found, which puts PyTorch's back
        try:
            yield
        finally:
            np.random.set_state(before)


def copied(classifier: nn.Module) -> nn.Module:
    """A copy for captum's hooks and attributes, in which no module works in place."""
    same = copy.deepcopy(classifier)
    for module in same.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return same


def target_classes(classifier: nn.Module, inputs: Tensor, target: Target, method: str) -> Tensor:
    """The class indices, checked against the network's classes, for methods that can explain nothing else."""
    if callable(target):
        raise InterpretError(f"captum's {method} explains the logit of a class, not a contrast or a group")
    with torch.no_grad():
        return class_indices(first_tensor(classifier(inputs)), target)


def check_activations(classifier: nn.Module, inputs: Tensor, known: tuple[type, ...], method: str) -> None:
    """Refuse a network with activations that captum would silently treat as linear, or mix up.

    captum attaches its rules to modules, so it misses functions and kinds that it does not know, and it mixes up the
    calls of a module that runs several times.
    """
    network, called = network_of(classifier), []

    def visit(call: Call) -> None:
        if isinstance(call.module, known):
            called.append(call.name)

    traced(network, lambda: classifier(inputs[:1]), visit)
    repeated = next((name.partition("#")[0] for name in called if not name.endswith("#1")), None)
    if repeated:
        raise NetworkError(f"captum's {method} needs a module for each activation; {repeated} is used several times")
    try:
        replaced = activations_called(classifier, leaf(inputs[:1]), network)
    except NetworkError:
        return  # there is no activation, or there are gates alone, which captum knows as modules
    relus = sum(replaced[name] for name in RULES)
    if replaced.total() != relus or relus > len(called):
        others = ", ".join(f"{count} {name}" for name, count in replaced.items())
        raise NetworkError(
            f"captum's {method} would treat some of this network's activations ({others}) as linear; "
            "it knows ReLU, leaky ReLU, ELU and Softplus, as modules; integrated gradients take any network"
        )


def check_joins(classifier: nn.Module, inputs: Tensor, joins: tuple[str, ...], method: str) -> None:
    """Refuse a network that joins two of its own results by an operation for which captum has no rule.

    captum uses the derivative of operations that are no modules: a sum hands all of the relevance down both sides, so
    that it doubles with every skip path, and a product distributes none.
    """
    waiting, seen = [first_tensor(classifier(leaf(inputs[:1]))).grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        above = [following for following, _ in node.next_functions if following is not None]
        kind = node.name().rstrip("0123456789").removesuffix("Backward")
        if kind in joins and len(above) > 1:
            raise NetworkError(
                f"captum's {method} has no rule for a network that joins its own results by {kind.lower()}, as skip "
                "paths and gates do; integrated gradients take any network"
            )
        waiting.extend(above)


def one_by_one(explain: Callable[[Tensor, int], Tensor], images: Tensor) -> Tensor:
    """Explain each image alone, so that what is drawn at random does not depend on the batch."""
    return torch.cat([explain(images[row : row + 1], row) for row in range(len(images))])


def score_of_row(classifier: nn.Module, target: Target, row: int) -> Callable[[Tensor], Tensor]:
    """The score as a function of changed copies of one image, all of which have the target of its row."""

    def score(inputs: Tensor) -> Tensor:
        rows = torch.full((len(inputs),), row, device=inputs.device)
        return score_of(classifier, inputs, target_of(target, rows))

    return score
