"""Tables of results, picture by picture, from which an interrupted run goes on; several processes may fill one."""

import csv
import glob
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from interpret.errors import InterpretError, printable

OTHER_RUN = "{} was made with other weights, options or labels; choose another -o"


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, whole or not at all."""
    from interpret.images.files import write_bytes

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(map(plain_row, rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.getvalue().encode())


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose texts, such as names of files, fit a line in UTF-8."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in row.items()}


def is_begun(path: Path, columns: Sequence[str], remedy: str) -> bool:
    """Whether a table is there to go on with; half a line that a killed run left at its end is cut off.

    A file that is no such table is an InterpretError that ends with the remedy: nothing is written behind it.
    """
    from interpret.images.files import write_bytes

    if not path.is_file():
        return False
    text, head = path.read_bytes(), _line(columns)
    if head.startswith(text):
        return False  # it is empty, or not even the head was written
    if header(path) != list(columns):
        raise InterpretError(f"{path} holds other columns; it is from another run, or no such table. {remedy}")
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        write_bytes(path, whole)
    return True


def header(path: Path) -> list[str]:
    """The names of the columns of a table; nonsense where it is none."""
    with path.open("rb") as file, suppress(csv.Error):  # as of bytes that are no text
        return next(csv.reader([file.readline().decode(errors="replace")]), [])
    return []


def _is_part(path: Path) -> bool:
    """Whether a file is a part of a shared table, though its sizes of attacks may be others, or its head is cut off."""
    named, head = re.fullmatch(r"\.part\d+", Path(path.stem).suffix), ",".join(header(path))
    whole = head.startswith("file,label,") and head.endswith(",run")
    return named is not None and (whole or "file,label,".startswith(head))


def _line(values: Sequence[Any]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(values)
    return line.getvalue().encode()


class Ledger:
    """Results picture by picture in a CSV file, from which an interrupted run goes on.

    The column "run" holds ``run``, a name for the weights and options that the results come from; ``key`` are the
    columns that name a row. A table that cannot be written, or that holds other columns or another run's results,
    is an InterpretError.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, resume: bool, run: str, key: Sequence[str] = ("file",)
    ) -> None:
        self.path, self.columns, self.run, self.key = path, list(columns), run, key
        self.rows: dict[str, dict[str, str]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume and is_begun(path, self.columns, "Choose another -o"):
                self._take_up()
            else:
                self._write("w", [dict(zip(self.columns, self.columns, strict=True))])
        except OSError as error:
            raise InterpretError(f"cannot write {path}: {error.strerror or error}") from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise InterpretError(f"{path} is damaged, or no such table ({error}). Choose another -o") from error

    def _take_up(self) -> None:
        with self.path.open(newline="", encoding="utf-8") as file:
            self.rows = {self.name_of(row): row for row in csv.DictReader(file)}
        if any(row["run"] != self.run for row in self.rows.values()):
            raise InterpretError(OTHER_RUN.format(self.path))

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write results, so that they are there whatever happens next."""
        rows = [plain_row({**row, "run": self.run}) for row in rows]
        self._write("a", rows)
        for row in rows:
            self.rows[self.name_of(row)] = {name: str(value) for name, value in row.items()}

    def name_of(self, row: Mapping[str, Any]) -> str:
        """What names a row."""
        return " ".join(str(row[name]) for name in self.key)

    def _write(self, mode: str, rows: Sequence[dict[str, Any]]) -> None:
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns).writerows(rows)


class SharedLedger:
    """A table of verdicts that any number of processes fill.

    The first process writes into the table itself, every other one into a file beside it, which is taken into the
    table at the end, or by the next run where this one does not get there. ``labels`` are those of this run's
    pictures by name, against which the column "label" of an earlier run is checked.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, resume: bool, run: str, labels: Mapping[str, str]
    ) -> None:
        from attacks import distributed

        self.labels, number = labels, distributed.rank()
        if number == 0:
            self.own = self._checked(Ledger(path, columns, resume=resume, run=run))
            self._take_up(path, resume)
        self.done = set(distributed.gathered(self.own.rows if number == 0 else {})[0])
        if number:
            part = path.with_name(f"{path.stem}.part{number}.csv")
            self.own = Ledger(part, columns, resume=False, run=run)

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write this process's results, so that they are there whatever happens next."""
        self.own.add(rows)

    def whole(self) -> list[dict[str, str]]:
        """The rows of all processes, once all of them have come here; they then stand in the table."""
        from attacks import distributed

        first, *others = distributed.gathered(self.own.rows)
        for rows in others:
            if distributed.rank() == 0:
                self.own.add([row for name, row in rows.items() if name not in first])
            first = {**rows, **first}
        distributed.gathered(None)  # until it is written
        if distributed.rank():
            self.own.path.unlink()
        return list(first.values())

    def _take_up(self, path: Path, resume: bool) -> None:
        """What an earlier run left in parts."""
        for part in sorted(path.parent.glob(f"{glob.escape(path.stem)}.part*.csv")):
            if not _is_part(part):
                continue  # somebody else's
            if resume:
                rows = self._checked(Ledger(part, self.own.columns, resume=True, run=self.own.run)).rows
                self.own.add([row for name, row in rows.items() if name not in self.own.rows])
            part.unlink()

    def _checked(self, ledger: Ledger) -> Ledger:
        """Refuse results for other labels."""
        for name, row in ledger.rows.items():
            if row["label"] != self.labels.get(name, row["label"]):
                raise InterpretError(OTHER_RUN.format(ledger.path))
        return ledger
