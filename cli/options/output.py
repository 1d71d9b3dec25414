"""Where the results of a command go."""

from dataclasses import dataclass

import click

from interpret.datasets.folders import RESULTS

from .group import group


@dataclass(frozen=True)
class OutputOptions:
    """Where results go, and whether those of an earlier run are kept."""

    output: str | None
    no_clobber: bool


output_option = click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="A file, whose suffix picks the format (png, jpg, webp, pdf, svg, npy, npz), a folder, or - for "
    "standard output. By default the current folder for one picture, interp-out/ for several.",
)
output_options = group(
    "output",
    OutputOptions,
    output_option,
    click.option(
        "--no-clobber", is_flag=True, help="Skip what has been made already, which resumes a run over a folder."
    ),
)
folder_option = click.option(
    "-o", "--output", type=click.Path(), default=RESULTS, show_default=True, help="A folder for the results."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
