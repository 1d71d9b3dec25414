"""CRAFT (Fel et al. 2023, https://arxiv.org/abs/2211.10154): the concepts of a class, found without labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..bounds import check_bounds
from ..classifier import Classifier
from ..errors import InterpretError
from ..layer_outputs import laid_out, layer_of, maps_of
from ..network.hooks import find_layer, left_as_found
from ..progress import progress_bar
from ..scores import Target
from ..units.factors import non_negative_factors, strengths_in
from .crops import Crop, crops_of, mean_activations
from .importance import deleted


@dataclass(frozen=True)
class Concepts:
    """Directions of a layer that crops of pictures are made of, the one that matters most to the score first."""

    layer: str
    directions: Tensor  # (F, K), of length 1, not below zero
    crops: Sequence[Crop]
    strengths: Tensor  # (M, F), of each concept in each crop, not below zero
    maps: tuple[Tensor, ...]  # (F, u, v) of each picture: how strong each concept is at each place
    error: float  # the share of the crops' squared activations that the concepts leave out
    falls: Tensor  # (F,) how far the score falls without the concept, the mean over the pictures
    floors: Tensor  # (F, draws) how far it falls without channels drawn at random that hold as much

    def strongest(self, concept: int, most: int) -> list[Crop]:
        """The crops in which a concept is strongest: one of each picture, then further ones where pictures are few."""
        order = self.strengths[:, concept].argsort(descending=True, stable=True).tolist()
        seen, firsts, others = set(), [], []
        for crop in (self.crops[number] for number in order if self.strengths[number, concept] > 0):
            (others if crop.picture in seen else firsts).append(crop)
            seen.add(crop.picture)
        return [*firsts, *others][:most]

    def chance(self, concept: int) -> float:
        """How often channels at random matter as much, of all draws and the concept: at least 1 / (draws + 1)."""
        as_much = int((self.floors[concept] >= self.falls[concept]).sum())
        return (as_much + 1) / (self.floors.shape[1] + 1)


def craft(
    classifier: Classifier,
    images: Sequence[Tensor],
    target: Target,
    *,
    layer: str | None = None,
    concepts: int = 8,
    crop: float = 1 / 3,
    draws: int = 20,
    seed: int = 0,
    max_batch: int = 16,
) -> Concepts:
    """The concepts that a layer tells apart in pictures of a class, and how much the class's score depends on each.

    The pictures are cut into crops; what the layer gives for them, averaged over its places and cut at zero, is taken
    apart by non-negative matrix factorisation (section 3.1), as ``factorize`` does it. With the directions that were
    found, every place of a whole picture is taken apart too, which gives maps.

    A concept matters as far as the score falls when its part is taken out of the layer's output for the pictures. This
    is plain deletion, in the score's own unit, in place of the paper's Sobol indices. The floor is deletion of a random
    concept: channels in random order, until as much of the squared activations is gone.

    Args:
        classifier: the classifier.
        images: pictures (1, C, H, W) in [0, 1], which may differ in size; those that it takes for the class, best.
        target: whose score: one class, one for each picture, or any other score.
        layer: the layer's name; the last feature map by default.
        concepts: how many.
        crop: side of a crop, as a share of the network's input.
        draws: how many random concepts each one is compared with.
        seed: of these.
        max_batch: passes at once.

    Returns:
        The concepts.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: no pictures; or the layer holds no map, is zero everywhere, or has fewer channels, or there are
            fewer crops, than concepts.
    """
    options = {"concepts": concepts, "crop": crop, "draws": draws, "seed": seed, "max_batch": max_batch}
    check_bounds("craft", options)
    images = list(images)
    if not images:
        raise InterpretError("concepts are found in pictures; there are none")
    with left_as_found(classifier, images[0].device), torch.no_grad():
        view = classifier.on_inputs()
        inputs = [classifier.prepare(image)[0] for image in images]
        layer = layer_of(view, inputs[0], layer)
        find_layer(classifier.network, layer)
        if layer not in laid_out(view, inputs[0], layer):
            raise InterpretError(f"layer {layer!r} gives no map, on which concepts could have places")
        crops, values = _cropped(view, inputs, layer, crop, max_batch)
        if concepts > min(values.shape):
            raise InterpretError(f"{len(values)} crops of {values.shape[1]} channels have no {concepts} concepts")
        if not values.any():
            raise InterpretError(f"layer {layer!r} gives nothing above zero, so there is nothing to take apart")
        strengths, directions, error = non_negative_factors(values, concepts)
        maps = tuple(_map(view, given, layer, directions) for given in inputs)
        falls, floors = deleted(
            view, inputs, target, layer, directions, maps, draws=draws, seed=seed, max_batch=max_batch
        )
    order = falls.argsort(descending=True, stable=True)
    laid = tuple(own[order] for own in maps)
    return Concepts(layer, directions[order], crops, strengths[:, order], laid, error, falls[order], floors[order])


def _cropped(
    view: Classifier, inputs: Sequence[Tensor], layer: str, share: float, max_batch: int
) -> tuple[list[Crop], Tensor]:
    """The crops of all pictures, and what a layer gives for each (M, K)."""
    crops, values = [], []
    with progress_bar(len(inputs), "crops", "picture") as bar:
        for number, given in enumerate(inputs):
            own = crops_of(number, tuple(given.shape[-2:]), share)
            crops += own
            values.append(mean_activations(view, given, own, layer, max_batch=max_batch))
            bar.update()
    return crops, torch.cat(values)


def _map(view: Classifier, given: Tensor, layer: str, directions: Tensor) -> Tensor:
    """How strong directions (F, K) are at each place of a layer for one picture: (F, u, v)."""
    values = maps_of(view, given, layer)[0].float().clamp(min=0)
    return strengths_in(values.flatten(1).T, directions).T.unflatten(1, values.shape[1:])
