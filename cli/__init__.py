"""The shell command `interp`: no maths, and no torch before a command runs."""

import importlib.util
from pathlib import Path


def check_import_name() -> str | None:
    """What is wrong, and what to do about it, where the import name `interpret` leads to another package; else None.

    InterpretML has the same import name, and an installer lets one overwrite the other without a word.
    """
    spec = importlib.util.find_spec("interpret")
    found = Path(spec.origin).parent if spec is not None and spec.origin else None
    ours = Path(__file__).resolve().parent.parent / "interpret"
    if found is not None and found.resolve() == ours and (found / "explainers" / "contract.py").exists():
        foreign = [part for part in ("glassbox", "blackbox") if (found / part).exists()]
        if not foreign:
            return None
    return (
        f"the import name 'interpret' leads to another package ({found}), probably InterpretML's; the two "
        "cannot share an environment: install interp into one of its own (python -m venv)"
    )
