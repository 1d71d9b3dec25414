"""From a name to a classifier: two that work offline, torchvision's, timm's, and the user's own or trained here."""

import importlib
import os
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import torch
from torch import nn

from ..classifier import Classifier, checked_precision, network_of
from ..errors import InterpretError, NetworkError, UnknownNameError, address_hint, did_you_mean, kind_and_text
from ..labels.label_files import read_labels
from ..labels.names import Labels, imagenet
from .registry import NamedNetwork, named_network
from .saved import is_trained, load_trained, read_trained
from .state_dict import State, fill, read_weights

DEFAULT = "efficientnet_lite0"
ANSWERING = ("command:", "http://", "https://")  # how the names of networks begin that only answer


class BareNetworkError(NetworkError):
    """A network that says nothing of the pictures it expects."""


File = str | os.PathLike
Options = dict[str, Any]  # those of mean, std and input_size that were given


def load(
    name: str | os.PathLike | Sequence[str | os.PathLike] = DEFAULT,
    *,
    weights: str | os.PathLike | None = None,
    labels: str | os.PathLike | Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_size: int | tuple[int, int] | None = None,
    precision: str = "float32",
) -> Classifier:
    """A trained classifier, in evaluation mode and frozen.

    Args:
        name: "efficientnet_lite0" (the default) or "squeezenet1_1", which work offline; any
            torchvision classification network; "timm:NAME"; "package.module:function", a function
            that takes no arguments and returns an ``nn.Module`` or a ``Classifier``; a ``.pt`` or
            ``.pth`` file that `interp train` wrote, with preprocessing and labels in it; or what is shown
            pictures and only answers (see `models.answers`): "command:./classify", or an address of
            this machine, "http://127.0.0.1:8000/classify". Several names are the mean of their logits.
        weights: a ``.pth``, ``.pt`` or ``.safetensors`` file with the network's state dict, for any
            number of classes; the published weights by default.
        labels: the names of the classes, or a file that holds them: one per line, or JSON.
        mean: of each channel, in [0, 1]; by default what the published weights expect.
        std: of each channel; by default likewise.
        input_size: height and width of the network's input; by default likewise.
        precision: "float32", or "bf16" or "fp16", in which a GPU is faster; see `Classifier`.

    Returns:
        The classifier, on the CPU.

    Raises:
        UnknownNameError: no such network; the message lists the close names.
        NetworkError: weights that are not available or do not fit; the message says which keys, or
            which file to fetch and where to put it.
    """
    if isinstance(name, Sequence) and not isinstance(name, str):
        return _several(name, weights, labels, mean or std, input_size=input_size, precision=precision)
    name = _checked(name, weights, mean, std)
    options = {"mean": mean, "std": std, "input_size": input_size}
    options = {option: value for option, value in options.items() if value is not None}
    with torch.inference_mode(False), torch.random.fork_rng([]):
        if name.endswith((".pt", ".pth")) and os.path.isfile(name):
            classifier = _from_file(name, weights, options)
        elif name.startswith(ANSWERING):
            classifier = _from_answers(name, weights, labels, options)
        elif ":" in name and not name.startswith("timm:") and not address_hint(name):
            classifier = _from_function(name, weights, options)
        else:
            classifier = _from_registry(named_network(name), weights, options)
        # Convolutions are fastest with channels last, also on a CPU.
        classifier.cpu().eval().requires_grad_(False).to(memory_format=torch.channels_last)
        classifier.labels = _labels(classifier, labels)
        classifier.precision = checked_precision(precision)
    return classifier


def _several(names: Sequence[File], *single: Any, input_size: Any, precision: str) -> Classifier:
    """The mean of several networks, whose own weights, labels, mean and std cannot be told apart here."""
    from .ensemble import averaged

    if any(given is not None for given in single):
        raise NetworkError("weights, labels, mean and std are those of one network, not of several")
    return averaged([load(name, precision=precision) for name in names], input_size=input_size)


def _from_answers(name: str, weights: File | None, labels: Any, options: Options) -> Classifier:
    from .answers import Answers

    if weights is not None:
        raise NetworkError(f"{name} has its own weights, which nothing is known of: omit them")
    network = Answers(name, None if labels is None else _named(labels))
    return Classifier(network, **{"mean": [0.0] * 3, "std": [1.0] * 3} | options)


def _checked(name: object, weights: object, mean: object, std: object) -> str:
    """The name as text; a NetworkError where what was given is of another kind, with what to call instead."""
    own = "interpret.Classifier(network, mean=…, std=…, labels=…)"
    if isinstance(name, nn.Module):
        raise NetworkError(f"load takes the name of a network, not a {type(name).__name__}: call {own}")
    if not isinstance(name, str | os.PathLike):
        raise NetworkError(f"load takes the name of a network, not a {type(name).__name__}")
    if weights is not None and not isinstance(weights, str | os.PathLike):
        kind = type(weights).__name__
        raise NetworkError(f"weights is a file, not a {kind}: call network.load_state_dict(…), then {own}")
    for option, value in (("mean", mean), ("std", std)):
        numbers = isinstance(value, Iterable) and not isinstance(value, str)
        if value is not None and not (numbers and all(isinstance(number, Real | torch.Tensor) for number in value)):
            raise NetworkError(f"{option} is one number a channel each, such as (0.5, 0.5, 0.5), not {value!r}")
    return os.fspath(name)


def _from_registry(entry: NamedNetwork, weights: File | None, options: Options) -> Classifier:
    network = _build(entry, weights)
    published = {"mean": entry.mean, "std": entry.std, "input_size": entry.input_size}
    resize = _resize_for(entry, options.get("input_size"))
    return Classifier(network, **published | options, resize=resize, interpolation=entry.interpolation)


def _resize_for(entry: NamedNetwork, input_size: int | tuple[int, int] | None) -> int | None:
    """The published resize, or one that has the same ratio to another crop that is asked for."""
    if input_size is None or entry.resize is None:
        return entry.resize
    smallest = min((entry.input_size,) if isinstance(entry.input_size, int) else entry.input_size)
    wanted = max((input_size,) if isinstance(input_size, int) else input_size)
    return round(entry.resize * wanted / smallest)


def _build(entry: NamedNetwork, weights: File | None) -> nn.Module:
    state = entry.pretrained() if weights is None else _read_state(weights)
    state = {name: value for name, value in state.items() if not name.startswith(entry.training_only)}
    network = entry.build()
    classes = _other_classes(network, state)
    if classes is not None:
        network = entry.build(num_classes=classes)
    fill(network, state, "the published file" if weights is None else str(weights))
    return network


def _read_state(path: File) -> State:
    return read_trained(path)[1] if is_trained(path) else read_weights(path)


def _other_classes(network: nn.Module, state: State) -> int | None:
    """The number of classes of fine-tuned weights, where nothing but the size of the head differs; else None."""
    own = network.state_dict()
    differing = {
        (own[name].shape[:1], state[name].shape[:1])
        for name in own
        if name in state and own[name].shape != state[name].shape and own[name].shape[1:] == state[name].shape[1:]
    }
    heads = [given[0] for expected, given in differing if given and expected == (1000,)]
    return heads[0] if len(differing) == 1 and heads else None


def _labels(classifier: Classifier, labels: str | os.PathLike | Sequence[str] | None) -> Labels | None:
    classes = _count_classes(classifier)
    if labels is None:
        if classifier.labels is not None:
            return classifier.labels
        return imagenet() if classes == 1000 else Labels([str(index) for index in range(classes)])
    found = _named(labels)
    if len(found) != classes:
        raise NetworkError(f"{len(found)} labels for a network with {classes} classes")
    return found


def _named(labels: str | os.PathLike | Sequence[str]) -> Labels:
    return read_labels(labels) if isinstance(labels, str | os.PathLike) else Labels(labels)


def _count_classes(classifier: Classifier) -> int:
    """How many classes a network tells apart, read off its head, or else by running it."""
    weighted = [m for m in classifier.network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    head = weighted[-1] if weighted else None
    if isinstance(head, nn.Linear) and head.out_features == 1000:
        return 1000
    height, width = classifier.input_size or (224, 224)
    with torch.no_grad():
        try:
            return classifier(torch.full((1, len(classifier.mean), height, width), 0.5)).shape[1]
        except RuntimeError as error:
            if isinstance(head, nn.Linear):
                return max(2, head.out_features)  # it takes one size of picture, which is not known here
            raise NetworkError(f"the network cannot take {width} x {height} pixels: {kind_and_text(error)}") from error


def _from_function(name: str, weights: File | None, options: Options) -> Classifier:
    made = _call(name)
    if not isinstance(made, nn.Module):
        raise NetworkError(f"{name} returned a {type(made).__name__}, not an nn.Module")
    if weights is not None:
        fill(network_of(made), _read_state(weights), str(weights))
    if isinstance(made, Classifier):
        if options:
            raise NetworkError(f"{name} returned a Classifier, which has its own mean, std and input_size: omit them")
        return made
    if not {"mean", "std"} <= options.keys():
        raise BareNetworkError(
            f"{name} returned a bare network: say what it expects with --mean and --std (mean=…, std=… in "
            "Python), 0 and 1 if nothing, or let the function return an interpret.Classifier"
        )
    return Classifier(made, **options)


def _from_file(name: str, weights: File | None, options: Options) -> Classifier:
    if not is_trained(name):
        raise UnknownNameError(
            f"no network {name!r}: `interp train` did not write that file, or it is damaged; to use "
            f"other weights say which network it holds: -m resnet18 --weights {name}"
        )
    if weights is not None or options:
        raise NetworkError(f"{name} has its own weights, mean, std and input_size: omit them")
    return load_trained(name)


def _call(name: str) -> object:
    module, _, function = name.partition(":")
    try:
        home = importlib.import_module(module)
    except Exception as error:  # the module is the user's, and may do anything
        raise UnknownNameError(f"cannot import {module!r}: {kind_and_text(error)}") from error
    if not hasattr(home, function):
        names = [known for known in vars(home) if not known.startswith("_")]
        raise UnknownNameError(f"{module} has no {function!r}{did_you_mean(function, names)}")
    try:
        return getattr(home, function)()
    except InterpretError:
        raise
    except Exception as error:
        raise NetworkError(f"{name}() failed: {kind_and_text(error)}") from error
