"""`interp visualize` at work: expression by expression, seed by seed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from interpret.bounds import LARGEST_SIDE
from interpret.errors import NetworkError

from ...options.messages import Messages
from ...options.numbers import Number
from ...options.pictures import seed_option
from ...options.record import option
from ...options.safety import Written
from ...options.types import COUNT
from ..optimised import Frames

if TYPE_CHECKING:
    from torch import Tensor, nn

    from interpret.classifier import Classifier
    from interpret.drawing.ascend import Step
    from interpret.drawing.objectives import Objective


@dataclass(frozen=True)
class Choices:
    """How pictures are drawn, and what is written beside them."""

    parametrisation: Literal["fourier", "maco", "pixels"] = option(
        "What the picture is made of: frequencies and decorrelated colours; phases alone; or pixels.",
        "--image",
        default="fourier",
    )
    size: int | None = option(
        "The side of the picture in pixels; by default that of the network's input.", type=Number(8, LARGEST_SIDE)
    )
    steps: int | None = option("How many steps are taken; by default 144 with --optimizer calm, else 96.", type=COUNT)
    copies: int = option("From how many random views each step looks at the picture.", default=2, type=COUNT)
    transforms: bool = option("Look at the picture turned, shifted and scaled, or as it is.", default=True)
    smoothness: float | None = option(
        "How much differences between neighbours count against it; by default 30 with calm, else 50."
    )
    optimizer: Literal["calm", "sgd", "momentum", "nesterov", "rmsprop", "adam"] | None = option(
        "What takes the steps; by default calm for classes, which begin in the middle, coarse and noisy, else adam."
    )
    learning_rate: float | None = option(
        "How far a step goes; by default 0.024 with calm, 0.3 with --image maco, else 0.03."
    )
    diversity: int = option("How many pictures to draw that differ from each other.", default=1, type=COUNT)
    apart_in: str | None = option(
        "The layer in which they differ; by default that of WHAT, or the last feature map.", metavar="LAYER"
    )
    negative: bool = option("Also draw what lowers it most.")
    seeds: int = option("Draw it with so many seeds, and keep the best.", default=1, type=COUNT)
    seed: int = seed_option()
    curve: str | None = option("Also draw into this file how the objective rises with the steps.", type=Written())
    gif: str | None = option("Also write the way there to this file, as an animation.", type=Written())
    every: int = option("How many steps lie between two frames of the --gif.", default=4, type=COUNT)

    def as_dict(self) -> dict[str, Any]:
        """The choices by name."""
        return asdict(self)


@dataclass(frozen=True)
class Visualized:
    """The pictures of one expression."""

    text: str
    images: "Tensor"  # (N, C, H, W), several where they were kept apart
    frames: Frames
    seed: int
    score: float | None = None  # from several sides, where seeds compete


@dataclass
class Visualizer:
    """Draws expressions and holds what is done, also where Ctrl-C ends the work."""

    classifier: "Classifier"
    choices: Choices
    messages: Messages
    watch: "Callable[[Step], object] | None" = None  # is shown every step
    done: list[Visualized] = field(default_factory=list)

    def draw(self, text: str, objective: "Objective") -> None:
        """Draw one expression with every seed and keep the best; a NetworkError where no seed draws anything."""
        first, count = self.choices.seed, self.choices.seeds
        tried: list[Visualized] = []
        for seed in range(first, first + count):
            frames = Frames(self.choices.gif)
            try:
                images = self._attempt(objective, seed, frames)
            except KeyboardInterrupt:
                if not tried and frames.last is not None:
                    tried.append(Visualized(text, frames.last.clamp(0, 1), frames, seed))
                self._keep(tried)
                raise
            except NetworkError:
                if not tried and seed == first + count - 1:
                    raise
                continue
            score = self._judged(text, objective, images) if count > 1 else None
            tried.append(Visualized(text, images, frames, seed, score))
        best = self._keep(tried)
        scores = best.frames.scores
        self.messages.note(f"{text}: the objective went from {scores[0]:.4g} to {scores[-1]:.4g}")
        if count > 1:
            scores = ", ".join(f"{one.seed}: {one.score:.3g}" for one in tried)
            self.messages.note(f"{text}: seed {best.seed} is kept; seen from 16 sides they reach {scores}")

    def _keep(self, tried: list[Visualized]) -> Visualized | None:
        best = max(tried, key=lambda one: one.score or 0.0, default=None)
        self.done += [best] if best else []
        return best

    def _attempt(self, objective: "Objective", seed: int, frames: Frames) -> "Tensor":
        """(N, C, H, W), drawn with one seed."""
        from interpret.drawing.feature_visualization import visualize

        def watch(step: "Step") -> None:
            frames(step)
            if self.watch is not None:
                self.watch(step)

        choices = self.choices
        optimizer = _optimizer(objective, choices)
        return visualize(
            self.classifier,
            objective,
            image=_start(self.classifier, choices, seed, calm=optimizer == "calm"),
            steps=choices.steps,
            copies=choices.copies,
            learning_rate=choices.learning_rate or (0.3 if choices.parametrisation == "maco" else None),
            optimizer=optimizer,
            smoothness=choices.smoothness,
            diversity=_where_apart(self.classifier, objective, choices),
            seed=seed,
            watch=watch,
            **({} if choices.transforms else {"transform": None}),
        )

    def _judged(self, text: str, objective: "Objective", images: "Tensor") -> float:
        """A class's probability, or whatever else is raised, over views of the pictures."""
        from interpret.drawing.expressions import class_of
        from interpret.drawing.feature_visualization import objective_of_views, score_of_views

        index = class_of(text, self.classifier)
        if index is None:
            return float(objective_of_views(self.classifier, images, objective).mean())
        return float(score_of_views(self.classifier, images, index).mean())


def check(classifier: "Classifier", objective: "Objective") -> None:
    """Refuse, before anything is drawn, a channel, place or direction that its layer does not have."""
    import torch

    from interpret.drawing.ascend import looker
    from interpret.drawing.feature_visualization import default_image
    from interpret.network.hooks import left_as_found

    look = looker(classifier, tuple(objective.layers), logits=objective.logits)
    with left_as_found(classifier), torch.no_grad():
        objective.score({**look(default_image(classifier)()), "pictures": 1})


def _optimizer(objective: "Objective", choices: Choices) -> str:
    """The optimiser that was asked for, or else the one for the objective, where nothing asks for another picture."""
    from interpret.drawing.feature_visualization import optimizer_for

    usual = choices.parametrisation == "fourier" and choices.transforms
    return choices.optimizer or (optimizer_for(objective) if usual else "adam")


def _start(classifier: "Classifier", choices: Choices, seed: int, *, calm: bool) -> "nn.Module":
    import torch

    from interpret.drawing.feature_visualization import default_image
    from interpret.drawing.parametrisations import Maco, Pixels

    size = choices.size or classifier.input_size or 224
    shape = {"count": choices.diversity, "channels": len(classifier.mean), "seed": seed}
    device = classifier.mean.device
    if choices.parametrisation == "fourier":
        return default_image(classifier, size=size, count=choices.diversity, seed=seed, calm=calm)
    if choices.parametrisation == "maco":
        return Maco(size, **shape).to(device)
    height, width = (size, size) if isinstance(size, int) else size
    generator = torch.Generator().manual_seed(seed)
    grey = 0.5 + 0.01 * torch.randn(shape["count"], shape["channels"], height, width, generator=generator)
    return Pixels(grey.clamp(0, 1)).to(device)


def _where_apart(classifier: "Classifier", objective: "Objective", choices: Choices) -> str | None:
    """The layer in which several pictures of one expression shall differ."""
    from interpret.drawing.feature_visualization import default_image
    from interpret.network.hooks import find_layer
    from interpret.network.survey import default_layer

    if choices.diversity == 1:
        return None
    if choices.apart_in:
        find_layer(classifier.network, choices.apart_in)
        return choices.apart_in
    if objective.layers:
        return sorted(objective.layers)[0]
    return default_layer(classifier.network, default_image(classifier)().detach(), classifier.on_inputs())
