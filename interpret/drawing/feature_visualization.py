"""Activation maximisation (Erhan et al. 2009; Olah et al. 2017, https://distill.pub/2017/feature-visualization)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..bounds import bounded
from ..classifier import on_input_grid
from ..network.hooks import left_as_found
from ..scores import probability_or_score
from .ascend import Step, ascend, looker
from .objectives import Objective, apart, total_variation
from .parametrisations import Fourier
from .transforms import views

JUDGING_VIEWS = 16  # of a drawn picture, that its score is the mean over


@bounded
def visualize(
    classifier: nn.Module,
    objective: Objective,
    *,
    image: nn.Module | None = None,
    steps: int = 96,
    copies: int = 2,
    learning_rate: float = 0.03,
    optimizer: str = "adam",
    smoothness: float = 50,
    diversity: str | None = None,
    transform: Callable[[Tensor, torch.Generator], Tensor] | None = views,
    seed: int = 0,
    watch: Callable[[Step], None] | None = None,
) -> Tensor:
    """Draw what raises an objective: a class, a channel, a neuron, a direction, or a sum of them.

    A picture is changed step by step so that random views of it raise the objective. The views, the colours and
    frequencies of photographs, and a little smoothness keep it from being noise that only this network responds to.

    Args:
        classifier: what looks at the picture.
        objective: what is raised, for example ``logit(285)`` or ``0.7 * channel("layer3", 4) - logit(1)``.
        image: a parametrisation; by default ``Fourier`` at the size of the network's input.
        steps: number of steps.
        copies: number of views of the picture that the network sees in a step.
        learning_rate: of the optimiser.
        optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam" or "lbfgs".
        smoothness: weight of the total variation, which is lowered.
        diversity: a layer in which several pictures are made to differ.
        transform: maps pictures and a random generator to views; with None the network sees the picture itself.
        seed: of the start and the views.
        watch: called with every step, before it is taken; an exception that it raises ends the run.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        NetworkError: the objective is not finite, or no step finds anything in the picture that changes it.
        UnknownNameError: an objective's layer does not exist.
    """
    if image is None:
        image = default_image(classifier, seed=seed)
    view = on_input_grid(classifier, image().detach())[0]
    generator = torch.Generator().manual_seed(seed)

    def prepare(pictures: Tensor) -> Tensor:
        return pictures if transform is None else transform(pictures.repeat(copies, 1, 1, 1), generator)

    for step in ascend(
        view,
        objective,
        image,
        steps=steps,
        learning_rate=learning_rate,
        optimizer=optimizer,
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


def default_image(classifier: nn.Module, *, seed: int = 0) -> Fourier:
    """The ``Fourier`` picture that fits a classifier: its input's size, or 224, and its channels."""
    size = getattr(classifier, "input_size", None) or (224, 224)
    mean = getattr(classifier, "mean", None)
    made = Fourier(size, channels=3 if mean is None else len(mean), seed=seed)
    return made if mean is None else made.to(mean.device)


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
