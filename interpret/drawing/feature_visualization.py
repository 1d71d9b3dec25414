"""Activation maximisation (Erhan et al. 2009; Olah et al. 2017, https://distill.pub/2017/feature-visualization)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..network.hooks import left_as_found
from .ascend import Step, ascend, looker
from .objectives import Objective, apart, total_variation
from .parametrisations import Fourier
from .transforms import views


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

    A picture is changed step by step so that random views of it raise the objective. Views, colours
    and frequencies as in photographs and a little smoothness keep it from being noise that only
    this network responds to.

    Args:
        classifier: what looks at the picture.
        objective: what is raised, for example ``logit(285)`` or ``0.7 * channel("layer3", 4) - logit(1)``.
        image: a parametrisation; by default ``Fourier`` at the size of the network's input.
        steps: how many.
        copies: views of the picture that a step looks at.
        learning_rate: of the optimiser.
        optimizer: "sgd", "momentum", "nesterov", "rmsprop" or "adam".
        smoothness: weight of the total variation that is lowered.
        diversity: a layer in which several pictures are kept apart.
        transform: takes pictures and a random generator to views; None shows the network the picture itself.
        seed: of the start and the views.
        watch: is shown every step, with the picture so far; an exception that it raises ends the run.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        NetworkError: the objective is not finite, or nothing in the picture changes it or ever did.
        UnknownNameError: an objective's layer does not exist.
    """
    from ..classifier import on_input_grid

    if image is None:
        image = default_image(classifier, seed=seed)
    view = on_input_grid(classifier, image().detach())[0]
    penalties = [smoothness * total_variation()] if smoothness else []
    if diversity is not None:
        penalties.append(30 * apart(diversity))
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
        penalty=sum(penalties[1:], penalties[0]) if penalties else None,
        what=objective.name,
    ):
        if watch is not None:
            watch(step)
    return image().detach().clamp(0, 1)


def default_image(classifier: nn.Module, *, count: int = 1, seed: int = 0) -> Fourier:
    """The ``Fourier`` picture that fits a classifier: its input's size, or 224, and its channels."""
    size = getattr(classifier, "input_size", None) or (224, 224)
    mean = getattr(classifier, "mean", None)
    made = Fourier(size, count=count, channels=3 if mean is None else len(mean), seed=seed)
    return made if mean is None else made.to(mean.device)


def score_of_views(classifier: nn.Module, images: Tensor, index: int, *, count: int = 16, seed: int = 1) -> Tensor:
    """How surely a classifier sees a class in pictures, from several sides: what tells a picture from a pattern.

    Args:
        classifier: the judge; best one that took no part in the drawing.
        images: (N, C, H, W), in [0, 1].
        index: the class.
        count: how many views: shifted, scaled by 0.9 to 1.1, rotated by up to 10 degrees.
        seed: of the views.

    Returns:
        (N,) mean softmax probabilities.
    """
    shown = _sides(images, count, seed)
    with torch.no_grad():
        return classifier(shown).softmax(1)[:, index].view(count, len(images)).mean(0)


def objective_of_views(
    classifier: nn.Module, images: Tensor, objective: Objective, *, count: int = 16, seed: int = 1
) -> Tensor:
    """How far pictures raise an objective from several sides, for what is no class; see ``score_of_views``.

    Returns:
        (N,), the mean over the views.
    """
    look = looker(classifier, tuple(objective.layers), logits=objective.logits)
    with left_as_found(classifier), torch.no_grad():
        seen = {**look(_sides(images, count, seed)), "pictures": len(images)}
        return objective.score(seen).view(count, len(images)).mean(0)


def _sides(images: Tensor, count: int, seed: int) -> Tensor:
    """(count N, C, H, W) views of pictures, a little less varied than those that they were drawn with."""
    generator = torch.Generator().manual_seed(seed)
    return views(images.repeat(count, 1, 1, 1), generator, scale=(0.9, 1.1), rotate=10, mirror=False)
