"""The one loop that everything drawn by optimisation shares."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..layer_outputs import laid_out, runner
from ..network.backward_rules import redirected
from ..network.hooks import left_as_found
from ..network.layout import Layout
from ..network.outputs import first_tensor
from ..network.recording import recorded
from ..progress import progress_bar
from .calm import Calm
from .objectives import Objective
from .parametrisations import Pixels

Prepare = Callable[[Tensor], Tensor | Iterable[Tensor]]

_log = logging.getLogger(__name__)

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9),
    "nesterov": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True),
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "calm": Calm,
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
    cooling: bool = False,
    prepare: Prepare | None = None,
    penalty: Objective | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    what: str = "drawing",
) -> Iterator[Step]:
    """Change the picture (N, C, H, W) of a parametrisation, step by step, so that it raises an objective.

    Each step is yielded before it is taken, so a caller that stops early keeps the picture so far. ``prepare`` turns
    the picture into the views (V N, C, h, w) that the network sees, view by view. It may also yield parts, which the
    network sees one after another in the memory of one: the objective is then their mean, its gradient their sum.
    ``penalty`` is an objective that is lowered meanwhile. ``change`` maps a parameter's gradient to the one that the
    optimiser gets in its place. With ``cooling`` the learning rate falls along a cosine. ``what`` is the
    name on the progress bar.

    While nothing in a picture changes the objective, as with a unit that is silent behind its ReLU, the picture follows
    the redirected gradient of ``interpret.network.backward_rules``, which wakes the unit. A NetworkError is raised if
    nothing changes the objective even then, if all pictures stay silent in every step, or if the objective becomes
    infinite or NaN.
    """
    parameters = list(image.parameters())
    chosen = OPTIMIZERS[optimizer](parameters, lr=learning_rate)
    cooled = torch.optim.lr_scheduler.LambdaLR(
        chosen, lambda number: (1 + math.cos(math.pi * number / steps)) / 2 if cooling else 1.0
    )
    slopes = _Slopes(classifier, objective, penalty, prepare)
    with progress_bar(steps, what, "step") as bar:
        for number in range(steps):
            with left_as_found(classifier):
                picture = image()
                scores, slope = slopes.at_step(picture.detach().requires_grad_(), number)
                # Optimisers go down, the objective is to go up.
                gradients = torch.autograd.grad(picture, parameters, -slope)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient if change is None else change(gradient)
            yield Step(number, picture.detach(), scores)
            loss = -float(scores.sum())
            chosen.step(lambda loss=loss: loss)
            cooled.step()
            bar.set_postfix(objective=f"{float(scores.mean()):.3g}")
            bar.update()
    slopes.check_awake()


def ascend_pixels(
    classifier: nn.Module,
    objective: Objective,
    start: Tensor,
    *,
    first: int = 0,
    watch: Callable[[Step], object] | None = None,
    **options: Any,
) -> Tensor:
    """The picture (N, C, H, W) in [0, 1] that ``ascend`` makes from a start, pixel by pixel.

    ``watch`` is called with every step; their numbers count from ``first``. The options are those of ``ascend``.
    """
    picture = Pixels(start)
    for step in ascend(classifier, objective, picture, **options):
        if watch is not None:
            watch(replace(step, number=first + step.number))
        with torch.no_grad():
            picture.values.clamp_(0, 1)
    return picture().detach()


@dataclass
class _Slopes:
    """The objective and its gradient at pictures, and which of them have been silent in every step so far."""

    classifier: nn.Module
    objective: Objective
    penalty: Objective | None
    prepare: Prepare | None
    look: Callable[[Tensor], dict[str, Any]] = field(init=False)
    silent: Tensor | None = field(default=None, init=False)  # (N,) booleans; None before the first step

    def __post_init__(self) -> None:
        both = self.objective if self.penalty is None else self.objective + self.penalty
        self.look = looker(self.classifier, tuple(both.layers), logits=both.logits)

    def at_step(self, pictures: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """The scores (N,) of pictures (N, C, H, W) at a step, and the slope to follow."""
        scores, slope, still = self.at(pictures)
        name = self.objective.name
        if not torch.isfinite(scores + slope.flatten(1).sum(1)).all():
            raise NetworkError(f"the objective {name} is not finite at step {number}")
        if still.any():
            _, redirected_slope, still_redirected = self.at(pictures, redirect=True)
            slope = torch.where(still[:, None, None, None], redirected_slope, slope)
            if number == 0 and still_redirected.any():
                raise NetworkError(f"nothing in the picture changes {name}; there is nothing to draw")
        self.silent = still if self.silent is None else self.silent & still
        return scores, slope

    def at(self, pictures: Tensor, redirect: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """The scores (N,) of pictures (N, C, H, W), the slope, and which pictures (N,) do not change the objective."""
        shown = pictures if self.prepare is None else self.prepare(pictures)
        scores, slope = [], torch.zeros_like(pictures)
        still = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
        for part in [shown] if isinstance(shown, Tensor) else shown:
            # Cut at the views: both gradients share the graph from there back to the picture, which serves only once.
            views = part.detach().requires_grad_()
            with redirected() if redirect else nullcontext():
                seen = {**self.look(views), "pictures": len(pictures)}
            score, penalty = self.objective.score(seen), self.penalty
            # A penalty on the picture alone shares no graph with the network, which then need not be kept.
            up = _slope(score, views, keep=penalty is not None and bool(penalty.layers or penalty.logits))
            still &= ~up.view(-1, len(pictures), *up.shape[1:]).transpose(0, 1).flatten(1).any(1)
            down = 0 if penalty is None else _slope(penalty.score(seen), views)
            slope += torch.autograd.grad(part, pictures, up - down)[0] if part is not pictures else up - down
            scores.append(score.detach().view(-1, len(pictures)).mean(0))
        return torch.stack(scores).mean(0), slope, still

    def check_awake(self) -> None:
        """Warn of pictures that stayed silent in every step; an error where all did, since they are noise."""
        if self.silent is None or not self.silent.any():
            return
        problem = f"{self.objective.name} stayed silent in every step; more steps or another seed may wake it"
        if self.silent.all():
            raise NetworkError(problem)
        _log.warning("picture %s: %s", ", ".join(str(int(i)) for i in self.silent.nonzero()), problem)


def _slope(scores: Tensor, pictures: Tensor, keep: bool = False) -> Tensor:
    """The gradient of the sum of scores, zero where they do not depend on the pictures; ``keep`` keeps the graph."""
    if not scores.requires_grad:
        return torch.zeros_like(pictures)
    return torch.autograd.grad(scores.sum(), pictures, retain_graph=keep, materialize_grads=True)[0]


def looker(classifier: nn.Module, layers: Sequence[str], *, logits: bool = False) -> Callable[[Tensor], dict[str, Any]]:
    """A function from pictures (N, C, H, W) on the input grid to what the classifier sees in them, by name.

    These are the activations of the layers, with the channels first, their "layouts", the pictures themselves under
    "image", and on demand the logits, for which the network runs to its end; otherwise it runs only as far as the
    layers.
    """
    network = network_of(classifier)
    enough: dict[str, int] = {}
    layouts: dict[torch.Size, dict[str, Layout]] = {}  # by the shape of the pictures

    def look(pictures: Tensor) -> dict[str, Any]:
        shape = pictures.shape[1:]
        if shape not in layouts:
            layouts[shape] = laid_out(classifier, pictures, *layers) if layers else {}
        found = layouts[shape]
        seen: dict[str, Any] = {"image": pictures, "layouts": found}
        if layers or logits:
            with recorded(network, *layers, enough=enough) as recording:
                try:
                    if logits:
                        seen["logits"] = first_tensor(classifier(pictures))
                    else:
                        runner(classifier)(pictures)
                except (RuntimeError, AssertionError) as error:
                    # A head for one size of pictures may fail once the layers that matter have run.
                    if logits or len(recording) < len(layers):
                        if isinstance(error, RuntimeError):
                            raise
                        size = f"{pictures.shape[-1]} x {pictures.shape[-2]} pixels"
                        raise NetworkError(f"the network does not take pictures of {size}: {error}") from error
            for layer in layers:
                output = recording[layer]
                seen[layer] = found[layer].channels_first(output) if layer in found else output
            if not logits:
                enough.update(recording.calls)
        return seen

    return look
