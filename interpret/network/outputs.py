"""The logits in whatever a network returns, by its shape, its names and the function that it ends in."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InterpretError, NetworkError, NotFiniteError, did_you_mean
from .endings import BOUNDED, SQUASHING, Ending, EndingSeen, is_flat, is_opaque

TASKS = ("classification", "multilabel", "regression")
SHARES = (
    "the outputs lie in [0, 1] and may be probabilities, but are not what a sigmoid gave: return logits, or say what "
    'they are by task="multilabel", or "classification" for one probability, or "regression" (--task in the shell)'
)
SUM_TOLERANCE = {torch.bfloat16: 1e-2, torch.float16: 2e-3}  # how far rounding takes a sum of probabilities from 1
REMEDY = (
    "explain pixels(class) of a segmentation, box(class) of a detection, or a function of yours of what it returns "
    "(--score pixels, box or package.module:function in the shell)"
)


def first_tensor(output: object) -> Tensor:
    """The logits (N, classes) in what a network returns: a tensor, tuple, list, dict, or object with ``.logits``.

    NetworkError where there is none, or where it may be one of several.
    """
    if isinstance(found := logits_in(output), str):
        raise NetworkError(found)
    return found


def logits_in(output: object) -> Tensor | str:
    """The one floating tensor in an output that can be logits, as (N, classes); or else why there is none."""
    named = parts(output)
    if "logits" in named:
        named = {"logits": named["logits"]}
    numbers = {name: value for name, value in named.items() if isinstance(value, Tensor) and value.is_floating_point()}
    able = [name for name, value in numbers.items() if is_flat(value)]
    if len(able) > 1:
        shapes = ", ".join(f"{name} {tuple(numbers[name].shape)}" for name in able)
        return (
            f"the network returned several outputs that may be its logits: {shapes}; say which one is meant, such as "
            f"output={able[-1]!r} (--output-key {able[-1]} in the shell)"
        )
    if not able:
        return f"a classifier returns logits of shape (N, classes); this network returned {_in_words(output)}; {REMEDY}"
    found = numbers[able[0]]
    return found.reshape(-1, 1) if found.dim() < 2 else found.flatten(1)


def picked(output: object, key: str | int | None) -> Any:
    """The part of an output that a key, the name of an attribute or a position names; NetworkError if there is none.

    Without a key it is all of the output.
    """
    if key is None:
        return output
    if isinstance(output, Tensor):
        raise NetworkError(f"the network returned one tensor {tuple(output.shape)}, in which there is no part {key!r}")
    named = parts(output)
    if key not in named and str(key).isdigit():
        key = int(key)
    if isinstance(key, int) and isinstance(output, Sequence) and -len(output) <= key < len(output):
        return output[key]
    if key not in named:
        hint = did_you_mean(str(key), map(str, named)) or f"; it has {', '.join(map(str, named)) or 'none'}"
        raise NetworkError(f"what the network returned has no part {key!r}{hint}")
    return named[key]


def parts(output: object) -> dict[str | int, Any]:
    """What a network returned by name, or by position where parts have no names; a tensor is its own only part."""
    if isinstance(output, dict):
        return dict(output)
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return dict(zip(output._fields, output, strict=True))
    if isinstance(output, list | tuple):
        return dict(enumerate(output))
    return {0: output} if isinstance(output, Tensor) else dict(getattr(output, "__dict__", {}))


def row_of(output: Any, row: int) -> Any:
    """What a network returned for one image alone, of a batch: a batch of one in the same form."""
    if isinstance(output, Tensor):
        return output[row : row + 1] if output.dim() else output
    if isinstance(output, dict):
        return type(output)({name: row_of(value, row) for name, value in output.items()})
    if isinstance(output, list):  # such as the boxes of each image
        return output[row : row + 1]
    return tuple(row_of(value, row) for value in output) if isinstance(output, tuple) else output


def top_outputs(logits: Tensor, task: str) -> Tensor:
    """(N,) what logits (N, classes) say first: the likeliest class or label, or the one output of a regression."""
    if task == "regression" and logits.shape[1] > 1:
        raise InterpretError(f"a regression has no top prediction; name one of its {logits.shape[1]} outputs")
    return logits.argmax(1)


def _in_words(output: object) -> str:
    if isinstance(output, Tensor):
        kind = "" if output.is_floating_point() else f" of {output.dtype}"
        return f"{tuple(output.shape)}{kind}"
    if named := {name: value for name, value in parts(output).items() if isinstance(value, Tensor)}:
        return ", ".join(f"{name} {tuple(value.shape)}" for name, value in named.items())
    if isinstance(output, list | tuple | dict):
        return f"a {type(output).__name__} of {len(output)}" if output else "NoneType"
    return type(output).__name__


def watched(run: Callable[[], Any], network: nn.Module, known: dict[str, Any]) -> tuple[Any, Ending | None]:
    """What a run of a network returns, and the call that may be its ending.

    Watching costs time at every call. A network whose outputs were shown to be plain, neither of an ending nor all in
    [0, 1], is remembered in ``known`` as long as nothing in it is exchanged, and not watched again; a picture whose
    logits look like probabilities by chance is then no exception. No pass is made twice: methods count on it, and a
    second one may make other calls.
    """
    state = _state(network)
    if known.get("plain") == state:
        made = run()
        return made, _plain(logits_in(made))
    with EndingSeen() as seen:
        made = run()
    found = logits_in(made)
    ends = isinstance(found, Tensor) and seen.last is not None and seen.last.gave(found)
    plain = not ends and not _in_unit(found)
    known["plain"] = state if plain else None
    linear = not ends and isinstance(found, Tensor) and seen.linear is not None and seen.linear.gave(found)
    return made, _plain(found) if plain or linear else seen.last


def _plain(found: Tensor | str) -> Ending | None:
    """The ending of a network whose outputs are logits, whatever they look like."""
    return Ending("linear", found, found) if isinstance(found, Tensor) else None


def _state(network: nn.Module) -> int:
    """A number that changes when a module of a network, or what a module holds, is exchanged for another."""
    marks, left = [len(network._forward_hooks)], [network]
    for module in left:
        marks.extend(map(id, (module, *vars(module).values())))
        left.extend(part for part in module._modules.values() if part is not None)
    return hash(tuple(marks))


def _in_unit(logits: Tensor | str) -> bool:
    """Whether all are in [0, 1]."""
    return isinstance(logits, Tensor) and bool(((logits >= 0) & (logits <= 1)).all())


def read_logits(
    output: object,
    ending: Ending | None,
    pictures: int,
    *,
    task: str | None,
    labels: Sequence[str] | None,
    network: nn.Module,
) -> tuple[Tensor, str]:
    """The logits (N, classes) of so many pictures, finite and in float32 at least, and the task they belong to.

    Args:
        output: what a network returned, or the part of it that was picked.
        ending: the last call that may be what it ends in; what went into that is taken, so that nothing saturates.
        pictures: how many the network was given.
        task: one of TASKS; None for whichever the ending tells: several sigmoids are labels.
        labels: the names of the outputs, of which there may be more but not fewer than outputs.
        network: what returned it; where its calls cannot be seen, nothing is known of the ending.
    """
    logits = first_tensor(output)
    kind = ending.kind if ending is not None and ending.gave(logits) else ""
    if pictures == 1 and logits.shape[1] == 1:
        logits = logits.reshape(1, -1)  # a network that squeezes its output gives (classes,) for one image
    if len(logits) != pictures:
        raise NetworkError(f"the network gave logits for {len(logits)} pictures, not for {pictures}")
    unlike = not kind or (kind == "hardsigmoid" and logits.shape[1] > 1)
    shares = unlike and _are_shares_of_labels(logits, ending, network)
    if shares and task is None:
        raise NetworkError(SHARES)
    if task is None:
        task = "multilabel" if kind == "sigmoid" and logits.shape[1] > 1 else "classification"
    if task != "regression":
        _check_kind(kind, logits, task)
        logits = _before(ending, kind, logits, task, shares)
    logits = _checked(logits.float() if logits.element_size() < 4 else logits)
    if task == "classification" and logits.shape[1] == 1:
        logits = torch.cat([-logits / 2, logits / 2], 1)  # a softmax of these is the sigmoid
    if labels and logits.shape[1] > len(labels):
        raise NetworkError(f"{len(labels)} labels for a network with {logits.shape[1]} outputs; name each of them")
    return logits, task


def _before(ending: Ending | None, kind: str, logits: Tensor, task: str, shares: bool) -> Tensor:
    """What went into the ending of a kind; of probabilities whose ending is not known, what would have."""
    if kind == "linear":
        return logits
    if kind in ("sigmoid", "softmax") and not ending.cut:
        return ending.input.reshape(logits.shape)
    if kind == "sigmoid" or (shares and (task == "multilabel" or logits.shape[1] == 1)):
        return logits.logit(torch.finfo(logits.dtype).eps)
    return _without_softmax(logits) if task == "classification" else logits


def _checked(logits: Tensor) -> Tensor:
    bad = int((~torch.isfinite(logits)).any(1).sum())
    if bad:
        raise NotFiniteError(f"the network's output is NaN or infinite for {bad} of {len(logits)} pictures")
    return logits


def _are_shares_of_labels(logits: Tensor, ending: Ending | None, network: nn.Module) -> bool:
    """Whether outputs may be probabilities of labels, though they are not what a sigmoid gave.

    They all lie in [0, 1], and something like a sigmoid was called on as many numbers, as for the mean of several
    networks; or calls cannot be seen.
    """
    squashed = ending is not None and ending.kind in SQUASHING and ending.output.numel() == logits.numel()
    if not _in_unit(logits) or not (squashed or is_opaque(network)):
        return False
    return logits.shape[1] == 1 or not bool(_are_shares_of_classes(logits).all())


def _check_kind(kind: str, logits: Tensor, task: str) -> None:
    """Refuse what cannot be logits."""
    single = logits.shape[1] == 1
    if kind == "softmax" and (task == "multilabel" or single):
        raise InterpretError("the network ends in a softmax over its outputs, so they are neither labels nor log-odds")
    if kind in BOUNDED and single:
        raise NetworkError(f'the one output is that of {kind}, which is no log-odds; say task="regression" (--task)')


def _without_softmax(output: Tensor) -> Tensor:
    """The logarithm of rows of (N, classes) that are the output of a softmax: none below 0, and a sum of 1.

    Each picture is judged alone, so that its logits do not depend on the others in its batch.
    """
    wide = output.float() if output.element_size() < 4 else output
    if not (are_shares := _are_shares_of_classes(output)).any():
        return output
    return torch.where(are_shares, wide.clamp_min(torch.finfo(wide.dtype).tiny).log(), wide)


def _are_shares_of_classes(output: Tensor) -> Tensor:
    """(N, 1) booleans: whether none of a row of (N, classes) is below 0, and their sum is 1."""
    tolerance = SUM_TOLERANCE.get(output.dtype, 1e-4)
    total = output.sum(1, keepdim=True, dtype=torch.promote_types(output.dtype, torch.float32))
    return (output >= 0).all(1, keepdim=True) & ((total - 1).abs() < tolerance) & (output.shape[1] > 1)
