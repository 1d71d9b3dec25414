"""Where the results of a command go."""

from dataclasses import dataclass
from typing import Any

from interpret.datasets.folders import RESULTS

from .record import option
from .safety import Written, WrittenFolder


def output_option() -> Any:
    """A file or a folder."""
    return option(
        "Where the results go: a file, whose suffix picks the format (png, jpg, webp, pdf, svg, npy, npz), a folder, "
        "or - for standard output. By default the current folder for one picture, and interp-out/ for several.",
        "-o",
        "--output",
        type=Written(),
    )


def folder_option() -> Any:
    """A folder."""
    return option("The folder that the results go to.", "-o", "--output", default=RESULTS, type=WrittenFolder())


def json_option() -> Any:
    """Results for programs."""
    return option("Print the results as JSON, one object a line.", "--json")


@dataclass(frozen=True)
class OutputOptions:
    """Where results go, and whether those of an earlier run are kept."""

    output: str | None = output_option()
    no_clobber: bool = option("Skip what has been made already, which resumes a run over a folder.")
