"""Imports go one way, between packages, between their folders and between files; lazy and typing imports count too."""

import ast
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"interpret": set(), "attacks": set(), "cli": {"interpret", "attacks"}}

# The folders of each package and the files beside them, from the ground up: each may import those before it.
ORDER = {
    "interpret": [
        "errors",
        "plug_ins",
        "calibration_error",
        "bounds",
        "progress",
        "bundled",
        "labels",
        "strips",
        "geometry",
        "network",
        "classifier",
        "layer_outputs",
        "class_indices",
        "scores",
        "output_scores",
        "unit_scores",
        "single_label",
        "images",
        "predictions",
        "corruptions",
        "gradient_check",
        "models",
        "datasets",
        "explainers",
        "units",
        "concepts",
        "drawing",
        "faithfulness",
        "figures",
        "notebook",
        "report",
    ],
    "attacks": [
        "errors",
        "norm_names",
        "bounds",
        "distributed",
        "core",
        "answers",
        "transforms",
        "solids",
        "detectors",
        "the attacks",
        "evaluation",
        "training",
    ],
    "cli": [
        "memory",
        "own_code",
        "plug_ins",
        "formatter",
        "group",
        "options",
        "config",
        "job",
        "commands",
        "app",
        "__main__",
    ],
}


@cache
def modules(package: str) -> dict[str, Path]:
    """Dotted name to file; that of a package is its folder's."""
    files = sorted((REPOSITORY / package).rglob("*.py"))
    names = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in files]
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imported(name: str, file: Path, *, everywhere: bool) -> list[tuple[int, str]]:
    """(level, absolute dotted name) of what a module imports, also inside functions or at its top alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else tree.body
    path, found = name.split(".") + ["__init__"] * (file.name == "__init__.py"), []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = path[: -node.level] if node.level else []
            home = ".".join([*parts, *(node.module or "").split(".")]).strip(".")
            found += [(node.level, home), *((node.level, f"{home}.{alias.name}") for alias in node.names)]
    return found


def uses(package: str) -> dict[str, set[str]]:
    """Every module of a package to the modules of the same package that it imports, in whatever way."""
    known = modules(package)
    found = {}
    for name, file in known.items():
        targets = {target for _, target in imported(name, file, everywhere=True) if target in known} - {name}
        # What is imported from a module below a package is not imported from the package.
        below = {target for target in targets if any(other.startswith(f"{target}.") for other in targets)}
        found[name] = targets - below
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_one_way_and_themselves_relatively(package):
    for name, file in modules(package).items():
        for level, target in imported(name, file, everywhere=True):
            root = target.partition(".")[0]
            if root in MAY_IMPORT and root != package:
                assert root in MAY_IMPORT[package], f"{name} imports {target}"
            assert level or root != package, f"{name} imports {target} by its absolute name"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_module_imports_itself_through_others(package):
    graph, done = uses(package), set()

    def follow(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in sorted(graph[name]):
                follow(other, (*path, name))
            done.add(name)

    for name in graph:
        follow(name, ())


def place(name: str) -> int:
    """Where a module stands in the order of its package; the package itself, which imports nothing, comes first."""
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    if not part:
        return -1
    order = ORDER[package]
    return order.index(part if part in order else "the attacks")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_folders_import_one_way(package):
    for name, targets in uses(package).items():
        for target in targets:
            if place(name) >= 0:
                assert place(target) <= place(name), f"{name} imports {target}, which stands above it"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_folder_has_its_place(package):
    parts = {name.split(".")[1] for name in modules(package) if "." in name}
    missing = parts - set(ORDER[package])
    assert not missing or package == "attacks" and missing == attacks_alone(), missing
    assert set(ORDER[package]) - {"the attacks"} <= parts


def attacks_alone() -> set[str]:
    """The files of the table of attacks."""
    from attacks import BUILT_IN

    return set(BUILT_IN)


def test_the_command_line_needs_no_torch_at_its_top():
    for name, file in modules("cli").items():
        roots = {target.partition(".")[0] for _, target in imported(name, file, everywhere=False)}
        assert not roots & {"torch", "torchvision", "numpy", "PIL", "matplotlib", "captum"}, name


def test_every_public_name_can_be_reached():
    import interpret

    for name in interpret.__all__:
        assert getattr(interpret, name) is not None
    former = interpret.Data, interpret.to_grid, interpret.from_grid
    assert former == (interpret.Dataset, interpret.to_levels, interpret.from_levels)
    assert (interpret.deep_dream, interpret.style_transfer) == (interpret.dream, interpret.style)


def test_what_the_shell_does_to_a_picture_has_the_same_name_in_python():
    import attacks
    import interpret
    from interpret.explainers import BUILT_IN

    for name in (*BUILT_IN, "predict", "visualize", "dream", "style", "invert", "factorize", "check_gradient", "grid"):
        assert callable(getattr(interpret, name))
    for name in (*attacks.BUILT_IN, "train"):
        assert callable(getattr(attacks, name))
