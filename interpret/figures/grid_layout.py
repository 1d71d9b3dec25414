"""Which panel of a figure grid stands where, what its labels say, and which maps share a scale."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ..errors import InterpretError, did_you_mean
from ..explainers.aggregation import combined
from .display import limit_of
from .grid_maps import AXES, PICTURE, Cell, title_of

SCALES = ("each", "row", "col", "shared")
Key = tuple[str, ...]  # a value of each axis of one direction; "" where it does not matter
Place = tuple[int, int]  # row and column


@dataclass
class Lines:
    """A grid before it is drawn."""

    cells: dict[Place, Cell]
    rows: int
    cols: int
    row_labels: list[list[str]]
    col_labels: list[list[Key]]  # of each level of headings, outermost first: the columns' labels down to it
    captions: dict[Place, str] = field(default_factory=dict)  # below panels
    scales: dict[Place, tuple[float, bool]] = field(default_factory=dict)  # the strongest value; colours around zero
    bars: set[Place] = field(default_factory=set)  # below which panels a bar of colours stands


def check(rows: Sequence[str] | None, cols: Sequence[str] | None, scale: str) -> None:
    """Refuse axes and scales that do not exist; InterpretError says which there are."""
    both, known = [*(rows or ()), *(cols or ())], ", ".join(AXES)
    for axis in both:
        if axis not in AXES:
            raise InterpretError(f"no axis {axis!r}{did_you_mean(axis, AXES) or f'; there are {known}'}")
        if both.count(axis) > 1:
            raise InterpretError(f"{axis} cannot go down and across, or twice")
    if scale not in SCALES:
        raise InterpretError(f"scale is one of {', '.join(SCALES)}, not {scale!r}")


def arranged(cells: Sequence[Cell], rows: Sequence[str] | None, cols: Sequence[str] | None, scale: str) -> Lines:
    """Lay panels out; see ``interpret.figures.grid`` for the arguments.

    Raises:
        InterpretError: no panels, or a choice that does not exist.
    """
    check(rows, cols, scale)
    if not cells:
        raise InterpretError("there is nothing to draw: no picture is left")
    values = {axis: list(dict.fromkeys(cell.place.get(axis, "") for cell in cells)) for axis in AXES}
    values = {axis: [value for value in known if value] for axis, known in values.items()}
    varying = [axis for axis in AXES if len(values[axis]) > 1 and axis != "methods"]
    down, across = _directions(varying, len(set(values["methods"]) - {PICTURE}), rows, cols)
    row_keys, col_keys = _keys(cells, down, values), _keys(cells, across, values)
    placed = {
        (row, col): cell
        for cell in cells
        for row, row_key in enumerate(row_keys)
        for col, col_key in enumerate(col_keys)
        if _fits(cell, down, row_key) and _fits(cell, across, col_key)
    }
    shown = [*varying, "methods"]
    lines = Lines(
        placed,
        len(row_keys),
        len(col_keys),
        [
            [text for axis, value in zip(down, key, strict=True) if (text := _label(axis, value, shown))]
            for key in row_keys
        ],
        _headings([[_label(axis, value, shown) for axis, value in zip(across, key, strict=True)] for key in col_keys]),
    )
    _say_the_classes(lines, PICTURE in values["methods"])
    _share_scales(lines, scale)
    return lines


def _directions(
    varying: list[str], methods: int, rows: Sequence[str] | None, cols: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """The axes that go down and across. Methods always go somewhere: they are named, and pictures stand among them."""
    if rows is None and cols is None:
        if methods > 1 or varying == ["images"]:
            return varying, ["methods"]
        return varying[:-1], [*varying[-1:], "methods"]
    if rows is None:
        rows = [axis for axis in varying if axis not in cols]
        cols = [*cols, *(["methods"] if "methods" not in cols else [])]
    else:
        rest = [axis for axis in [*varying, "methods"] if axis not in rows]
        cols = [*(cols or ()), *(axis for axis in rest if axis not in (cols or ()))]
    return list(rows), list(cols)


def _keys(cells: Sequence[Cell], axes: Sequence[str], values: dict[str, list[str]]) -> list[Key]:
    """The lines of one direction, in order."""
    keys = {tuple(cell.place.get(axis, "") for axis in axes) for cell in cells}
    if "methods" not in axes:
        # What has no class or layer of its own stands in every such line and needs none for itself.
        keys = {key for key in keys if "" not in key} or keys
    return sorted(keys, key=lambda key: [_rank(value, values[axis]) for axis, value in zip(axes, key, strict=True)])


def _rank(value: str, known: list[str]) -> int:
    return known.index(value) if value else -1


def _fits(cell: Cell, axes: Sequence[str], key: Key) -> bool:
    own = [cell.place.get(axis, "") for axis in axes]
    if "methods" in axes:
        return tuple(own) == key
    return all(mine in ("", value) for mine, value in zip(own, key, strict=True))


def _label(axis: str, value: str, shown: Sequence[str]) -> str:
    if axis not in shown:
        return ""
    return title_of(value) if axis == "methods" and value != PICTURE else value


def _headings(labels: list[list[str]]) -> list[list[Key]]:
    levels = [[tuple(label[: depth + 1]) for label in labels] for depth in range(len(labels[0]))]
    return [level for level in levels if any(key[-1] for key in level)]


def _say_the_classes(lines: Lines, pictures: bool) -> None:
    """Say the explained class where it is the same for a whole line, or else below each panel."""
    # What a picture's own caption says already is not said again.
    said = {
        place: cell.said
        for place, cell in lines.cells.items()
        if cell.attribution is not None and not (pictures and cell.place["classes"] == "prediction")
    }
    lines.captions = {place: cell.said for place, cell in lines.cells.items() if cell.attribution is None and cell.said}
    of_rows = [{text for (row, _), text in said.items() if row == line} for line in range(lines.rows)]
    of_cols = [{text for (_, col), text in said.items() if col == line} for line in range(lines.cols)]
    if all(len(texts) <= 1 for texts in of_rows):
        for label, texts in zip(lines.row_labels, of_rows, strict=True):
            for text in texts:
                label[:] = [*(part for part in label if text.split("\N{NO-BREAK SPACE}")[0] != part), text]
    elif all(len(texts) <= 1 for texts in of_cols):
        lines.col_labels.append([(str(col), *texts) if texts else (str(col), "") for col, texts in enumerate(of_cols)])
    else:
        lines.captions |= said
    for place, cell in lines.cells.items():
        if cell.trouble:
            lines.captions[place] = f"{lines.captions.get(place, '')} {cell.trouble.split(':')[0]}".strip()


def values_of(cell: Cell) -> Tensor:
    """What is drawn of a map: (1, 1, h, w) values, or (1, 3, h, w) colours."""
    how, absolute = cell.drawing["aggregate"], cell.drawing["absolute"]
    if how == "colours" and cell.attribution.shape[1] == 3:
        return cell.attribution
    return combined(cell.attribution, "sum" if how == "colours" else how, absolute=absolute)


def _share_scales(lines: Lines, scale: str) -> None:
    groups: dict[object, list[Place]] = {}
    for (row, col), cell in sorted(lines.cells.items(), key=lambda item: item[0]):
        if cell.attribution is not None:
            group = {"each": (row, col), "row": row, "col": col, "shared": None}[scale]
            groups.setdefault((group, cell.place["methods"]), []).append((row, col))
    for places in groups.values():
        percentile = lines.cells[places[0]].drawing["percentile"]
        values = [values_of(lines.cells[place]) for place in places]
        limit = limit_of(*values, percentile=percentile)
        signed = any(bool((value < -1e-3 * limit).any()) for value in values)
        lines.scales |= dict.fromkeys(places, (limit, signed))
        if scale != "each" and values[0].shape[1] == 1:
            lines.bars.add(places[-1])
