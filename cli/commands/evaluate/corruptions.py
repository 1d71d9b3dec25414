"""`interp evaluate corruptions`."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.corruptions import CORRUPTIONS, SEVERITIES
from interpret.datasets.folders import LabelledFile

from ...job.ledger import write_table
from ...job.processes import is_first, joined
from ...job.provenance import digest
from ...job.results import slug
from ...options.messages import Messages
from ...options.network import ModelOptions, network_name
from ...options.output import folder_option, json_option
from ...options.record import command, option
from ...options.safety import NetworkName
from ...options.types import CommaList, Names, dashed
from .labelled import FolderOptions, LabelledPictures, leave, open_data, verdicts_of

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.corruptions.mean_error import ErrorRate


def _severity(text: str) -> int:
    if int(text) not in SEVERITIES:
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True)
class CorruptionOptions:
    """Which corruptions, how strong."""

    corruptions: list[str] = option(
        f"The corruptions; there are {dashed(', '.join(CORRUPTIONS))}.",
        default="all",
        type=Names(CORRUPTIONS, "corruption"),
        metavar="NAME,NAME",
    )
    severities: list[int] = option(
        "How strong the corruptions are, from 1 to 5.",
        default="1,2,3,4,5",
        type=CommaList(_severity, "a list of numbers from 1 to 5", once=True),
        metavar="LIST",
    )

    @property
    def columns(self) -> list[str]:
        """What is counted for each picture: as it is, and under each corruption and severity."""
        return ["clean", *(f"{name}_{severity}" for name in self.corruptions for severity in self.severities)]


@command(short_help="Errors under noise, blur, weather and compression.")
def corruptions(
    *,
    data: FolderOptions,
    which: CorruptionOptions,
    relative_to: str | None = option(
        "A network whose errors count as 100 %, which makes the mean a mean corruption error; ImageNet-C's is AlexNet.",
        metavar="NAME|FILE",
        type=NetworkName(),
    ),
    output: str = folder_option(),
    no_clobber: bool = option("Go on with the table of an earlier run."),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Errors on a FOLDER of labelled pictures under the 15 corruptions of ImageNet-C, five severities each.

    Pictures are corrupted on the network's own input grid, on the levels of an 8-bit file, each with
    random numbers of its own. Intervals are 95 % bootstrap intervals over pictures. Verdicts are
    written picture by picture; --no-clobber goes on where an interrupted run stopped. Several
    processes share the pictures, as in `interp evaluate robustness --help`.

    Hendrycks and Dietterich 2019: https://arxiv.org/abs/1903.12261
    """
    names = list(dict.fromkeys([model.model, *([relative_to] if relative_to else [])]))
    wrong, failed = {}, 0
    with joined(model.device, messages) as messages:
        from attacks import distributed

        for name in names:
            one = model if name == model.model else model.beside(name)
            pictures = open_data(data, one.open(), messages)
            path = Path(output) / f"corruptions_{slug(network_name(name, names))}.csv"
            wrong[name] = wrong_by_file(pictures, which, path, no_clobber, data.seed)
            failed += sum(distributed.gathered(pictures.failed))
            messages.note(str(path))
        if is_first():
            _note_frost(which, messages)
            rows = list(table(wrong[model.model], wrong.get(relative_to), which, data.seed))
            for row in rows:
                click.echo(json.dumps(row) if as_json else _line(row))
            write_table(Path(output) / "corruptions.csv", rows)
            messages.note(str(Path(output) / "corruptions.csv"))
        leave(failed)


def wrong_by_file(
    pictures: LabelledPictures, which: CorruptionOptions, path: Path, resume: bool, seed: int
) -> dict[str, list[int]]:
    """Each picture's verdicts, 1 where it is wrong, in the order of the columns; see `verdicts_of`."""
    from interpret.corruptions.mean_error import wrong_when_corrupted

    view = pictures.classifier.on_inputs()

    def wrong(files: list[LabelledFile], images: "Tensor", labels: "Tensor") -> "Tensor":
        # A picture's numbers depend on its name, and not on which others are looked at.
        seeds = [zlib.crc32(f"{seed} {file.inside}".encode()) for file in files]
        return wrong_when_corrupted(view, images, labels, which.corruptions, which.severities, seed=seeds)

    run = digest(pictures.classifier, columns=which.columns, seed=seed)
    return verdicts_of(pictures, path, which.columns, wrong, run=run, resume=resume)


def table(
    wrong: dict[str, list[int]], reference: dict[str, list[int]] | None, which: CorruptionOptions, seed: int
) -> Iterator[dict[str, Any]]:
    """A row for the pictures as they are, one for each corruption, and one for all of them."""
    import torch

    from interpret.corruptions.mean_error import error_rate
    from interpret.errors import InterpretError

    files = [file for file in wrong if reference is None or file in reference]
    if not files:
        raise InterpretError("none of the pictures could be looked at")
    ours = torch.tensor([wrong[file] for file in files]).bool()
    theirs = None if reference is None else torch.tensor([reference[file] for file in files]).bool()
    shape = len(files), len(which.corruptions), len(which.severities)

    def row(name: str, mine: "Tensor", other: "Tensor | None") -> dict[str, Any]:
        found = {"corruption": name, "pictures": len(files), **_rate("error", error_rate(mine, seed=seed))}
        for place, severity in enumerate(which.severities):
            found[f"severity_{severity}"] = None if name == "clean" else float(mine[:, :, place].double().mean())
        relative = None if other is None else error_rate(mine, other, seed=seed)
        return found | (_rate("relative", relative) if relative else {})

    grids = [None if part is None else part[:, 1:].view(shape) for part in (ours, theirs)]
    yield row("clean", ours[:, :1, None], None if theirs is None else theirs[:, :1, None])
    for place, name in enumerate(which.corruptions):
        yield row(name, *(None if part is None else part[:, place : place + 1] for part in grids))
    yield row("mean", *grids)


def _rate(name: str, rate: "ErrorRate") -> dict[str, float]:
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}


def _line(row: dict[str, Any]) -> str:
    """A row as a line of text."""
    line = f"{dashed(row['corruption']):18} {_percent(row, 'error')}"
    severities = [value for name, value in row.items() if name.startswith("severity_")]
    if None not in severities:
        line += "  by severity" + "".join(f" {100 * value:5.1f}" for value in severities)
    return line + (f"  relative {_percent(row, 'relative')}" if "relative" in row else "")


def _percent(row: dict[str, Any], name: str) -> str:
    return f"{100 * row[name]:5.1f} % ({100 * row[f'{name}_low']:.1f}-{100 * row[f'{name}_high']:.1f})"


def _note_frost(which: CorruptionOptions, messages: Messages) -> None:
    from interpret.corruptions.weather import has_photos

    if "frost" in which.corruptions and not has_photos():
        messages.note("frost is simulated; for the published photographs: pip install --no-deps imagecorruptions")
