"""From a name to a classifier: two that work offline, torchvision's, timm's, and the user's own or trained here."""

import importlib
import os
from collections.abc import Sequence

import torch
from torch import nn

from ..classifier import Classifier, checked_precision
from ..errors import InterpretError, NetworkError, UnknownNameError, did_you_mean
from ..labels.files import read_labels
from ..labels.names import Labels, imagenet
from .registry import Recipe, recipe_named
from .saved import is_trained, load_trained, read_trained
from .state_dict import State, fill, read_weights

DEFAULT = "efficientnet_lite0"


def load(
    name: str | os.PathLike = DEFAULT,
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
            torchvision classification network; "timm:NAME"; or "package.module:function", a
            function that takes no arguments and returns an ``nn.Module`` or a ``Classifier``; or a
            ``.pt`` or ``.pth`` file that `interp train` wrote, with preprocessing and labels in it.
        weights: a ``.pth``, ``.pt`` or ``.safetensors`` file with the network's state dict, for a
            network of any number of classes; the published weights by default.
        labels: the names of the classes, or a file with them: one a line, or JSON.
        mean: of each channel in [0, 1]; what the published weights expect by default.
        std: of each channel; likewise.
        input_size: height and width of the network's input; likewise.
        precision: "float32", or autocast to "bf16" or "fp16", which a GPU is faster in; see `Classifier`.

    Returns:
        The classifier, on the CPU.

    Raises:
        UnknownNameError: no such network; the message has the close names.
        NetworkError: weights that cannot be had or do not fit; the message says which keys, or
            which file to fetch and where to put it.
    """
    name = os.fspath(name)
    with torch.inference_mode(False), torch.random.fork_rng([]):
        if name.endswith((".pt", ".pth")) and os.path.isfile(name):
            classifier = _from_file(name, weights, mean, std, input_size)
        elif ":" in name and not name.startswith("timm:"):
            classifier = _from_function(name, weights, mean, std, input_size)
        else:
            recipe = recipe_named(name)
            network = _build(recipe, weights)
            size = recipe.input_size if input_size is None else input_size
            scaled = _resize_for(recipe, input_size)
            classifier = Classifier(
                network,
                mean=recipe.mean if mean is None else mean,
                std=recipe.std if std is None else std,
                input_size=size,
                resize=scaled,
                interpolation=recipe.interpolation,
            )
        # Channels last is what convolutions are fastest with, also on a CPU.
        classifier.cpu().eval().requires_grad_(False).to(memory_format=torch.channels_last)
        classifier.labels = _labels(classifier, labels)
        classifier.precision = checked_precision(precision)
    return classifier


def _resize_for(recipe: Recipe, input_size: int | tuple[int, int] | None) -> int | None:
    """The resize that keeps the recipe's ratio to the crop when another crop is asked for."""
    if input_size is None or recipe.resize is None:
        return recipe.resize
    smallest = min((recipe.input_size,) if isinstance(recipe.input_size, int) else recipe.input_size)
    wanted = max((input_size,) if isinstance(input_size, int) else input_size)
    return round(recipe.resize * wanted / smallest)


def _build(recipe: Recipe, weights: str | os.PathLike | None) -> nn.Module:
    state = recipe.pretrained() if weights is None else _read_state(weights)
    state = {name: value for name, value in state.items() if not name.startswith(recipe.training_only)}
    network = recipe.build()
    classes = _other_classes(network, state)
    if classes is not None:
        network = recipe.build(num_classes=classes)
    fill(network, state, "the published file" if weights is None else str(weights))
    return network


def _read_state(path: str | os.PathLike) -> State:
    return read_trained(path)[1] if is_trained(path) else read_weights(path)


def _other_classes(network: nn.Module, state: State) -> int | None:
    """The number of classes of a fine-tuned head: the one size by which only the head differs."""
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
    found = read_labels(labels) if isinstance(labels, str | os.PathLike) else Labels(labels)
    if len(found) != classes:
        raise NetworkError(f"{len(found)} labels for a network with {classes} classes")
    return found


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
            raise NetworkError(f"the network cannot take {width} x {height} pixels: {_in_a_line(error)}") from error


def _from_function(
    name: str,
    weights: str | os.PathLike | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    input_size: int | tuple[int, int] | None,
) -> Classifier:
    made = _call(name)
    if not isinstance(made, nn.Module):
        raise NetworkError(f"{name} returned a {type(made).__name__}, not an nn.Module")
    if weights is not None:
        fill(made.network if isinstance(made, Classifier) else made, _read_state(weights), str(weights))
    if isinstance(made, Classifier):
        if any(option is not None for option in (mean, std, input_size)):
            raise NetworkError(f"{name} returned a Classifier, which has its own mean, std and input_size: omit them")
        return made
    if mean is None or std is None:
        raise NetworkError(
            f"{name} returned a bare network: say what it expects with --mean and --std (mean=…, std=… in "
            "Python), 0 and 1 if nothing, or let the function return an interpret.Classifier"
        )
    return Classifier(made, mean=mean, std=std, input_size=input_size)


def _from_file(
    name: str,
    weights: str | os.PathLike | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    input_size: int | tuple[int, int] | None,
) -> Classifier:
    if not is_trained(name):
        raise UnknownNameError(
            f"no network {name!r}: `interp train` did not write that file, or it is damaged; to use "
            f"other weights say which network it holds: -m resnet18 --weights {name}"
        )
    if any(option is not None for option in (weights, mean, std, input_size)):
        raise NetworkError(f"{name} has its own weights, mean, std and input_size: omit them")
    return load_trained(name)


def _call(name: str) -> object:
    module, _, function = name.partition(":")
    try:
        home = importlib.import_module(module)
    except Exception as error:  # the module is the user's, and may do anything
        raise UnknownNameError(f"cannot import {module!r}: {_in_a_line(error)}") from error
    if not hasattr(home, function):
        names = [known for known in vars(home) if not known.startswith("_")]
        raise UnknownNameError(f"{module} has no {function!r}{did_you_mean(function, names)}")
    try:
        return getattr(home, function)()
    except InterpretError:
        raise
    except Exception as error:
        raise NetworkError(f"{name}() failed: {_in_a_line(error)}") from error


def _in_a_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
