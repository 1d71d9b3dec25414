"""The two evaluations of explanations as lines of text and as rows of CSV."""

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...options.messages import tell
from ...options.types import dashed

if TYPE_CHECKING:
    from interpret.faithfulness.ranking import Estimate, RankedMethod
    from interpret.faithfulness.sanity import Sanity


def ranking_row(rank: int | None, method: "RankedMethod") -> dict[str, Any]:
    """One method as it stands in the ranking's CSV and JSON."""
    row: dict[str, Any] = {"rank": rank, "method": method.name, "pictures": method.pictures}
    row["passes"] = round(method.passes)  # the first map may take one more, to find its layer
    for column, value in method.values.items():
        gain = method.gains[column]
        row |= {column: value.mean, f"{column}_low": value.low, f"{column}_high": value.high}
        row |= {f"{column}_gain": gain.mean, f"{column}_gain_low": gain.low, f"{column}_gain_high": gain.high}
    return {name: None if value != value else value for name, value in row.items()}


def ranking_lines(ranked: list[tuple[int | None, "RankedMethod"]], by: str) -> Iterator[str]:
    """The ranking as a table: the deciding column with its interval and its gain, and the other means."""
    others = [column for column in ranked[0][1].values if column != by]
    shown = [dashed(column) for column in others]
    yield f"{'':>2}  {'method':20}{'pictures':>8}{'passes':>7}  {dashed(by):22}{'above random':22}" + "".join(
        f"  {name}" for name in shown
    )
    for rank, method in ranked:
        value, gain = method.values[by], method.gains[by]
        name = dashed(method.name)
        line = f"{rank or '':>2}  {name:20}{method.pictures:8}{method.passes:7.0f}  "
        line += f"{in_words(value):22}" + (f"{in_words(gain, '+'):22}" if method.name != "random" else f"{'':22}")
        yield (line + "".join(f"  {method.values[c].mean:{len(n)}.3f}" for c, n in zip(others, shown, strict=True)))


def in_words(estimate: "Estimate", sign: str = "") -> str:
    """A mean with its interval, such as 0.512 (0.478-0.546)."""
    text = f"{estimate.mean:{sign}.3f}"
    return text if estimate.low != estimate.low else f"{text} ({estimate.low:{sign}.2f} {estimate.high:{sign}.2f})"


def tell_sanity(found: "Sanity", as_lines: bool, first: bool) -> None:
    """Print one method's verdict as a line of a table, whose head comes before the first, or of JSON."""
    spearman, alike = found.cascading.spearman.mean(1).tolist(), found.cascading.ssim.mean(1).tolist()
    floor = float(found.floor.spearman.mean())
    if as_lines:
        row = {"method": found.method, "passed": found.passed, "verdict": found.verdict, "blocks": found.blocks}
        row["changes_at"] = found.changes_at
        row |= {"spearman": spearman, "ssim": alike, "floor": floor, "pictures": found.cascading.spearman.shape[1]}
        tell(json.dumps(row))
        return
    if first:
        tell(f"{'method':20}{'pictures':>8}{'top lost':>10}{'SSIM':>7}{'all lost':>10}{'floor':>7}  verdict")
    last = spearman[-1] if len(spearman) > 1 else math.nan
    tell(
        f"{dashed(found.method):20}{found.cascading.spearman.shape[1]:8}{spearman[0]:10.2f}{alike[0]:7.2f}"
        f"{last:10.2f}{floor:7.2f}  {found.verdict}"
        + ("" if found.passed else f" before {found.changes_at}" if found.changes_at else " at any depth")
    )


def sanity_rows(found: "Sanity") -> list[dict[str, Any]]:
    """One method as it stands in the CSV: a row for each randomisation and depth, and one for the floor."""
    rows = []
    for kind in ("cascading", "independent"):
        likeness = getattr(found, kind)
        for depth, block in enumerate(found.blocks if likeness is not None else []):
            row = {"method": found.method, "randomisation": kind, "depth": depth + 1, "block": block}
            row |= {"pictures": likeness.spearman.shape[1], "spearman": float(likeness.spearman[depth].mean())}
            rows.append(row | {"ssim": float(likeness.ssim[depth].mean()), "passed": found.passed})
    row = {"method": found.method, "randomisation": "two random networks", "depth": "", "block": "all"}
    row |= {"pictures": found.floor.spearman.shape[1], "spearman": float(found.floor.spearman.mean())}
    return [*rows, row | {"ssim": float(found.floor.ssim.mean()), "passed": found.passed}]
