"""Adversarial training from Python, in one call."""

import copy
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.model import Model
from ..errors import AttackError, GradientWarning
from .accuracies import thorough
from .defenses import defense_named
from .events import Watch
from .loop import train as train_loop
from .run import Run
from .samples import Part, as_data, labels_of
from .settings import Settings

HELD_OUT = 0.1  # of the data, where no validation data is given


@dataclass(frozen=True, eq=False)
class History:
    """What a training run was, and the network that came of it."""

    rows: list[dict[str, Any]]  # for each epoch: "loss", the accuracies "clean", "fgsm" and "pgd", "trouble" if any
    model: Model  # from images (n, C, H, W) in [0, 1] to logits, by the network in evaluation mode
    settings: Settings
    device: torch.device
    best: int | None  # the epoch, from 1, whose weights the network has; None where none went well

    def judge(self, data: Any, *, eps: float | None = None, restarts: int = 3, batch_size: int = 256) -> dict:
        """Accuracies in [0, 1] on labelled data: "clean", under "fgsm", and under "pgd50", PGD-50 with restarts.

        Args:
            data: as for ``train``; pictures that took no part in it.
            eps: radius of the attacks; by default the one that was trained with.
            restarts: of PGD-50.
            batch_size: how many pictures are attacked at a time.
        """
        eps = self.settings.eps if eps is None else eps
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GradientWarning)  # of pictures that are right beyond doubt
            return thorough(
                self.model, as_data(data), eps, device=self.device, batch_size=batch_size, restarts=restarts
            )


def train(
    network: nn.Module,
    data: Any,
    validation: Any = None,
    *,
    defense: str = "fast",
    eps: float = 8 / 255,
    epochs: int = 30,
    size: Sequence[int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    watch: Watch | None = None,
    **options: Any,
) -> History:
    """Train a network so that it is hard to fool; afterwards it has the weights of its best epoch.

    The best epoch withstands ten steps of PGD best on the validation data. Where a run goes wrong, by catastrophic
    overfitting or collapse, it goes back to the last good epoch.

    Args:
        network: from images (n, C, H, W) to logits, on its device; its weights are changed.
        data: a torch ``Dataset`` of (image, label), or a pair of tensors, of images (C, H, W) in [0, 1] or uint8; one
            of ``interpret.open_dataset``, or anything else with a length and ``batch(indices)``.
        validation: the same, or the share of the data to hold out for it; by default a tenth.
        defense: one of ``attacks.training.DEFENSES``.
        eps: radius of the Linf ball, in units of [0, 1].
        epochs: how many, at the most.
        size: height and width to which pictures of different sizes are resized; by default those of the first.
        mean: of each channel, which is taken from the images before the network sees them; by default 0.
        std: of each channel, by which they are then divided; by default 1.
        augment: from images (n, C, H, W) and a random generator to images, such as
            ``attacks.training.augmentation.crop_and_mirror``.
        folder: where ``best.pt`` and ``last.pt`` are kept; by default nothing is written.
        resume: whether to go on with the run that the folder holds.
        watch: is called with every event of ``attacks.training.events``.
        options: other choices of ``attacks.training.settings.Settings``, such as ``batch_size``, ``learning_rate``,
            ``label_smoothing`` or ``seed``, and those of the defense, such as ``steps`` or ``beta``.

    Returns:
        What the epochs were, and the trained model.

    Raises:
        AttackError: data or choices that are not valid, or a loss that is not finite.
    """
    settings = _settings(defense, options, eps=eps, epochs=epochs)
    fitting, held = _parts(as_data(data, size), validation, size, settings.seed)
    images, _ = fitting.batch(torch.arange(1))
    channels, classes = images.shape[1], int(max(labels_of(fitting).max(), labels_of(held).max())) + 1
    mean, std = (
        torch.tensor(list(given)).view(-1, 1, 1) for given in (mean or [0.0] * channels, std or [1.0] * channels)
    )
    run = Run(network, settings, mean=mean, std=std, classes=classes, augment=augment)
    kept: dict[str, Any] = {}
    place = None if folder is None else Path(folder)

    def save(path: Path, weights: dict[str, Tensor], training: dict[str, Any]) -> None:
        if path.stem == "best":
            kept.update(weights=copy.deepcopy(weights), epoch=run.epoch)
        if place is not None:
            _write(path, {"weights": weights, "training": training})

    begun = _begun(place, kept) if resume else None
    rows = train_loop(run, fitting, held, place, save=save, resume=begun, watch=watch)
    if kept:
        network.load_state_dict(kept["weights"])
    network.eval()
    return History(rows, run.evaluated, settings, run.device, kept.get("epoch"))


def _settings(defense: str, options: dict[str, Any], **chosen: Any) -> Settings:
    """The choices of a run, of which some are the defense's; an error where neither has one of that name."""
    own = inspect.signature(defense_named(defense)).parameters
    known = {field.name for field in fields(Settings)} - {"options", "defense"}
    for name in options:
        if name not in known and (name not in own or name == "batch"):
            has = ", ".join(name for name in own if name != "batch") or "none of its own"
            raise AttackError(
                f"there is no choice {name!r}; {defense} has {has}, and every run {', '.join(sorted(known))}"
            )
    shared = {name: value for name, value in options.items() if name in known}
    return Settings(
        defense=defense, options={name: options[name] for name in options if name not in known}, **chosen, **shared
    )


def _parts(data: Any, validation: Any, size: Sequence[int] | None, seed: int) -> tuple[Any, Any]:
    """What is trained on, and what is held out."""
    if validation is not None and not isinstance(validation, float):
        return data, as_data(validation, size or getattr(data, "size", None))
    share = HELD_OUT if validation is None else validation
    count = round(share * len(data))
    if not 0 < count < len(data):
        raise AttackError(f"a share of {share:g} of {len(data)} pictures leaves none to train on, or none to judge by")
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return Part(data, order[count:].sort().values), Part(data, order[:count].sort().values)


def _begun(folder: Path | None, kept: dict[str, Any]) -> dict[str, Any]:
    """The content of ``last.pt``; the best weights so far go into ``kept``."""
    if folder is None or not (folder / "last.pt").exists():
        raise AttackError(f"there is no run to go on with in {folder}")
    best = folder / "best.pt"
    if best.exists():
        content = torch.load(best, map_location="cpu", weights_only=True)
        kept.update(weights=content["weights"], epoch=content["training"]["epoch"])
    return torch.load(folder / "last.pt", map_location="cpu", weights_only=True)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    torch.save(content, temporary)
    temporary.replace(path)
