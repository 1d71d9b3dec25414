"""Every number to hold, in one table: ours beside the peers', the limit and the bound.

python -m tests.benchmarks [--only NAME,NAME] [--rounds 9] [--threads 1] [--pictures FOLDER] [--images 200]

The limit is the least work that PyTorch can do for the job: a frozen network in evaluation mode, the
forward passes and the backward passes that are needed. Peers come with the extra `[bench]`. The whole
takes a quarter of an hour on one core; with `--images 1000` the folder alone takes five minutes more.
"""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.support.table import Asked, Row, begin, draw, parser_for

# Each is a file here, which works alone, too.
PARTS = ("explainers", "passes", "memory", "attacks", "startup", "grid", "folders", "app")


def rows(names: list[str], asked: Asked) -> Iterator[Row]:
    """Those of the benchmarks that are named; how many pictures is a matter of the folder alone."""
    for name in names:
        own = asked if name == "folders" else replace(asked, images=None)
        yield from importlib.import_module(f"tests.benchmarks.{name}").rows(own)


def main() -> None:
    """Print the table and count what was missed."""
    parser = parser_for(__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}; with commas")
    parser.add_argument("--pictures", type=Path, help="folder of photos; the bundled samples by default")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := set(names) - set(PARTS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    results = [row.holds() for row in draw(rows(names, begin(given)))]
    print(f"\n{results.count('holds')} hold, {results.count('MISSED')} missed")


if __name__ == "__main__":
    main()
