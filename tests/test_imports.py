"""Imports go one way, and each package refers to itself by relative imports."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"interpret": set(), "attacks": set(), "cli": {"interpret", "attacks"}}
PACKAGES = [package for package in MAY_IMPORT if (REPOSITORY / package).is_dir()]


def modules(package: str) -> dict[str, Path]:
    """Dotted name to file."""
    files = sorted((REPOSITORY / package).rglob("*.py"))
    return {".".join(file.relative_to(REPOSITORY).with_suffix("").parts): file for file in files}


def imported(name: str, file: Path, *, everywhere: bool) -> list[tuple[int, str]]:
    """(level, absolute dotted name) of what a module imports, also inside functions or at its top alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else tree.body
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")[: -node.level] if node.level else []
            home = ".".join([*parts, *(node.module or "").split(".")]).strip(".")
            found += [(node.level, home), *((node.level, f"{home}.{alias.name}") for alias in node.names)]
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package):
    for name, file in modules(package).items():
        for level, target in imported(name, file, everywhere=True):
            root = target.partition(".")[0]
            if root in MAY_IMPORT and root != package:
                assert root in MAY_IMPORT[package], f"{name} imports {target}"
            assert level or root != package, f"{name} imports {target} by its absolute name"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_through_others(package):
    known = modules(package)
    # A package is its __init__.
    names = {name.removesuffix(".__init__"): name for name in known}
    uses = {
        name: {names[target] for _, target in imported(name, file, everywhere=False) if target in names} - {name}
        for name, file in known.items()
    }

    def follow(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        for other in sorted(uses[name]):
            follow(other, (*path, name))

    for name in uses:
        follow(name, ())


def test_the_command_line_needs_no_torch_at_its_top():
    for name, file in modules("cli").items():
        roots = {target.partition(".")[0] for _, target in imported(name, file, everywhere=False)}
        assert not roots & {"torch", "torchvision", "numpy", "PIL", "matplotlib", "captum"}, name
