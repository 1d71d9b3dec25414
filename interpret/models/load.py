"""From a name to a classifier: two that work offline, torchvision's, timm's, those of files and of one's own code."""

import os
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import torch
from torch import nn

from ..bundled import TRAINED, data
from ..classifier import Classifier, network_of
from ..errors import NetworkError, UnknownNameError
from ..network.settings import checked_crop, checked_input_size, checked_precision, checked_task
from ..plug_ins import plug_ins
from .exported import is_exported, read_exported
from .hugging_face import hugging_face, is_hugging_face
from .own_code import called, names_function
from .registry import NamedNetwork, named_network
from .saved import is_trained, load_trained, read_trained
from .state_dict import State, fill, matched, read_weights
from .trial import labels_of, named_labels, with_channels_last

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
    crop: str | None = None,
    precision: str = "float32",
    task: str | None = None,
    output: str | int | None = None,
) -> Classifier:
    """A trained classifier, in evaluation mode and frozen.

    Args:
        name: "efficientnet_lite0" (the default) or "squeezenet1_1", which work offline, as do the small
            "robust_cifar10" and "plain_cifar10" of ten classes; any
            torchvision classification network; "timm:NAME"; "package.module:function", a function
            that takes no arguments and returns an ``nn.Module`` or a ``Classifier``; a ``.pt`` or
            ``.pth`` file that `interp train` wrote, with preprocessing and labels in it; "hf:OWNER/NAME" or a
            folder in the layout of the Hugging Face hub; a file of ONNX (``.onnx``), torch.export (``.pt2``) or
            TorchScript, whose mean and std are needed; or what is shown pictures and only answers (see
            `models.answers`): "command:./classify", or an address of this machine,
            "http://127.0.0.1:8000/classify". Several names are the mean of their logits.
        weights: a ``.pth``, ``.pt`` or ``.safetensors`` file with the network's state dict, for any
            number of classes; the published weights by default; "random" for fresh ones, always the same.
        labels: the names of the classes, or a file that holds them: one per line, or JSON.
        mean: of each channel, in [0, 1]; by default what the published weights expect.
        std: of each channel; by default likewise.
        input_size: height and width of the network's input; by default likewise.
        crop: "centre", "none" or "tiles": what the network sees of a picture, see `Classifier`; by default what it is
            already, which is its centre unless a function of yours says otherwise.
        precision: "float32", or "bf16" or "fp16", in which a GPU is faster; see `Classifier`.
        task: "classification", "multilabel" or "regression"; by default the file's, or what the network's ending says.
        output: which part of what the network returns holds the logits: a key, an attribute or a position.

    Returns:
        The classifier, on the CPU.

    Raises:
        UnknownNameError: no such network; the message lists the close names.
        NetworkError: weights that are not available or do not fit; the message says which keys, or
            which file to fetch and where to put it.
    """
    if isinstance(name, Sequence) and not isinstance(name, str):
        single = (weights, labels, mean, std, task, output)
        return _several(name, single, input_size=input_size, crop=crop, precision=precision)
    checked_input_size(input_size)
    name = _checked(name, weights, mean, std)
    options = {"mean": mean, "std": std, "input_size": input_size}
    options = {option: value for option, value in options.items() if value is not None}
    with torch.inference_mode(False), torch.random.fork_rng([]):
        if is_random(weights):
            torch.manual_seed(0)
        classifier, known = _classifier(name, weights, labels, options)
        classifier.crop = checked_crop(crop or classifier.crop, classifier.input_size)
        classifier.given_task = checked_task(task) or classifier.given_task
        classifier.output = classifier.output if output is None else output
        tried = with_channels_last(classifier.cpu().eval().requires_grad_(False), known=known)
        classifier.labels = labels_of(classifier, labels, tried)
        classifier.precision = checked_precision(precision)
    return classifier


def _several(names: Sequence[File], single: tuple[Any, ...], **shared: Any) -> Classifier:
    """The mean of several networks, whose own weights, labels, mean and std cannot be told apart here."""
    from .ensemble import averaged

    if any(given is not None for given in single):
        raise NetworkError("weights, labels, mean, std, task and output are those of one network, not of several")
    if shared["crop"] == "tiles":
        raise NetworkError("tiles are those of one network, not of several, whose inputs differ in size")
    size = shared.pop("input_size")
    made = averaged([load(name, **shared) for name in names], input_size=size)
    made.crop = shared["crop"] or made.crop
    return made


def _from_answers(name: str, weights: File | None, labels: Any, options: Options) -> Classifier:
    from .answers import Answers

    if weights is not None:
        raise NetworkError(f"{name} has its own weights, which nothing is known of: omit them")
    network = Answers(name, None if labels is None else named_labels(labels))
    return Classifier(network, **{"mean": [0.0] * 3, "std": [1.0] * 3} | options)


def _classifier(name: str, weights: File | None, labels: Any, options: Options) -> tuple[Classifier, bool]:
    """The classifier that a name means, and whether its network is one that is known here."""
    if is_exported(name):
        if weights is not None:
            raise NetworkError(f"{name} has its own weights: omit others")
        return _of_bare(read_exported(name), f"{name} holds", options), False
    if name in TRAINED:
        return _from_file(str(data(f"{name}.pt")), weights, options), True
    if name.endswith((".pt", ".pth")) and os.path.isfile(name):
        return _from_file(name, weights, options), True
    if name.startswith(ANSWERING):
        return _from_answers(name, weights, labels, options), True
    if is_hugging_face(name):
        made = hugging_face(name, options, fresh=is_random(weights))
        if weights is not None and not is_random(weights):
            fill(network_of(made), _read_state(weights), str(weights))
        return made, True
    if names_function(name):
        return _from_function(name, weights, options), False
    return _from_registry(named_network(name), weights, options), True


def is_random(weights: File | None) -> bool:
    """Whether these weights are the fresh ones that "random" asks for, and no file of that name."""
    return weights == "random" and not os.path.exists("random")


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
    plug_in = plug_ins("interp.networks").get(os.fspath(name))
    return plug_in.address if plug_in else os.fspath(name)


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
    if is_random(weights):
        return entry.build()
    state = entry.pretrained() if weights is None else _read_state(weights)
    network = entry.build()
    state = matched(state, network, unused=entry.training_only)
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


def _from_function(name: str, weights: File | None, options: Options) -> Classifier:
    made = called(name)
    if not isinstance(made, nn.Module):
        raise NetworkError(f"{name} returned a {type(made).__name__}, not an nn.Module")
    if weights is not None and not is_random(weights):
        fill(network_of(made), _read_state(weights), str(weights))
    if isinstance(made, Classifier):
        if options:
            raise NetworkError(f"{name} returned a Classifier, which has its own mean, std and input_size: omit them")
        return made
    return _of_bare(made, f"{name} returned", options, ", or let the function return an interpret.Classifier")


def _of_bare(network: nn.Module, source: str, options: Options, or_else: str = "") -> Classifier:
    if not {"mean", "std"} <= options.keys():
        raise BareNetworkError(
            f"{source} a bare network: say what it expects with --mean and --std (mean=…, std=… in "
            f"Python), 0 and 1 if nothing{or_else}"
        )
    return Classifier(network, **options)


def _from_file(name: str, weights: File | None, options: Options) -> Classifier:
    if not is_trained(name):
        raise UnknownNameError(
            f"no network {name!r}: `interp train` did not write that file, or it is damaged; to use "
            f"other weights say which network it holds: -m resnet18 --weights {name}"
        )
    if weights is not None or options:
        raise NetworkError(f"{name} has its own weights, mean, std and input_size: omit them")
    return load_trained(name)
