"""The one loop that everything drawn by optimisation shares."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..classifier import first_tensor
from ..errors import NetworkError
from ..explainers.contract import network_of
from ..hooks import left_as_found, recorded
from .objectives import Objective

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9),
    "nesterov": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True),
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    # One evaluation a step, as the others; its stopping rules would take a small gradient for the end.
    "lbfgs": lambda parameters, lr: torch.optim.LBFGS(
        parameters, lr, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0
    ),
}


@dataclass(frozen=True)
class Step:
    """Where the optimisation is."""

    number: int
    image: Tensor  # (N, C, H, W), before this step
    scores: Tensor  # (N,) the objective, the mean over the views


def ascend(
    classifier: nn.Module,
    objective: Objective,
    image: nn.Module,
    *,
    steps: int,
    learning_rate: float,
    optimizer: str = "adam",
    prepare: Callable[[Tensor], Tensor | Iterable[Tensor]] | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    what: str = "drawing",
) -> Iterator[Step]:
    """Change a parametrised picture step by step so that it raises an objective.

    Args:
        classifier: what looks at the picture, on its own input grid.
        objective: what is raised.
        image: a parametrisation.
        steps: how many.
        learning_rate: of the optimiser.
        optimizer: one of OPTIMIZERS.
        prepare: from the picture (N, C, H, W) to the views (V N, C, h, w) that the network sees, view
            by view; the picture itself by default. Or to parts, which the network sees one after
            another, in the memory of one: the objective is the mean over them, its gradient their sum.
        change: from a parameter's gradient to what the optimiser gets in its place.
        what: the name on the progress bar.

    Yields:
        Each step before it is taken; whoever stops asking keeps the picture so far.

    Raises:
        NetworkError: the objective is not a number any more; the message says at which step.
    """
    chosen = OPTIMIZERS[optimizer](image.parameters(), lr=learning_rate)
    parameters = list(image.parameters())
    score_and_slope = _looker(classifier, objective)
    with tqdm(range(steps), desc=what, unit="step", leave=False, delay=1, disable=None) as bar:
        for number in bar:
            with left_as_found(classifier):
                picture = image()
                leaf = picture.detach().requires_grad_()
                shown = leaf if prepare is None else prepare(leaf)
                scores, slope = [], torch.zeros_like(leaf)
                for part in [shown] if isinstance(shown, Tensor) else shown:
                    score, part_slope = score_and_slope(part, leaf)
                    if not torch.isfinite(score).all():
                        raise NetworkError(f"the objective {objective.name} is not finite at step {number}")
                    scores.append(score.view(-1, len(picture)).mean(0))
                    slope += part_slope
                # Optimisers go down, the objective is to go up.
                gradients = torch.autograd.grad(picture, parameters, -slope)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient if change is None else change(gradient)
            reached = torch.stack(scores).mean(0)
            yield Step(number, picture.detach(), reached)
            loss = -float(reached.sum())
            chosen.step(lambda loss=loss: loss)
            bar.set_postfix(objective=f"{float(reached.mean()):.3g}")


def _looker(classifier: nn.Module, objective: Objective) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """What takes views of a picture to their scores and the gradient of their sum over the picture."""
    look = looker(classifier, tuple(objective.layers), logits=objective.logits)

    def score(views: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        scores = objective.score({**look(views), "pictures": len(picture)})
        return scores.detach(), torch.autograd.grad(scores.sum(), picture)[0]

    return score


def looker(classifier: nn.Module, layers: Sequence[str], *, logits: bool = False) -> Callable[[Tensor], dict[str, Any]]:
    """What takes pictures (N, C, H, W) to what the classifier sees in them.

    Args:
        classifier: what looks, on its own input grid.
        layers: what is kept, by name.
        logits: whether the network runs to its end; else only as far as it must.

    Returns:
        A function to activations by layer, the pictures under "image", and the logits where asked for.
    """
    network = network_of(classifier)
    enough: dict[str, int] = {}

    def look(pictures: Tensor) -> dict[str, Any]:
        seen: dict[str, Any] = {"image": pictures}
        if layers or logits:
            with recorded(network, *layers, enough=enough) as recording:
                try:
                    seen["logits"] = first_tensor(classifier(pictures))
                except RuntimeError:
                    # A head for one size of pictures may fail once the layers that matter have run.
                    if logits or len(recording) < len(layers):
                        raise
            seen |= {layer: recording[layer] for layer in layers}
            if not logits:
                enough.update(recording.calls)
        return seen

    return look
