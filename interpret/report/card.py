"""A robustness card: one page about what a network withstands, and what every number on it rests on."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from ..calibration_error import Calibration
from ..corruptions import SEVERITIES
from ..figures.line_plots import reliability_diagram
from .render import environment


@dataclass(frozen=True)
class Measure:
    """One number on the card."""

    name: str
    value: float  # a share in [0, 1]
    low: float  # the ends of its 95 % interval
    high: float
    pictures: int
    seed: int
    command: str  # the line for the shell that gives it again
    better: str  # "higher" or "lower"
    note: str = ""  # what it is a share of, in words


@dataclass(frozen=True)
class Card:
    """The contents of a card."""

    network: str
    data: str
    identity: Mapping[str, Any]  # weights and preprocessing
    measures: Sequence[Measure]
    calibration: Calibration
    corruptions: Sequence[Mapping[str, Any]]  # the rows of `interp evaluate corruptions`
    checks: Sequence[Mapping[str, Any]]  # for masked gradients: name, fine, evidence
    checks_command: str
    made_by: str
    versions: Mapping[str, str] = field(default_factory=dict)
    severities: Sequence[int] = SEVERITIES

    @property
    def masked(self) -> bool:
        """Whether there is a sign of masked gradients."""
        return not all(check["fine"] for check in self.checks)

    def record(self) -> dict[str, Any]:
        """All that is on the card, as JSON can hold it; an empty bin's mean is None."""
        found = asdict(self) | {"masked": self.masked}
        for name in ("confidences", "accuracies"):
            found["calibration"][name] = [None if value != value else value for value in found["calibration"][name]]
        return found


def card_page(card: Card) -> str:
    """The card as the text of an HTML file in UTF-8, which loads nothing."""
    buffer = io.BytesIO()
    reliability_diagram(card.calibration).savefig(buffer, format="webp", dpi=130)
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    rows = [row for row in card.corruptions if row["corruption"] not in ("clean", "mean")]
    template = environment().get_template("card.html.j2")
    return template.render(card=card, style=style, diagram=buffer.getvalue(), corruptions=rows)
