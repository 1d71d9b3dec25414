"""Options declared once: as the fields of a record, or as the parameters of a command.

The flag, the kind and the rest of an option come from the name and the annotation::

    @dataclass(frozen=True)
    class SearchOptions:
        steps: int = option("Of the search.", default=100)  # --steps INTEGER
        norm: Literal["L2", "Linf"] = option("Of the size.", default="L2")  # --norm [L2|Linf]


    @command()
    def find(*, picture: str = argument(), search: SearchOptions, quiet: bool = option("Say less.")): ...
"""

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal

import click

from .help import GroupedOptions
from .numbers import number_of
from .types import dashed

_read_alone = ContextVar("the words of a command are read, and it does not run", default=False)


def option(help: str, *flags: str, default: Any = None, **more: Any) -> Any:
    """An option.

    A bool is a flag, or a pair of flags if it is on by default or may be left open; a Literal is a choice; and a
    tuple may be repeated.

    Args:
        help: what ``--help`` says.
        flags: by default two dashes and the field's name.
        default: is shown in the help.
        more: what else ``click.option`` takes.
    """
    return dataclasses.field(default=default, kw_only=True, metadata={"flags": flags, "more": {"help": help, **more}})


def argument(**more: Any) -> Any:
    """A positional argument, by what ``click.argument`` takes."""
    return dataclasses.field(kw_only=True, metadata={"more": more})


def applied(*decorators: Callable) -> Callable:
    """One decorator for several, of which the first comes first in the help."""

    def apply(function: Callable) -> Callable:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def gathered(keyword: str, make: Callable[..., Any], options: Mapping[str, Callable]) -> Callable:
    """A decorator that gives a command some options, and hands their values over as one.

    Args:
        keyword: of the command, which gets what is made of the values.
        make: from the values, by name, to that.
        options: a decorator for each name.
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def run(**values: Any) -> Any:
            chosen = make(**{name: values.pop(name) for name in options})
            return function(**values, **{keyword: chosen})

        made = applied(*options.values())(run)
        for parameter in made.__click_params__:
            if parameter.name in options:
                parameter.keyword = keyword  # which says what the options are about
        return made

    return decorate


def record_options(keyword: str, record: type, **defaults: Any) -> Callable:
    """A decorator that gives a command the options of a record, some of them with other defaults."""
    fields = dataclasses.fields(record)
    options = {known.name: _decorator(known, known.type, defaults.get(known.name, known.default)) for known in fields}
    return gathered(keyword, record, options)


def command(name: str | None = None, **more: Any) -> Callable[[Callable], click.Command]:
    """A decorator that makes a command of a function, whose parameters are records, options and arguments.

    Args:
        name: of the command; by default the function's.
        more: what else ``click.command`` takes; and by the names of parameters, decorators that provide them.
    """

    def decorate(function: Callable) -> click.Command:
        decorators = []
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name in more:
                decorators.append(more.pop(parameter.name))
            elif isinstance(declared := parameter.default, dataclasses.Field):
                declared.name = parameter.name
                decorators.append(_decorator(declared, parameter.annotation, declared.default))
            else:
                decorators.append(record_options(parameter.name, parameter.annotation))
        return click.command(name, cls=GroupedOptions, **more)(applied(*decorators)(_or_read(function)))

    return decorate


def read_words(command: click.Command, words: Sequence[str], parent: click.Context | None = None) -> dict[str, Any]:
    """What a command's function would be given for some words of the shell, by parameter; it does not run."""
    with command.make_context(command.name, list(words), parent=parent) as ctx:
        token = _read_alone.set(True)
        try:
            return command.invoke(ctx)
        finally:
            _read_alone.reset(token)


def _or_read(function: Callable) -> Callable:
    """A function, or where words are only read, what gives the values that it would get."""

    @functools.wraps(function)
    def run(**values: Any) -> Any:
        return values if _read_alone.get() else function(**values)

    return run


def _decorator(declared: dataclasses.Field, annotation: Any, default: Any) -> Callable:
    name, more = declared.name, dict(declared.metadata["more"])
    if "flags" not in declared.metadata:
        return click.argument(name, **more)
    kind, is_optional = _without_none(annotation)
    pair = kind is bool and (default is True or is_optional)
    flags = declared.metadata["flags"] or (f"--{dashed(name)}/--no-{dashed(name)}" if pair else f"--{dashed(name)}",)
    if kind is bool and not any("/" in flag for flag in flags):
        default, more = False, {"is_flag": True, **more}
    elif typing.get_origin(kind) is tuple:
        more = {"multiple": True, **more}
    elif typing.get_origin(kind) is Literal:
        more = {"type": click.Choice(typing.get_args(kind)), **more}
    elif kind in (int, float) and "count" not in more:
        more = {"type": number_of(name, whole=kind is int), **more}
    elif kind is str:
        more = {"type": str, **more}
    shown = not (default is None or default is False or default in ("", ()))
    if not more.get("required"):  # to click a default of None is one, too
        more = {"default": default, **more}
    return click.option(*flags, name, **{"show_default": shown, **more})


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """A kind that may be None without it, and whether it may be."""
    if typing.get_origin(annotation) not in (types.UnionType, typing.Union):  # that of a Literal is the latter
        return annotation, False
    kinds = [kind for kind in typing.get_args(annotation) if kind is not types.NoneType]
    is_optional = len(kinds) < len(typing.get_args(annotation))
    return (kinds[0] if len(kinds) == 1 else annotation), is_optional
