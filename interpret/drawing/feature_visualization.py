"""Activation maximisation (Erhan et al. 2009; Olah et al. 2017, https://distill.pub/2017/feature-visualization)."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor, nn

from ..bounds import bounded
from ..classifier import on_input_grid
from ..errors import InterpretError
from ..network.hooks import left_as_found
from ..scores import probability_or_score
from .ascend import Step, ascend, looker
from .objectives import Objective, apart, total_variation
from .parametrisations import Fourier
from .transforms import Approach, views

SMALLEST = 4 / 7  # of the network's input: the side of the views that an approach begins with, if the network takes it
LEAST = 96  # pixels; smaller inputs show too little once they are made smaller still
JUDGING_VIEWS = 16  # of a drawn picture, that its score is the mean over


@bounded
def visualize(
    classifier: nn.Module,
    objective: Objective,
    *,
    image: nn.Module | None = None,
    steps: int | None = None,
    copies: int = 2,
    learning_rate: float | None = None,
    optimizer: str | None = None,
    smoothness: float | None = None,
    diversity: str | None = None,
    transform: Callable[[Tensor, torch.Generator], Tensor] | None = views,
    seed: int = 0,
    watch: Callable[[Step], None] | None = None,
) -> Tensor:
    """Draw what raises an objective: a class, a channel, a neuron, a direction, or a sum of them.

    A picture is changed step by step so that random views of it raise the objective. The views, the colours and
    frequencies of photographs, and a little smoothness keep it from being noise that only this network responds to.

    Classes are begun in the middle, small, coarse and under noise, by ``Calm`` steps that leave what does not matter as
    it is. Most then show one object, or a telling part of it, on a plain ground, in colours stronger than those of
    photos; how much of it differs with the class and the seed. Layers, channels and neurons respond to textures, which
    are drawn all over by Adam.

    Args:
        classifier: what looks at the picture.
        objective: what is raised, for example ``logit(285)`` or ``0.7 * channel("layer3", 4) - logit(1)``.
        image: a parametrisation; by default ``Fourier`` at the size of the network's input.
        steps: number of steps; by default 144 with "calm", else 96.
        copies: number of views of the picture that the network sees in a step; of small ones ``Approach`` makes more.
        learning_rate: of the optimiser, by default 0.024 with "calm", else 0.03.
        optimizer: "calm", "sgd", "momentum", "nesterov", "rmsprop", "adam" or "lbfgs"; by default "calm" for an
            objective of logits with no image given, else "adam".
        smoothness: weight of the total variation, which is lowered; by default 30 with "calm", else 50.
        diversity: a layer in which several pictures are made to differ.
        transform: maps pictures and a random generator to views, as ``views`` does, in whose place "calm" takes
            ``Approach``; with None the network sees the picture itself.
        seed: of the start and the views.
        watch: called with every step, before it is taken; an exception that it raises ends the run.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        NetworkError: the objective is not finite, or no step finds anything in the picture that changes it.
        UnknownNameError: an objective's layer does not exist.
    """
    if optimizer is None:
        optimizer = optimizer_for(objective) if image is None else "adam"
    calm = optimizer == "calm"
    if image is None:
        image = default_image(classifier, seed=seed, calm=calm)
    start = image().detach()
    view = on_input_grid(classifier, start)[0]
    generator = torch.Generator().manual_seed(seed)
    steps = steps or (144 if calm else 96)
    if calm and transform is views:
        transform = Approach(steps, *_sides(classifier, view, start))
    smoothness = (30 if calm else 50) if smoothness is None else smoothness

    def prepare(pictures: Tensor) -> Tensor:
        return pictures if transform is None else transform(pictures.repeat(copies, 1, 1, 1), generator)

    for step in ascend(
        view,
        objective,
        image,
        steps=steps,
        learning_rate=learning_rate or (0.024 if calm else 0.03),
        optimizer=optimizer,
        cooling=calm,
        prepare=prepare,
        penalty=_penalty(smoothness, diversity),
        what=objective.name,
    ):
        if watch is not None:
            watch(step)
    return image().detach().clamp(0, 1)


def _penalty(smoothness: float, diversity: str | None) -> Objective | None:
    penalties = [smoothness * total_variation()] if smoothness else []
    if diversity is not None:
        penalties.append(30 * apart(diversity))
    return sum(penalties[1:], penalties[0]) if penalties else None


def optimizer_for(objective: Objective) -> str:
    """ "calm" for what is made of logits, which speak of objects, else "adam"."""
    return "calm" if objective.logits and not objective.layers else "adam"


def default_image(
    classifier: nn.Module,
    *,
    size: int | tuple[int, int] | None = None,
    count: int = 1,
    seed: int = 0,
    calm: bool = False,
) -> Fourier:
    """The ``Fourier`` picture that fits a classifier: its input's size, or 224, and its channels.

    ``calm`` is for the optimiser of that name, whose steps are as large as the spectrum's weights: those of Adam are
    as large for every value, and ask for other weights.
    """
    size = size or getattr(classifier, "input_size", None) or (224, 224)
    mean = getattr(classifier, "mean", None)
    weights = {"decay": 0.95, "vividness": 2.2} if calm else {}
    made = Fourier(size, count=count, channels=3 if mean is None else len(mean), seed=seed, **weights)
    return made if mean is None else made.to(mean.device)


def _sides(classifier: nn.Module, view: nn.Module, image: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of the smallest views that a network takes of pictures (N, C, H, W), and of the largest."""
    largest = getattr(classifier, "input_size", None) or tuple(image.shape[-2:])
    height, width = (round(SMALLEST * side) for side in largest)
    if min(largest) >= LEAST:
        with suppress(RuntimeError, ValueError, AssertionError, InterpretError), left_as_found(view), torch.no_grad():
            view(image.new_full((1, image.shape[1], 32 * round(height / 32), 32 * round(width / 32)), 0.5))
            return (height, width), tuple(largest)
    return tuple(largest), tuple(largest)


def score_of_views(classifier: nn.Module, images: Tensor, index: int) -> Tensor:
    """(N,) the mean probability of a class, or output of a regression, over views of pictures (N, C, H, W) in [0, 1].

    It is high for a picture of the class and low for a mere pattern, most reliably if the classifier is not the one
    that the pictures were drawn with.
    """
    with torch.no_grad():
        scores = probability_or_score(classifier, _judging_views(images), index)
        return scores.view(JUDGING_VIEWS, len(images)).mean(0)


def objective_of_views(classifier: nn.Module, images: Tensor, objective: Objective) -> Tensor:
    """(N,) the mean of an objective over the same views of pictures (N, C, H, W) in [0, 1], for what is no class."""
    look = looker(classifier, tuple(objective.layers), logits=objective.logits)
    with left_as_found(classifier), torch.no_grad():
        seen = {**look(_judging_views(images)), "pictures": len(images)}
        return objective.score(seen).view(JUDGING_VIEWS, len(images)).mean(0)


def _judging_views(images: Tensor) -> Tensor:
    """(JUDGING_VIEWS N, C, H, W) views that vary a little less than those that the pictures were drawn with."""
    generator = torch.Generator().manual_seed(1)
    return views(images.repeat(JUDGING_VIEWS, 1, 1, 1), generator, scale=(0.9, 1.1), rotate=10, mirror=False)
