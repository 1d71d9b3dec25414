"""How well a trained network holds: the table at the end of `interp train`, from the files as others load them."""

import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...options.messages import Messages, tell
from .choices import MeasureOptions, TrainOptions
from .parts import Pictures
from .watch import radius_in_words

if TYPE_CHECKING:
    from torch import Tensor

    from attacks.training.settings import Settings
    from interpret.datasets.dataset import Dataset

NAMES = {"clean": "clean", "fgsm": "FGSM", "pgd50": "PGD-50, {} restarts", "autoattack": "AutoAttack"}


@dataclass(frozen=True)
class WithBar:
    """Pictures whose progress is shown as they are taken."""

    data: "Dataset"
    bar: Any

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, indices: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Those at indices (n,), and their labels."""
        self.bar.update(len(indices))
        return self.data.batch(indices)


def print_table(
    options: TrainOptions, settings: "Settings", pictures: Pictures, device: str, messages: Messages
) -> None:
    """Measure the best and the last network on the test pictures, or else those of validation, and print the table."""
    from attacks import distributed
    from interpret.models.saved import read_trained

    data, kind = (pictures.test, "test") if pictures.test is not None else (pictures.validation, "validation")
    data = _drawn(data, options.measure.limit, settings.seed)
    distributed.gathered(None)  # until the first process has written the files
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []  # rows, and the weights that they are of
    for path in (options.folder / f"{name}.pt" for name in ("best", "last")):
        if not path.exists():
            messages.note("no epoch went well, so there is no best one")
            continue
        _, weights, more = read_trained(path)
        history = more["training"]["history"]
        same = next((row for row, state in found if _equal(state, weights)), None)
        scores = same or _measured(path, data, settings, measure=options.measure, device=device, messages=messages)
        row = {"checkpoint": path.stem, "path": str(path), "epoch": len(history)}
        row |= {"data": options.pictures.data, "pictures": kind, "count": len(data), "eps": settings.eps}
        row |= {"defense": settings.defense, "restarts": options.measure.restarts}
        row |= {name: scores[name] for name in NAMES if name in scores}
        found.append((row | {"seconds": round(sum(epoch["seconds"] for epoch in history), 2)}, weights))
    if distributed.rank() == 0:
        _print([row for row, _ in found], options)


def _drawn(data: "Dataset", limit: int | None, seed: int) -> "Dataset":
    import torch

    if limit is None or limit >= len(data):
        return data
    drawn = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:limit]
    return data.part(drawn.sort().values)


def _equal(state: dict[str, "Tensor"], other: dict[str, "Tensor"]) -> bool:
    return all(bool((state[name] == other[name]).all()) for name in state)


def _measured(
    path: Path, data: "Dataset", settings: "Settings", *, measure: MeasureOptions, device: str, messages: Messages
) -> dict[str, dict[str, float]]:
    """The accuracies of one file's network, with their intervals."""
    import torch

    from attacks.autoattack import autoattack
    from attacks.evaluation.robust_accuracy import interval
    from attacks.training.accuracies import accuracies, thorough
    from interpret.models.load import load
    from interpret.progress import progress_bar

    model, eps = load(path).to(device).on_inputs(), settings.eps
    how = {"device": torch.device(device), "batch_size": settings.batch_size}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with progress_bar(_own_share(data), f"PGD-50 on {path.stem}", "picture") as bar:
            found = thorough(model, WithBar(data, bar), eps, restarts=measure.restarts, **how)
        if measure.autoattack:
            attack = {"autoattack": partial(autoattack, eps=eps)}
            with progress_bar(_own_share(data), f"AutoAttack on {path.stem}", "picture") as bar:
                found |= accuracies(model, WithBar(data, bar), attack, **how)
    for message in {str(warning.message) for warning in caught}:
        messages.note(f"{path.stem}: {message}")
    shares = {name: (share, *interval(round(share * len(data)), len(data))) for name, share in found.items()}
    return {name: dict(zip(("share", "low", "high"), values, strict=True)) for name, values in shares.items()}


def _own_share(data: "Dataset") -> int:
    from attacks import distributed

    return -(-len(data) // distributed.world())


def _print(rows: list[dict[str, Any]], options: TrainOptions) -> None:
    if options.measure.as_json:
        for row in rows:
            tell(json.dumps(row))
        return
    for line in _lines(rows) if rows else []:
        tell(line)
    for name in ("best.pt", "last.pt", "metrics.csv", "curves.png"):
        if (options.folder / name).exists():
            tell(str(options.folder / name))


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    """The table as lines."""
    first = rows[0]
    shown = [name for name in NAMES if name in first]
    titles = ["", *(NAMES[name].format(first["restarts"]) for name in shown), "trained in"]
    cells = [
        [
            f"{row['checkpoint']} (epoch {row['epoch']})",
            *(f"{100 * row[name]['share']:5.1f} % ({_ends(row[name])})" for name in shown),
            f"{row['seconds']:.1f} s",
        ]
        for row in rows
    ]
    widths = [max(len(cell) for cell in column) for column in zip(titles, *cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (titles, *cells)]
    of = "test pictures" if first["pictures"] == "test" else "validation pictures, as there are none to test on"
    about = f"{first['defense']}, {first['count']} {of}, {radius_in_words(first['eps'])}, with 95 % intervals"
    return [about, *(line.rstrip() for line in lines)]


def _ends(score: dict[str, float]) -> str:
    return f"{100 * score['low']:.1f}-{100 * score['high']:.1f}"
