"""Which panel of a figure grid stands where, what its labels say, and which maps share a scale."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InterpretError, did_you_mean
from ..explainers import title_of
from .colours import Scale
from .grid_maps import AXES, PICTURE, Cell

SCALES = ("each", "row", "col", "shared")
Key = tuple[str, ...]  # a value of each axis of one direction; "" where it does not matter
Place = tuple[int, int]  # row and column
LONGEST, WIDEST = 10, 12  # rows and columns, beyond which a grid is wrapped


@dataclass
class Layout:
    """A grid before it is drawn."""

    cells: dict[Place, Cell]
    rows: int
    cols: int
    row_labels: list[list[str]]
    col_labels: list[list[Key]]  # for each tier of headings, outermost first: the columns' labels down to it
    captions: dict[Place, str] = field(default_factory=dict)  # below panels
    scales: dict[Place, Scale] = field(default_factory=dict)
    bars: set[Place] = field(default_factory=set)  # below which panels a bar of colours stands

    def part(self, rows: range, cols: range) -> "Layout":
        """Some of the rows and columns of it."""

        def moved(values: dict[Place, Any]) -> dict[Place, Any]:
            inside = {place: value for place, value in values.items() if place[0] in rows and place[1] in cols}
            return {(row - rows.start, col - cols.start): value for (row, col), value in inside.items()}

        labels = [self.row_labels[row] for row in rows], [[tier[col] for col in cols] for tier in self.col_labels]
        captions, scales = moved(self.captions), moved(self.scales)
        bars = set(moved(dict.fromkeys(self.bars)))
        return Layout(moved(self.cells), len(rows), len(cols), *labels, captions, scales, bars)

    def parts(self) -> tuple[list["Layout"], bool]:
        """Parts that do not get too long, of many rows or many columns, and whether they stand side by side."""
        rows, cols = range(self.rows), range(self.cols)
        blocks = min(-(-self.rows // LONGEST), max(1, WIDEST // self.cols))
        if blocks > 1:
            return [self.part(rows[cut], cols) for cut in _cuts(self.rows, blocks)], True
        return [self.part(rows, cols[cut]) for cut in _cuts(self.cols, -(-self.cols // WIDEST))], False


def _cuts(count: int, parts: int) -> list[slice]:
    """Slices of about the same length, of which none but the last is shorter."""
    step = -(-count // parts)
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def check_layout(rows: Sequence[str] | None, cols: Sequence[str] | None, scale: str) -> None:
    """Refuse axes and scales that do not exist; InterpretError says which there are."""
    both, known = [*(rows or ()), *(cols or ())], ", ".join(AXES)
    for axis in both:
        if axis not in AXES:
            raise InterpretError(f"no axis {axis!r}{did_you_mean(axis, AXES) or f'; there are {known}'}")
        if both.count(axis) > 1:
            raise InterpretError(f"{axis} cannot go down and across, or twice")
    if scale not in SCALES:
        raise InterpretError(f"scale is one of {', '.join(SCALES)}, not {scale!r}")


def arrange(cells: Sequence[Cell], rows: Sequence[str] | None, cols: Sequence[str] | None, scale: str) -> Layout:
    """Lay panels out; see ``interpret.figures.grid`` for the arguments."""
    check_layout(rows, cols, scale)
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
    row_labels = [[text for text in _labels(down, key, shown) if text] for key in row_keys]
    headings = _headings([_labels(across, key, shown) for key in col_keys])
    layout = Layout(placed, len(row_keys), len(col_keys), row_labels, headings)
    _name_classes(layout, PICTURE in values["methods"])
    _share_scales(layout, scale)
    return layout


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
    values = tuple(cell.place.get(axis, "") for axis in axes)
    if "methods" in axes:
        return values == key
    return all(value in ("", other) for value, other in zip(values, key, strict=True))


def _labels(axes: Sequence[str], key: Key, shown: Sequence[str]) -> list[str]:
    """The labels of a row or column, axis by axis; empty where an axis does not vary."""
    labels = [value if axis in shown else "" for axis, value in zip(axes, key, strict=True)]
    if "methods" in axes:
        place = list(axes).index("methods")
        labels[place] = title_of(key[place]) if key[place] != PICTURE else PICTURE
    return labels


def _headings(labels: list[list[str]]) -> list[list[Key]]:
    tiers = [[tuple(label[: depth + 1]) for label in labels] for depth in range(len(labels[0]))]
    return [tier for tier in tiers if any(key[-1] for key in tier)]


def _name_classes(layout: Layout, pictures: bool) -> None:
    """Name the explained class where it is the same for a whole line, or else below each panel."""
    # The caption of the picture itself names its prediction already.
    labels = {
        place: cell.label
        for place, cell in layout.cells.items()
        if cell.attribution is not None and not (pictures and cell.place["classes"] == "prediction")
    }
    layout.captions = {
        place: cell.label for place, cell in layout.cells.items() if cell.attribution is None and cell.label
    }
    of_rows = [{text for (row, _), text in labels.items() if row == line} for line in range(layout.rows)]
    of_cols = [{text for (_, col), text in labels.items() if col == line} for line in range(layout.cols)]
    if all(len(texts) <= 1 for texts in of_rows):
        for label, texts in zip(layout.row_labels, of_rows, strict=True):
            for text in texts:
                label[:] = [*(part for part in label if not _names(text, part)), text]
    elif all(len(texts) <= 1 for texts in of_cols):
        layout.col_labels.append([(str(col), *texts) if texts else (str(col), "") for col, texts in enumerate(of_cols)])
    else:
        layout.captions |= labels
    for place, cell in layout.cells.items():
        if cell.diagnosis:
            layout.captions[place] = f"{layout.captions.get(place, '')} {cell.diagnosis.split(':')[0]}".strip()


def _names(text: str, part: str) -> bool:
    """Whether a class with its probability begins with the same name."""
    return text.startswith((f"{part}\N{NO-BREAK SPACE}", f"{part} absent:"))


def _share_scales(layout: Layout, scale: str) -> None:
    groups: dict[object, list[Place]] = {}
    for (row, col), cell in sorted(layout.cells.items(), key=lambda item: item[0]):
        if cell.attribution is not None:
            group = {"each": (row, col), "row": row, "col": col, "shared": None}[scale]
            groups.setdefault((group, cell.place["methods"]), []).append((row, col))
    for places in groups.values():
        values = [layout.cells[place].values() for place in places]
        common = layout.cells[places[0]].display.colour_scale(*values)
        layout.scales |= dict.fromkeys(places, common)
        if scale != "each" and values[0].shape[1] == 1:
            layout.bars.add(places[-1])
