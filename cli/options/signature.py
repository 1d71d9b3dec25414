"""Explainers and attacks as the command line sees them: read from their source, so that torch is not imported."""

import ast
import functools
import inspect
import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

import attacks
import interpret
from interpret.errors import InterpretError, did_you_mean
from interpret.explainers import EXPLAINERS, PLUGGED_IN
from interpret.plug_ins import plug_ins

from ..plug_ins import ADDED, ATTACKS
from .help import listed, with_paper, without_python
from .numbers import number_of
from .radius import NormName, Radius
from .record import command, gathered
from .types import dashed

FOLDER = Path(interpret.__file__).parent / "explainers"
ALONE = [name for name, kind in ATTACKS.items() if kind in ("eps", "minimum_norm", "pixels")]  # on single pictures
METAVARS = {"baseline": "NAME|NUMBER", "layer": "LAYER", "loss": "LOSS"}  # of options that take any text
KINDS = r"(bool|int|float|str)\b|Literal\["  # how the annotations of options begin


@dataclass(frozen=True)
class Option:
    """A keyword-only parameter of a method."""

    method: str
    name: str
    annotation: str  # as written: "int", "str | None", "Literal['a', 'b']"
    default: Any
    help: str
    shown: str  # the default as written: "8 / 255"

    @property
    def for_shell(self) -> bool:
        """Whether the shell knows its kind; the others are for Python, and for commands that give them a value."""
        return re.match(KINDS, self.annotation) is not None


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
        return dashed(self.name)

    @property
    def line(self) -> str:
        """It in a list of commands."""
        return listed(self.title, self.summary)

    def option(self, name: str) -> Option | None:
        """Its option of a name, if it has one."""
        return next((option for option in self.options if option.name == name), None)


def kind_of(option: Option) -> click.ParamType:
    """What the shell takes for an option: the first kind of its annotation; the others are for Python."""
    if option.annotation == "bool":
        return click.BOOL
    if option.annotation.startswith("Literal["):
        return click.Choice([word.strip(" '\"") for word in option.annotation[8:-1].split(",")])
    # One number for all samples, or a tensor with one for each.
    if option.name == "eps" or option.annotation.startswith("float | Tensor"):
        return Radius()
    if option.name == "norm":
        return NormName()
    kind = option.annotation.split(" | ")[0]
    if kind == "str":
        return click.STRING
    return number_of(option.name, option.method, whole={"int": True, "float": False}[kind])


def method_option(option: Option) -> Any:
    """The shell's option for a method's keyword: its type, default and help are the signature's."""
    flag, help_text = dashed(option.name), option.help[:1].upper() + option.help[1:]
    if option.annotation == "bool":
        return click.option(f"--{flag}/--no-{flag}", default=option.default, show_default=True, help=help_text)
    # A fraction is shown, and read again, as it stands in the signature.
    default = option.shown if "/" in option.shown else option.default
    shown = default is not None
    kind, metavar = kind_of(option), METAVARS.get(option.name)
    more = {"type": kind, "metavar": metavar if kind is click.STRING else None, "show_default": shown}
    return click.option(f"--{flag}", default=default, help=help_text, **more)


def method_command(method: "Method", run: Callable, options: Sequence[Option], **given: Any) -> click.Command:
    """The command for a method: its name, summary and description are those of its function.

    Args:
        method: the method.
        run: gets the method and, by name, what its other parameters declare; ``chosen`` is a dict of ``options``.
        options: those of the method's own options that the command has.
        given: decorators for some of the parameters; see ``command``.
    """
    chosen = gathered("chosen", dict, {option.name: method_option(option) for option in options if option.for_shell})
    description = with_paper(method.description, method.title)
    about = {"help": f"{description}\n\n{method.title}: {method.url}".rstrip(": "), "short_help": method.line}
    return command(method.command, chosen=chosen, **about, **given)(functools.partial(run, method))


def method_named(name: str, known: Sequence["Method"], kind: str) -> "Method":
    """The method of a name, with dashes or underscores; an InterpretError with the close names where there is none."""
    by_name = {method.name: method for method in known}
    if name.replace("-", "_") not in by_name:
        raise InterpretError(f"no {kind} {name!r}{did_you_mean(name, [method.command for method in known])}")
    return by_name[name.replace("-", "_")]


def methods() -> tuple[Method, ...]:
    """Every explainer, in the order of the table."""
    return tuple(map(explainer_method, EXPLAINERS))


def attack_methods() -> tuple[Method, ...]:
    """Every attack that fools with single pictures, in the order of the table."""
    return tuple(map(attack_method, ALONE))


def explainer_method(name: str) -> Method:
    """An explainer of the table."""
    return _method(name, "interp.explainers", PLUGGED_IN, FOLDER)


def attack_method(name: str) -> Method:
    """An attack of the table."""
    return _method(name, "interp.attacks", ADDED, Path(attacks.__file__).parent)


def _method(name: str, group: str, others: Container[str], folder: Path) -> Method:
    """A method of a folder, or that of another package."""
    if name not in others:
        return read_method(folder / f"{name}.py", name)
    plug_in = plug_ins(group)[name]
    return replace(read_method(plug_in.path, plug_in.function), name=name)


@functools.cache
def read_method(path: Path, name: str) -> Method:
    """The signature and docstring of the method that a Python file defines as a function of that name."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    function = next(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name)
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
    flags = {parameter.arg: f"--{dashed(parameter.arg)}" for parameter in function.args.kwonlyargs}
    options = tuple(
        Option(
            name,
            parameter.arg,
            _annotation(parameter, constants),
            _value(default),
            without_python(helps.get(parameter.arg, ""), flags),
            ast.unparse(default).replace(" ", ""),
        )
        for parameter, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if not isinstance(default, ast.Name)  # what a default only names is for Python alone
    )
    body = without_python(re.split(r"\n(?:Args|Returns|Raises):", text)[0].strip(), flags)
    return Method(
        name=name,
        summary=body.split("\n")[0],
        description=body,
        title=re.sub(r",? *https?://[^\s),]+", "", origin).rstrip(".") or name,
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
