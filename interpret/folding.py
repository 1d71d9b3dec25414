"""Batch normalisation folded into the convolutions before it: the same answers in less time."""

import copy
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .classifier import Classifier
from .hooks import left_as_found

KINDS = nn.Conv1d | nn.Conv2d | nn.Conv3d
NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
TOLERANCE = 1e-4  # of a logit, as a share of the largest


def folded(classifier: Classifier) -> Classifier:
    """A copy of a classifier whose batch normalisations are part of the convolutions before them.

    In evaluation mode a batch normalisation is a scale and a shift of each channel, which the weights
    of the convolution before it can carry. A pair is folded where the one takes exactly what the other
    gave and each runs once; that nothing else takes it is tried out. The copy is for predictions: what
    looks between the two would see something else.

    Args:
        classifier: left as it is.

    Returns:
        The copy, whose logits differ by rounding alone; without any fold where there is nothing to fold.
    """
    copied = copy.deepcopy(classifier).eval()
    height, width = copied.input_size or (224, 224)
    images = torch.rand(2, len(copied.mean), height, width, generator=torch.Generator().manual_seed(0))
    images = images.to(copied.mean.device)
    view = copied.on_inputs()
    with left_as_found(copied, images.device), torch.no_grad():
        expected = view(images)
        pairs = _pairs(copied.network, lambda: view(images))
        undone = [_fold(copied.network, *pair) for pair in pairs]
        if not _equal(view(images), expected):
            # Something else takes what a convolution gives; one by one shows which.
            for undo in undone:
                undo()
            for pair in pairs:
                undo = _fold(copied.network, *pair)
                if not _equal(view(images), expected):
                    undo()
    return copied


def _equal(logits: Tensor, expected: Tensor) -> bool:
    return bool((logits - expected).abs().max() <= TOLERANCE * expected.abs().max().clamp(min=1))


def _pairs(network: nn.Module, run: Callable[[], object]) -> list[tuple[str, str]]:
    """The names of each convolution and of the normalisation that takes what it gives, where each runs once."""
    given: dict[int, tuple[str, Tensor]] = {}  # the tensors are kept, so that none takes another's place
    calls: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []

    def hook(name: str) -> Callable:
        def look(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            calls[name] += 1
            if isinstance(module, KINDS):
                given[id(output)] = name, output
            elif inputs and id(inputs[0]) in given:
                pairs.append((given[id(inputs[0])][0], name))

        return look

    handles = [
        module.register_forward_hook(hook(name))
        for name, module in network.named_modules()
        if isinstance(module, KINDS) or (isinstance(module, NORMS) and module.running_var is not None)
    ]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1]


def _fold(network: nn.Module, convolution: str, normalisation: str) -> Callable[[], None]:
    """Fold one pair, and a function that undoes it."""
    first, second = network.get_submodule(convolution), network.get_submodule(normalisation)
    before = first.weight, first.bias
    first.weight, first.bias = fuse_conv_bn_weights(
        first.weight, first.bias, second.running_mean, second.running_var, second.eps, second.weight, second.bias
    )
    network.set_submodule(normalisation, nn.Identity().eval())

    def undo() -> None:
        first.weight, first.bias = before
        network.set_submodule(normalisation, second)

    return undo
