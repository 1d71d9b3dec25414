"""The reference of the public functions, of their docstrings, as pages of HTML; a warning of pdoc is an error.

python -m tests.reference FOLDER
"""

import sys
import warnings
from pathlib import Path

import pdoc

import attacks
import interpret

if __name__ == "__main__":
    warnings.simplefilter("error", UserWarning)
    for package in (attacks, interpret):
        for name in package.__all__:  # pdoc only sees names that are loaded already
            setattr(package, name, getattr(package, name))
    pdoc.render.configure(docformat="google")
    # The packages' own pages alone: what lies below is reached through their names.
    pdoc.pdoc("attacks", "interpret", "!attacks.", "!interpret.", output_directory=Path(sys.argv[1]))
    print(Path(sys.argv[1]) / "interpret.html")
