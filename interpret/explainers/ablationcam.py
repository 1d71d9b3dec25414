"""Ablation-CAM (Desai and Ramaswamy 2020, https://doi.org/10.1109/WACV45572.2020.9093360)."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..classifier import laid_out, network_of
from ..geometry import Geometry
from ..network.hooks import function_named
from ..network.recording import Recording, edited, recorded
from ..network.tail import Tail, of_rows
from ..scores import Target, score_of, target_of
from .contract import explainer, feature_map, layer_looked_at, ratio, weighted_map
from .passes import passes

_log = logging.getLogger(__name__)


@explainer(Geometry.undo)
def ablationcam(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    layer: str | None = None,
    max_batch: int = 32,
) -> Tensor:
    """Where the channels of a layer lie without which the class score falls, without gradients.

    A channel weighs the share of the score that is lost when it is set to zero (eq. 2), and the
    weighted sum is cut at zero (eq. 3). It costs one pass a channel, 1280 for the default network, of
    what lies above the layer; what lies below is computed once.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        layer: name of the layer to look at; the last feature map by default.
        max_batch: passes at once; fewer if memory runs out.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the activations.

    Raises:
        NetworkError: the network has no feature map, as fully connected networks have none.
    """
    network = network_of(classifier)
    layer = layer_looked_at(classifier, images, target, layer)
    layouts = laid_out(classifier, images, layer)
    with torch.no_grad(), recorded(network, layer, layouts=layouts) as recording:
        whole = score_of(classifier, images, target)
    activations = feature_map(classifier, images, recording, layer)
    channels = activations.shape[1]
    _log.info("Ablation-CAM runs %d passes for each picture, one a channel, of what lies above the layer", channels)
    ablated = _ablated_scores(classifier, images, target, recording, layer, whole)
    without = activations.new_zeros(len(images), channels)
    work = passes(ablated, len(images), channels, max_batch=max_batch, what="Ablation-CAM", device=images.device)
    for image, channel, score in work:
        without[image, channel] = score
    # The paper divides by the score itself, which would reverse the map where the score is negative.
    weights = ratio(whole[:, None] - without, whole[:, None].abs().expand_as(without))
    return weighted_map(activations, weights[:, :, None, None])


def _ablated_scores(
    classifier: nn.Module, images: Tensor, target: Target, recording: Recording, layer: str, whole: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    """A function from images (M,) and channels (M,) by number to the scores (M,) without these channels."""
    network, call = network_of(classifier), recording.call(layer)
    layout, whole_output = recording.layouts[layer], recording.whole[layer]

    def score(rows: Tensor) -> Tensor:
        return score_of(classifier, of_rows(images, rows), target_of(target, rows))

    def without(output: Tensor, steps: Tensor) -> Tensor:
        output[torch.arange(len(steps)), steps] = 0
        return output

    def over_again(rows: Tensor, steps: Tensor) -> Tensor:
        with torch.no_grad(), edited(network, call, lambda maps: without(maps.clone(), steps), layout):
            return score(rows)

    def above(rows: Tensor, steps: Tensor) -> Tensor:
        output = layout.from_map(without(activations[rows], steps), whole_output[rows])
        with torch.no_grad(), tail.later_pass(rows, output):
            return score(rows)

    activations = recording[layer]
    if function_named(network, layer) or layout.sequence_first:
        return over_again  # only the calls of modules, with a row for each image, are told apart
    with torch.no_grad():
        tail = Tail(network, call, lambda: classifier(images[:1]))
        with tail.first_pass():
            score(torch.arange(len(images), device=images.device))
        repeats = any(_repeats(tail, score, whole_output, whole, copies) for copies in (False, True))
    # A module that does more than give an output is not repeated by its output alone.
    return above if repeats else over_again


def _repeats(tail: Tail, score: Callable, activations: Tensor, whole: Tensor, copies: bool) -> bool:
    """Whether the part above a layer gives the score again; without copies nothing may be written into its inputs."""
    tail.copies, rows = copies, torch.zeros(2, dtype=torch.long, device=whole.device)
    try:
        with tail.later_pass(rows, activations[rows]):
            return torch.allclose(score(rows), whole[rows], rtol=1e-3, atol=1e-3 * float(whole.abs().max()))
    except RuntimeError:
        return False
