"""A table of results that several processes fill: each has its own part, until the first one has it all."""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interpret.errors import InterpretError

from .evaluating import Ledger


class SharedLedger:
    """Results picture by picture in a CSV file, from which an interrupted run of any number of processes goes on.

    The first process writes into the table itself, every other one into a file beside it, which is
    taken into the table at the end, or by the next run where this one does not get there.

    Args:
        path: the table.
        columns: its columns, of which "file" names a picture.
        resume: whether to go on with what there is.
        run: what its column "run" holds for results of the same weights and options as this run's.
        labels: the label of each of this run's pictures, by its name.

    Raises:
        InterpretError: it cannot be written, holds other columns, or is of another run.
    """

    def __init__(self, path: Path, columns: Sequence[str], resume: bool, run: str, labels: Mapping[str, str]) -> None:
        from attacks import distributed

        self.run, self.labels = run, labels
        if distributed.rank() == 0:
            self.own = Ledger(path, columns, resume)
            self._check(self.own)
            self._take_up(path, resume)
        done = distributed.gathered(self.own.rows if distributed.rank() == 0 else {})[0]
        if distributed.rank():
            self.own = Ledger(path.with_name(f"{path.stem}.part{distributed.rank()}.csv"), columns, resume=False)
        self.done = set(done)

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
            if resume:
                rows = self._check(Ledger(part, self.own.columns, resume=True)).rows
                self.own.add([row for name, row in rows.items() if name not in self.own.rows])
            part.unlink()

    def _check(self, ledger: Ledger) -> Ledger:
        """Refuse results that are not this run's."""
        for name, row in ledger.rows.items():
            if row["run"] != self.run or row["label"] != self.labels.get(name, row["label"]):
                raise InterpretError(f"{ledger.path} was made with other weights, options or labels; choose another -o")
        return ledger
