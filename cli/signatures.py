"""Explainers and attacks as the command line sees them: read from their source, so that torch is not imported."""

import ast
import functools
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attacks
import interpret
from attacks import ATTACKS
from interpret.explainers import EXPLAINERS

FOLDER = Path(interpret.__file__).parent / "explainers"
ALONE = [name for name, kind in ATTACKS.items() if kind in ("eps", "minimum_norm", "pixels")]  # on single pictures


@dataclass(frozen=True)
class Option:
    """A keyword-only parameter of a method."""

    name: str
    annotation: str  # as written: "int", "str | None", "Literal['a', 'b']"
    default: Any
    help: str
    shown: str  # the default as written: "8 / 255"


@dataclass(frozen=True)
class Method:
    """A method's name, what its docstrings say, and its options."""

    name: str
    summary: str  # the first sentence of the function's docstring
    description: str  # the paragraphs up to "Args:"
    title: str  # the method's name as people write it, and its source
    url: str
    options: tuple[Option, ...]

    @property
    def command(self) -> str:
        """Its name in the shell."""
        return self.name.replace("_", "-")


def methods() -> tuple[Method, ...]:
    """Every explainer, in the order of the table."""
    return tuple(map(explainer_method, EXPLAINERS))


def attack_methods() -> tuple[Method, ...]:
    """Every attack that fools with single pictures, in the order of the table."""
    return tuple(map(attack_method, ALONE))


def explainer_method(name: str) -> Method:
    """An explainer of the table."""
    return read_method(FOLDER / f"{name}.py")


def attack_method(name: str) -> Method:
    """An attack of the table."""
    return read_method(Path(attacks.__file__).parent / f"{name}.py")


@functools.cache
def read_method(path: Path) -> Method:
    """The method that a file defines: the function named as the file.

    Args:
        path: a Python file.

    Returns:
        Its signature and docstring as data.
    """
    module = ast.parse(path.read_text(encoding="utf-8"))
    function = next(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == path.stem)
    text = inspect.cleandoc(ast.get_docstring(function) or "").replace("``", "")  # code, which a shell cannot show
    origin = " ".join((ast.get_docstring(module) or "").split())
    url = re.search(r"https?://[^\s),]+", origin)
    helps = _argument_helps(text)
    constants = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    options = tuple(
        Option(
            parameter.arg,
            _annotation(parameter, constants),
            _value(default),
            helps[parameter.arg],
            ast.unparse(default).replace(" ", ""),
        )
        for parameter, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if not isinstance(default, ast.Name)  # what a default only names is for Python alone
    )
    body = re.split(r"\n(?:Args|Returns|Raises):", text)[0].strip()
    return Method(
        name=path.stem,
        summary=body.split("\n")[0],
        description=body,
        title=re.sub(r",? *https?://[^\s),]+", "", origin).rstrip("."),
        url=url.group() if url else "",
        options=options,
    )


def _value(written: ast.expr) -> Any:
    """What a default stands for: a literal, or a fraction of two."""
    if isinstance(written, ast.BinOp) and isinstance(written.op, ast.Div):
        return ast.literal_eval(written.left) / ast.literal_eval(written.right)
    return ast.literal_eval(written)


def _annotation(parameter: ast.arg, constants: dict[str, ast.expr]) -> str:
    written = ast.unparse(parameter.annotation)
    return ast.unparse(constants[written]) if written in constants else written


def _argument_helps(docstring: str) -> dict[str, str]:
    """Parameter name to its text under "Args:"."""
    section = re.search(r"\nArgs:\n(.*?)(?:\n\n|\Z)", docstring, re.DOTALL)
    entries = re.split(r"\n? {4}(?=\w+:)", section.group(1)) if section else []
    pairs = (entry.partition(":") for entry in entries if ":" in entry)
    return {name.strip(): " ".join(text.split()) for name, _, text in pairs}
