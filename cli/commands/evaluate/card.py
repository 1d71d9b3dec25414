"""`interp evaluate card`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...job.results import slug
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import json_option
from ...options.radius import check_radius
from ...options.record import command, option
from ...options.safety import Written
from .card_measures import CardOptions, CardWork
from .corruptions import CorruptionOptions, wrong_by_file
from .labelled import FolderOptions, leave, open_data, stacked

if TYPE_CHECKING:
    from interpret.report.card import Measure


@command(short_help="One page on what a network withstands.")
def card(
    *,
    data: FolderOptions,
    strength: CardOptions,
    which: CorruptionOptions,
    output: str = option("The page's file.", "-o", "--output", default="card.html", type=Written(dir_okay=False)),
    no_clobber: bool = option("Go on with the corruptions of an earlier run."),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """One page on what a network withstands, from a FOLDER of labelled pictures.

    Accuracy on clean pictures, under PGD and under AutoAttack, errors under corruptions, calibration,
    and whether there are signs of masked gradients; each number with its 95 % interval, its seed and
    the command that gives it again. The page is one HTML file that loads nothing; its numbers are
    written beside it as JSON, and the verdicts under corruptions as CSV.
    """
    from interpret.report.card import card_page

    path = Path(output)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InterpretError(f"a card is an .html file, not {path.name}")
    check_radius(strength.eps)
    classifier = model.open()
    pictures = open_data(data, classifier, messages)
    work = CardWork(classifier, *stacked(pictures), data, strength, which, model)
    beside = path.with_name(f"{path.stem}_corruptions_{slug(model.model)}.csv")

    def wrong() -> dict[str, list[int]]:
        return wrong_by_file(open_data(data, classifier, messages), which, beside, no_clobber, data.seed)

    made = work.card(wrong, path, messages)
    _write(path, card_page(made), made.record())
    if as_json:
        tell(json.dumps(made.record(), ensure_ascii=False))
    else:
        messages.note(*map(_in_a_line, made.measures))
        tell(str(path))
    leave(pictures.failed)


def _in_a_line(measure: "Measure") -> str:
    interval = f"{100 * measure.low:.1f}-{100 * measure.high:.1f} %"
    return f"{measure.name:28} {100 * measure.value:5.1f} % (95 % interval {interval})"


def _write(path: Path, page: str, record: dict[str, Any]) -> None:
    from interpret.images.files import write_bytes

    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, page.encode())
    write_bytes(path.with_suffix(".json"), json.dumps(record, ensure_ascii=False, indent=1).encode())
