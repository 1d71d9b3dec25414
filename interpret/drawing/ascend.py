"""The one loop that everything drawn by optimisation shares."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..network.backward_rules import redirected
from ..network.hooks import left_as_found, recorded
from ..outputs import first_tensor
from ..progress import progress_bar
from .objectives import Objective

Prepare = Callable[[Tensor], Tensor | Iterable[Tensor]]

_log = logging.getLogger(__name__)

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
    prepare: Prepare | None = None,
    penalty: Objective | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    what: str = "drawing",
) -> Iterator[Step]:
    """Change a parametrised picture step by step so that it raises an objective.

    While nothing in a picture changes the objective, as with a unit that is silent behind its
    ReLU, the picture follows the redirected gradient of ``interpret.network.backward_rules``, which wakes it.

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
        penalty: what is lowered meanwhile; it tells nothing of whether the picture changes the objective.
        change: from a parameter's gradient to what the optimiser gets in its place.
        what: the name on the progress bar.

    Yields:
        Each step before it is taken; whoever stops asking keeps the picture so far.

    Raises:
        NetworkError: the objective is not a number any more, the message says at which step; or nothing
            in a picture changes it, or did in any step, so that the picture would be noise.
    """
    chosen = OPTIMIZERS[optimizer](image.parameters(), lr=learning_rate)
    parameters = list(image.parameters())
    climb = _climber(classifier, objective, penalty, prepare)
    silent: Tensor | None = None  # (N,), in every step so far
    with progress_bar(steps, what, "step") as bar:
        for number in range(steps):
            with left_as_found(classifier):
                picture = image()
                leaf = picture.detach().requires_grad_()
                reached, slope, still = climb(leaf)
                if not torch.isfinite(reached + slope.flatten(1).sum(1)).all():
                    raise NetworkError(f"the objective {objective.name} is not finite at step {number}")
                if still.any():
                    _, woken, without = climb(leaf, redirect=True)
                    slope = torch.where(still[:, None, None, None], woken, slope)
                    if number == 0 and without.any():
                        raise NetworkError(f"nothing in the picture changes {objective.name}; there is nothing to draw")
                silent = still if silent is None else silent & still
                # Optimisers go down, the objective is to go up.
                gradients = torch.autograd.grad(picture, parameters, -slope)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient if change is None else change(gradient)
            yield Step(number, picture.detach(), reached)
            loss = -float(reached.sum())
            chosen.step(lambda loss=loss: loss)
            bar.set_postfix(objective=f"{float(reached.mean()):.3g}")
            bar.update()
    _check_awake(silent, objective.name)


def _check_awake(silent: Tensor | None, name: str) -> None:
    if silent is None or not silent.any():
        return
    problem = f"{name} stayed silent in every step; more steps or another seed may wake it"
    if silent.all():
        raise NetworkError(problem)
    _log.warning("picture %s: %s", ", ".join(str(int(i)) for i in silent.nonzero()), problem)


def _climber(
    classifier: nn.Module, objective: Objective, penalty: Objective | None, prepare: Prepare | None
) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """What takes pictures (N, C, H, W) to their scores, the slope, and which of them do not change the objective."""
    both = objective if penalty is None else objective + penalty
    look = looker(classifier, tuple(both.layers), logits=both.logits)

    def climb(pictures: Tensor, redirect: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        shown = pictures if prepare is None else prepare(pictures)
        scores, slope = [], torch.zeros_like(pictures)
        still = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
        for part in [shown] if isinstance(shown, Tensor) else shown:
            # Cut at the views: the way back from there to the picture, which both slopes share, is gone once.
            views = part.detach().requires_grad_()
            with redirected() if redirect else nullcontext():
                seen = {**look(views), "pictures": len(pictures)}
            score = objective.score(seen)
            # A penalty on the picture alone has no graph in common with the network, which need not be kept.
            pull = _slope(score, views, keep=penalty is not None and bool(penalty.layers or penalty.logits))
            still &= ~pull.view(-1, len(pictures), *pull.shape[1:]).transpose(0, 1).flatten(1).any(1)
            push = 0 if penalty is None else _slope(penalty.score(seen), views)
            slope += torch.autograd.grad(part, pictures, pull - push)[0] if part is not pictures else pull - push
            scores.append(score.detach().view(-1, len(pictures)).mean(0))
        return torch.stack(scores).mean(0), slope, still

    return climb


def _slope(scores: Tensor, pictures: Tensor, keep: bool = False) -> Tensor:
    """The gradient of a sum of scores, zero where nothing leads to the pictures; the graph is kept on demand."""
    if not scores.requires_grad:
        return torch.zeros_like(pictures)
    return torch.autograd.grad(scores.sum(), pictures, retain_graph=keep, materialize_grads=True)[0]


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
