"""What type checkers and editors read of `interpret` and `attacks`, whose names are loaded from tables at run time.

``python -m tests.typing.stubs`` writes both ``__init__.pyi`` anew, from the tables and from the methods' sources.
"""

import ast
import builtins
import inspect
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import attacks
import interpret

# How the parameters that all methods share are called from outside: the decorators take more than a method's core.
EXPLAINED = {"classifier": "nn.Module", "images": "Images", "target": "Target | None = None"}
ATTACKED = {"model": "Model", "images": "Tensor | Any", "labels": "Any = None"}


@dataclass
class Stub:
    """The text of a package's ``__init__.pyi`` as it grows."""

    package: Path
    imports: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    def method(self, path: Path, shared: Mapping[str, str]) -> None:
        """The signature of the function that a file is named after, with the parameters that all methods share."""
        module = ast.parse(path.read_text(encoding="utf-8"))
        known = _definitions(module, path.relative_to(self.package).parts[:-1])
        function = next(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == path.stem)
        parameters = [f"{name}: {kind}" for name, kind in shared.items()]
        if function.args.kwonlyargs:
            parameters.append("*")
        for parameter, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            kind = self._written(parameter.annotation, known)
            parameters.append(f"{parameter.arg}: {kind}" + ("" if default is None else f" = {_default(default)}"))
        summary = inspect.cleandoc(ast.get_docstring(function) or "").split("\n")[0]
        kind = self._written(function.returns, known)
        self.lines.append(f'def {path.stem}({", ".join(parameters)}) -> {kind}:\n    """{summary}"""')

    def _written(self, annotation: ast.expr, known: Mapping[str, str | ast.expr]) -> str:
        """An annotation as it stands, with its imports; names that its module gives to types are written out."""
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
                meant = known[node.id]
                if isinstance(meant, ast.expr):
                    return self._written(meant, known)
                self.imports.add(meant)
        return ast.unparse(annotation)

    def text(self, all_names: list[str]) -> str:
        """The whole file, as ruff lays it out."""
        head = "# Made by `python -m tests.typing.stubs`."
        body = [head, *sorted(self.imports), f"__all__ = {all_names!r}", *self.lines, "def __dir__() -> list[str]: ..."]
        text = "\n".join(body)
        for how in (("check", "--fix", "--quiet", "--select", "I"), ("format", "--quiet")):
            command = [sys.executable, "-m", "ruff", *how, "--stdin-filename", str(self.package / "__init__.pyi"), "-"]
            text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
        return text


def _default(written: ast.expr) -> str:
    return "..." if any(isinstance(node, ast.Name) for node in ast.walk(written)) else ast.unparse(written)


def _definitions(module: ast.Module, folder: tuple[str, ...]) -> dict[str, str | ast.expr]:
    """What a name of a module means: an import, as the package's top would write it, or what it was assigned."""
    known: dict[str, str | ast.expr] = {}
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if node.level:
                home = "." + ".".join([*folder[: len(folder) - node.level + 1], *filter(None, [node.module])])
            known |= {alias.name: f"from {home} import {alias.name}" for alias in node.names}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = node.value
    return known


def _reexported(homes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for home, names in homes.items():
        yield from (f"from .{home} import {name} as {name}" for name in names)


def interpret_stub() -> str:
    """The text of ``interpret/__init__.pyi``."""
    stub = Stub(Path(interpret.__file__).parent)
    stub.imports = {"from torch import Tensor, nn", "from .images.given import Images", "from .scores import Target"}
    stub.imports.update(_reexported(interpret._HOMES))
    stub.imports.add("from .explainers import EXPLAINERS as EXPLAINERS")
    stub.imports.update(f"from . import {name} as {name}" for name in interpret._PACKAGES)
    stub.lines.append("__version__: str")
    for name in interpret.BUILT_IN:
        stub.method(stub.package / "explainers" / f"{name}.py", EXPLAINED)
    return stub.text(interpret.__all__)


def attacks_stub() -> str:
    """The text of ``attacks/__init__.pyi``."""
    stub = Stub(Path(attacks.__file__).parent)
    stub.imports = {"from typing import Any", "from torch import Tensor", "from .core.model import Model"}
    stub.imports.update(_reexported(attacks._HOMES))
    stub.lines += ["ATTACKS: dict[str, str]", "def attack_named(name: str) -> Any: ..."]
    for name in attacks.BUILT_IN:
        stub.method(stub.package / f"{name}.py", ATTACKED)
    return stub.text(attacks.__all__)


STUBS = {
    Path(package.__file__).with_suffix(".pyi"): text
    for package, text in ((interpret, interpret_stub), (attacks, attacks_stub))
}

if __name__ == "__main__":
    for path, text in STUBS.items():
        path.write_text(text(), encoding="utf-8")
