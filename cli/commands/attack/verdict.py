"""What came of an attack on one picture: as a row of a table, and as a sentence."""

import csv
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attacks.errors import AttackError
from interpret.errors import InterpretError, did_you_mean

from ...job.ledger import is_begun, plain_row

if TYPE_CHECKING:
    from attacks.evaluation.verdicts import Verdict
    from interpret.classifier import Classifier


def verdict_row(
    classifier: "Classifier", attack: str, verdict: "Verdict", shown: str, path: Path | None
) -> dict[str, Any]:
    """One line of the table."""
    return {
        "picture": shown,
        "path": None if path is None else str(path),
        "attack": attack,
        **asdict(verdict),
        "levels": round(verdict.levels, 4),
        "label_name": classifier.name(verdict.label),
        "before_name": classifier.name(verdict.before),
        "after_name": classifier.name(verdict.after),
    }


def sentence(row: dict[str, Any], classifier: "Classifier", photographs: int) -> str:
    """What came of one picture: fooled, withstood or wrong before, and what shows it."""
    seen = f"{row['before_name']} {row['before_probability']:.2f} -> {row['after_name']} {row['after_probability']:.2f}"
    if not row["right"]:
        already = "already" if row["label"] == row["before"] else f"before, not {row['label_name']}"
        return f"{row['picture']}: not attacked: the network sees {row['before_name']} {already}"
    passes = f"{row['forwards']} forward and {row['backwards']} backward passes"
    size = f"Linf {row['levels']:.4g}/255, L2 {row['l2']:.3g}, {passes}"
    place = "" if row["path"] is None else f", read back from {row['path']}"
    survived = "".join(
        f"\n  through {name}:{way['strength']:g}: {classifier.name(way['class'])} {way['probability']:.2f}, "
        + ("still fooled" if _still_fooled(row, way["class"]) else "fooled no more")
        for name, way in row.get("survives", {}).items()
        if row["success"]
    )
    survived += "".join(
        f"\n  judged by {name}: {seen['after_name']} {seen['after_probability']:.2f}, {_judgement(seen)}"
        for name, seen in row.get("judges", {}).items()
    )
    rate = row.get("destruction_rate")
    destroyed = (
        "" if rate is None else f"\n  destroyed in {rate:.0%} of {photographs} simulated photographs of its print"
    )
    return f"{'fooled' if row['success'] else 'withstood'}: {seen}, {size}{place}{destroyed}{survived}"


def _judgement(seen: dict[str, Any]) -> str:
    if not seen["right"]:
        return "and saw something else already before"
    return "fooled too" if seen["success"] else "not fooled"


def _still_fooled(row: dict[str, Any], seen: int) -> bool:
    """Whether a class seen later still counts as fooled, by what the attack was after."""
    targeted = row["label"] != row["before"]
    return (seen == row["label"]) == targeted


class VerdictTable:
    """A table of one attack's verdicts, to which every run adds its own; a file that is none is refused at once."""

    def __init__(self, path: Path, attack: str) -> None:
        self.path = path
        try:
            self.begun = is_begun(path, columns(attack), "Choose another --csv")
            if path.exists():  # whether it can be written is known before the work is done
                path.open("a").close()
            elif not path.parent.is_dir():
                raise InterpretError(f"cannot write {path}: there is no folder {path.parent}")
        except OSError as error:
            raise InterpretError(f"cannot write {path}: {error.strerror or error}") from error

    def add(self, row: dict[str, Any]) -> None:
        """Write a line, behind the names of the columns where it is the first."""
        nested = {name: json.dumps(row[name], ensure_ascii=False) for name in ("survives", "judges")}
        flat = plain_row({**row, **nested})
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, flat)
                if not self.begun:
                    writer.writeheader()
                writer.writerow(flat)
        except OSError as error:
            raise InterpretError(f"cannot write {self.path}: {error.strerror or error}") from error
        self.begun = True


def columns(attack: str) -> list[str]:
    """The names of the columns of an attack's table."""
    from attacks.evaluation.verdicts import Verdict

    verdict = [field.name for field in fields(Verdict)]
    names = ["levels", "label_name", "before_name", "after_name", "forwards", "backwards", "cpu_seconds", "seed"]
    own = ["destruction_rate"] if attack == "physical" else []
    return ["picture", "path", "attack", *verdict, *names, *own, "survives", "judges"]


def parse_transforms(through: str | None, jpeg: int | None) -> list[tuple[str, float]]:
    """The transforms and their strengths in "resize,jpeg:75,blur", and one of JPEG with another quality."""
    words = [word.strip() for word in (through or "").split(",") if word.strip()]
    return [_transform(word) for word in words] + ([("jpeg", float(jpeg))] if jpeg else [])


def _transform(word: str) -> tuple[str, float]:
    from attacks.transforms.robust_to import TRANSFORMS, checked_strength

    name, _, strength = word.partition(":")
    try:
        return name, checked_strength(name, float(strength) if strength else None)
    except (AttackError, ValueError) as error:
        hint = did_you_mean(name, TRANSFORMS) if name not in TRANSFORMS else ""
        raise InterpretError(f"--through {word}: {error}{hint}") from error
