"""Scores where a layer gives something else than it did; what lies below it is computed once, if modules allow that."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..network.hooks import function_named
from ..network.recording import Recording, edited
from ..network.tail import Tail, of_rows
from ..scores import Target, score_of, target_of

# From maps (M, K, u, v) that may be written into, and the numbers of their images and of their passes (M,), to maps.
Edit = Callable[[Tensor, Tensor, Tensor], Tensor]


def edited_scores(
    classifier: nn.Module, images: Tensor, target: Target, recording: Recording, whole: Tensor, edit: Edit
) -> Callable[[Tensor, Tensor], Tensor]:
    """A function from the numbers of images (M,) and of passes (M,) to the scores (M,) where a layer's maps are edited.

    Args:
        classifier: for images on its input grid.
        images: (N, C, h, w).
        target: of the score.
        recording: of the one layer, with its layout, for these images.
        whole: (N,) the scores without an edit.
        edit: what becomes of the layer's maps.
    """
    (layer,) = recording
    network, call = network_of(classifier), recording.call(layer)
    layout, whole_output, activations = recording.layouts[layer], recording.whole[layer], recording[layer]

    def score(rows: Tensor) -> Tensor:
        return score_of(classifier, of_rows(images, rows), target_of(target, rows))

    def over_again(rows: Tensor, steps: Tensor) -> Tensor:
        with torch.no_grad(), edited(network, call, lambda maps: edit(maps.clone(), rows, steps), layout):
            return score(rows)

    def above(rows: Tensor, steps: Tensor) -> Tensor:
        output = layout.from_map(edit(activations[rows], rows, steps), whole_output[rows])
        with torch.no_grad(), tail.later_pass(rows, output):
            return score(rows)

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
