"""FullGrad (Srinivas and Fleuret 2019, https://arxiv.org/abs/1905.00780)."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..classifier import Classifier, network_of
from ..errors import NetworkError, NoGradientError
from ..geometry import Geometry
from ..network.autograd import gradients
from ..network.backward_rules.calls import Call, call_of
from ..network.backward_rules.compounds import COMPOUNDS
from ..network.backward_rules.operations import ADDING, KINDS, Kind, opened, shown_name
from ..network.backward_rules.propagation import normalises_by_constants, written
from ..network.backward_rules.unseen import check_seen
from ..network.layout import Layout, layout_of
from ..scores import Target, score_of
from .contract import check_pictures, explainer, ratio


@explainer(Geometry.undo)
def fullgrad(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which pixels and which biases of every layer the score is made of, laid over each other.

    A score is its gradient times the network's input plus, of every bias, the gradient times the bias. What a
    call gives beyond its derivative times its input is a bias too, such as the cap of ReLU6. The map is the sum
    of the absolute values of these parts (eq. 8), each layer's between 0 and 1 as in the authors' code,
    laid on the picture, over all layers with rows and columns. pytorch-grad-cam scales each channel of a layer
    by itself, so that the faintest counts like the strongest, and knows no biases but those of convolutions and
    batch norms.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 1, H, W), at least zero, without a unit.

    Raises:
        NetworkError: an operation whose derivative cannot be taken, which the message names.
    """
    check_pictures(images)
    of_input, biases = full_gradients(classifier, images, target)
    laid = _between_0_and_1(of_input)
    for layout, values in biases:
        if layout is not None:
            maps = _between_0_and_1(layout.to_map(values))
            laid = laid + F.interpolate(maps, images.shape[2:], mode="bilinear")
    return laid


def full_gradients(
    classifier: nn.Module, images: Tensor, target: Target
) -> tuple[Tensor, list[tuple[Layout | None, Tensor]]]:
    """The full-gradient decomposition (eq. 4) of a score, whose parts add up to it.

    Returns:
        The gradient times the network's input, (N, C, h, w), and of each call of the network that has a bias the
        gradient times this bias, of the shape of its output, with its layout where it is a map of the picture.
    """
    view, source = classifier, images
    if isinstance(classifier, Classifier):
        view, source = _on_normalised(classifier), classifier.normalise(images)
    source = source.detach().requires_grad_()
    with _Biases(len(images), images.shape[-1] / images.shape[-2]) as calls:
        score = score_of(view, source.clone(), target)
    check_seen("FullGrad", score, network_of(classifier))
    slope, *slopes = gradients(score, [source, *(part.probe for part in calls.found)])
    if slope is None:
        raise NoGradientError("the score has no gradient to what is asked")
    pairs = [(part, above) for part, above in zip(calls.found, slopes, strict=True) if above is not None]
    return source.detach() * slope, [(part.layout, part.bias * above) for part, above in pairs]


def _on_normalised(classifier: Classifier) -> Classifier:
    """The same classifier for what the network itself takes, since a shift of the pixels is no bias of the network."""
    plain = {"mean": [0.0] * len(classifier.mean), "std": [1.0] * len(classifier.mean)}
    read = {"precision": classifier.precision, "task": classifier.given_task, "output": classifier.output}
    same = Classifier(classifier.network, **plain, **read)
    same.mean, same.std = torch.zeros_like(classifier.mean), torch.ones_like(classifier.std)
    same.seen_task, same.laid_on_grid, same.training = classifier.seen_task, True, classifier.training
    return same


class _Part(NamedTuple):
    """A call that has a bias."""

    bias: Tensor  # of the shape of the call's output, or of one that broadcasts to it
    probe: Tensor  # zeros, added to the output, so that the gradient there is theirs
    layout: Layout | None


class _Biases(TorchFunctionMode):
    """Runs every call of a network as it is, and finds what it gives beyond its derivative times its inputs."""

    def __init__(self, pictures: int, aspect: float) -> None:
        super().__init__()
        self.pictures, self.aspect = pictures, aspect
        self.found: list[_Part] = []
        self.grids: list[tuple[int, int]] = []  # rows and columns of the maps so far
        self.tokens: dict[int, tuple[int, int]] = {}  # the counts of tokens so far, as `layout_of` takes them

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        call = call_of(func, args, kwargs)
        if not call.places:
            return func(*args, **kwargs)
        kind = KINDS.get(call.name)
        if kind in (None, "compound", "softmax") and (body := opened(func, self)):
            return body(*args, **kwargs)
        if kind is None:
            return _known(call, call.plain())
        return self._parted(call, kind) if _may_have_bias(call, kind) else call.plain()

    def _parted(self, call: Call, kind: Kind) -> Any:
        values = [z.clone() for z in call.dependents]  # which the call may write into
        output = call.run(*values)
        if not isinstance(output, Tensor):
            raise _unknown(call)
        with torch.no_grad():
            bias = _bias(call, kind, output.detach())
        result = output
        layout = self._layout(output)
        if bias.any():
            probe = torch.zeros_like(output, requires_grad=True)
            self.found.append(_Part(bias, probe, layout))
            result = output + probe
        return written(output is values[0], call.dependents[0], result)

    def _layout(self, output: Tensor) -> Layout | None:
        """How an output lays out a map of the pictures, if it is one."""
        shape = tuple(output.shape)
        if len(shape) == 3:
            self.tokens[shape[1]] = (0, 0)
        found = layout_of(shape, self.pictures, self.aspect, grids=self.grids, others=self.tokens)
        if isinstance(found, str):
            return None
        if found.kind in ("map", "channels last") and found.grid[0] * found.grid[1] > 1:
            self.grids.append(found.grid)
        return found


def _may_have_bias(call: Call, kind: Kind) -> bool:
    """Whether a call may give something where all its inputs are zero, or bend."""
    if kind in ("structure", "linear"):
        return call.name in ADDING and call.has_constants
    if kind == "selection":  # the larger of a value and a constant; the largest of several values has none
        return any(isinstance(leaf, Tensor) for place, leaf in enumerate(call.leaves) if place not in call.places)
    return kind != "weights" or len(call.places) > 1 or any(leaf is not None for leaf in call.leaves[2:3])


def _bias(call: Call, kind: Kind, output: Tensor) -> Tensor:
    """What a call gives beyond its derivative times its inputs."""
    straight = kind in ("structure", "linear") or normalises_by_constants(call)
    if straight or kind == "weights" and len(call.places) == 1:
        return call.run(*map(torch.zeros_like, call.dependents))
    try:
        moved = _derivative(call, kind)
    except (NotImplementedError, RuntimeError) as error:
        raise _unknown(call) from error
    bias = output - moved
    # What is only rounding would be as bright as any other layer, once it is scaled.
    sizes = bias.flatten(1).abs().amax(1), output.flatten(1).abs().amax(1)
    rounding = sizes[0] <= 16 * torch.finfo(output.dtype).eps * sizes[1]
    return bias.masked_fill(rounding.view(-1, *[1] * (bias.dim() - 1)), 0)


def _derivative(call: Call, kind: Kind) -> Tensor:
    """The derivative of a call in the direction of its own inputs."""
    with torch.enable_grad():
        values = [z.detach().clone().requires_grad_() for z in call.dependents]
        args, kwargs = call.changed(*(z * 1 for z in values)).arguments  # what is no leaf may be written into
        # Some calls can be differentiated twice only when they are written out in simpler ones.
        output = COMPOUNDS[call.name](*args, **kwargs) if kind == "compound" else call.func(*args, **kwargs)
        if kind == "elementwise" and len(values) == 1:  # each value by itself, also of what has no second derivative
            return torch.autograd.grad(output.sum(), values)[0] * values[0].detach()
        above = torch.zeros_like(output, requires_grad=True)
        slopes = torch.autograd.grad(output, values, above, create_graph=True, allow_unused=True)
        # Linear in what comes from above, so its derivative by that is the one in the other direction.
        pairs = [(slope, z) for slope, z in zip(slopes, values, strict=True) if slope is not None]
        total = sum((slope * z.detach()).sum() for slope, z in pairs)
    return torch.autograd.grad(total, above)[0]


def _known(call: Call, output: Any) -> Any:
    """What a call of no known kind gave, which must not have a gradient."""
    parts = output if isinstance(output, list | tuple) else [output]
    if any(isinstance(part, Tensor) and part.requires_grad for part in parts):
        raise _unknown(call)
    return output


def _unknown(call: Call) -> NetworkError:
    return NetworkError(f"FullGrad cannot take the operation {shown_name(call.func)} apart, which this network uses")


def _between_0_and_1(values: Tensor) -> Tensor:
    """The absolute values (N, C, h, w) from 0 to 1 over each picture, summed over the channels: (N, 1, h, w)."""
    sizes = values.abs()
    low, high = sizes.amin((1, 2, 3), keepdim=True), sizes.amax((1, 2, 3), keepdim=True)
    return ratio(sizes - low, (high - low).expand_as(sizes)).sum(1, keepdim=True)
