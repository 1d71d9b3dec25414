"""The rows of a benchmark, and the one place where they are drawn."""

import argparse
import statistics
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from attacks import GradientWarning
from cli.memory import keep_freed_memory
from interpret.bundled import samples
from tests.benchmarks.support.measure import Cost, header, ratio

COLUMNS = ("what", "interp", "peers", "bound", "holds", "CPU s", "wall s", "remark")


@dataclass(frozen=True)
class Asked:
    """What the measurements are asked for."""

    rounds: int = 9
    threads: int = 1
    pictures: Path | None = None  # a folder; the bundled samples if there is none
    images: int | None = None  # how many of them; each benchmark has its own default

    def files(self) -> list[Path]:
        """The pictures, in the order of their names."""
        if self.pictures is None:
            return [file for name, file in samples().items() if not name.startswith("painting")]
        found = sorted(path for path in self.pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
        return found or sys.exit(f"{self.pictures}: no pictures in there")


@dataclass(frozen=True)
class Row:
    """One number to hold."""

    what: str
    value: tuple[float, float] | None  # and its spread; None was not measured
    bound: float | None = None  # None is to be told, not held
    unit: str = "x"
    at_least: bool = False
    besides: bool = True  # whether what else the row is about holds
    peers: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)  # None is not installed
    cost: Cost | None = None
    remark: str = ""

    def holds(self) -> str:
        """In a word."""
        if self.value is None or self.bound is None:
            return ""
        within = self.value[0] >= self.bound if self.at_least else self.value[0] <= self.bound
        return "holds" if within and self.besides else "MISSED"

    def line(self) -> str:
        """A line of the table."""
        peers = [f"{name} {number(value) if value else 'not installed'}" for name, value in self.peers.items()]
        unit = "" if self.unit == "x" else f" {self.unit}"
        bound = "" if self.bound is None else f"{'>=' if self.at_least else '<='} {self.bound:,g}{unit or ' x'}"
        cells = [self.what, number(self.value, self.unit) if self.value else "not measured", "; ".join(peers)]
        cells += [bound, self.holds()]
        cells += [f"{part:.3g}" for part in self.cost] if self.cost else ["", ""]
        return f"| {' | '.join([*cells, self.remark])} |"


def number(value: tuple[float, float], unit: str = "x") -> str:
    """A median with its spread: ratios and seconds with two digits, bytes with none."""
    text = f"{value[0]:,.0f} ± {value[1]:,.0f}" if unit.startswith("bytes") else f"{value[0]:.2f} ± {value[1]:.2f}"
    return (text if value[1] else text.partition(" ±")[0]) + ("" if unit == "x" else f" {unit}")


def compared(
    what: str, costs: Mapping[str, list[Cost]], bound: float | None, peers: Sequence[str] = (), remark: str = ""
) -> Row:
    """The row of ``interp`` and its peers, all as multiples of ``limit``."""
    beside = {name: ratio(costs, name, "limit") if name in costs else None for name in peers}
    return Row(what, ratio(costs, "interp", "limit"), bound, peers=beside, cost=typical(costs["interp"]), remark=remark)


def typical(costs: Sequence[Cost]) -> Cost:
    """The median CPU seconds, and the median seconds on the wall."""
    return Cost(*(statistics.median(part) for part in zip(*costs, strict=True)))


def draw(rows: Iterable[Row]) -> list[Row]:
    """Print the table, line by line as it becomes known, and hand on its rows."""
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    drawn = []
    for row in rows:
        print(row.line(), flush=True)
        drawn.append(row)
    return drawn


def parser_for(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=Asked.rounds, help="of each measurement that is cheap")
    parser.add_argument("--threads", type=int, default=Asked.threads)
    parser.add_argument("--images", type=int, help="how many of the pictures")
    return parser


def begin(given: argparse.Namespace) -> Asked:
    """Set the threads, print the header, and say what was asked."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", GradientWarning)  # a network that misleads an attack would look robust
    torch.set_num_threads(given.threads)
    keep_freed_memory()  # as the shell's commands do; else the system's clearing of pages is charged by chance
    asked = Asked(max(1, given.rounds), given.threads, given.pictures, given.images)
    print(
        f"{header()}; ratios of CPU seconds, medians of at most {asked.rounds} rounds ± half the quartiles' distance\n"
    )
    return asked


def alone(rows: Callable[[Asked], Iterator[Row]], description: str | None) -> Asked:
    """One benchmark as a command of its own; gives what was asked."""
    parser = parser_for(description)
    parser.add_argument("pictures", type=Path, nargs="?", help="folder of photos; the bundled samples by default")
    asked = begin(parser.parse_args())
    draw(rows(asked))
    return asked
