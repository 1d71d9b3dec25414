"""Batch normalisation folded into the convolutions before it: the same answers in less time."""

import copy
import logging
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..classifier import Classifier
from ..network.hooks import Call, left_as_found, traced

_log = logging.getLogger(__name__)

KINDS = nn.Conv1d | nn.Conv2d | nn.Conv3d
NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
TOLERANCE = 1e-4  # of a logit, as a share of the largest


def folded(classifier: Classifier) -> Classifier:
    """A copy of a classifier whose batch normalisations are part of the convolutions before them.

    In evaluation mode a batch normalisation scales and shifts each channel, which the weights of the
    convolution before it can do as well. A pair is folded where the normalisation takes exactly the
    convolution's output, each runs once, and the convolution owns its weights (a parametrisation makes
    them anew in each pass). Trial pictures show whether anything else uses the convolution's output.
    The copy is for predictions: between the two, a method that looks into the network would see other
    values.

    Args:
        classifier: left as it is.

    Returns:
        The copy, whose logits differ by rounding alone. Nothing is folded where there is no such pair, or
        where the network cannot take the trial pictures, which is logged.
    """
    images = _trials(classifier)
    with left_as_found(classifier, images.device), torch.no_grad():
        try:
            expected = _exact(classifier)(images)
        except Exception as error:  # the network is the user's, and may need pictures of a certain size or number
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            _log.warning("nothing is folded: the network does not take the pictures to try it on (%s)", reason)
            expected = None
    # Only after that pass: weights that a parametrisation made in one with a graph cannot be copied.
    copied = copy.deepcopy(classifier).eval()
    if expected is None:
        return copied
    view = _exact(copied)
    with left_as_found(copied, images.device), torch.no_grad():
        count = sum(isinstance(module, NORMS) for module in copied.network.modules())
        pairs = _pairs(copied.network, lambda: view(images))
        undone = [_fold(copied.network, *pair) for pair in pairs]
        if not _equal(view(images), expected):
            # Something else uses a convolution's output; folding one pair at a time shows which.
            for undo in undone:
                undo()
            undone = []
            for pair in pairs:
                undone.append(_fold(copied.network, *pair))
                if not _equal(view(images), expected):
                    undone.pop()()
    _log.info("folded %d of %d batch normalisations into the convolutions before them", len(undone), count)
    return copied


def _exact(classifier: Classifier) -> Classifier:
    """The same network for pictures on its input grid, in float32: a narrower format would hide what a fold changes."""
    view = copy.copy(classifier.on_inputs())
    view.precision = "float32"
    return view


def _trials(classifier: Classifier) -> Tensor:
    """Trial pictures (6, C, h, w) in [0, 1]: strong contrasts may activate units that faint noise does not reach."""
    height, width = classifier.input_size or (224, 224)
    noise = torch.rand(len(classifier.mean), height, width, generator=torch.Generator().manual_seed(0))
    rows, columns = torch.arange(height)[:, None] // 4, torch.arange(width) // 4
    drawn = [noise > 0.5, torch.tensor(0), torch.tensor(1), columns % 2, (rows + columns) % 2]
    pictures = [noise, *(picture.to(noise.dtype).expand_as(noise) for picture in drawn)]
    return torch.stack(pictures).to(classifier.mean.device)


def _equal(logits: Tensor, expected: Tensor) -> bool:
    largest = expected.abs().amax(1).clamp(min=1)
    return bool(((logits - expected).abs().amax(1) <= TOLERANCE * largest).all())


def _pairs(network: nn.Module, run: Callable[[], object]) -> list[tuple[str, str]]:
    """The names of each convolution and of the normalisation that takes its output, where each runs once."""
    given: dict[int, tuple[str, Tensor]] = {}  # the tensors are kept, so that none takes another's place in memory
    calls: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []

    def visit(call: Call) -> None:
        name = call.path
        calls[name] += 1
        # Weights that are no parameters are made of others in each pass, by a hook or a parametrisation.
        if isinstance(call.module, KINDS) and {"weight", "bias"} <= call.module._parameters.keys():
            given[id(call.output)] = name, call.output
        elif isinstance(call.module, NORMS) and call.module.running_var is not None:
            if call.inputs and id(call.inputs[0]) in given:
                pairs.append((given[id(call.inputs[0])][0], name))

    traced(network, run, visit)
    return [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1]


def _fold(network: nn.Module, convolution: str, normalisation: str) -> Callable[[], None]:
    """Fold one pair, and return a function that undoes it."""
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
