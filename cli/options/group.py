"""Options that belong together, handed to a command as one record."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any


def applied(*decorators: Callable) -> Callable:
    """One decorator for several, of which the first comes first in the help."""

    def apply(command: Callable) -> Callable:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def group(keyword: str, record: type, *options: Callable) -> Callable:
    """A decorator that gives a command options, and hands their values over as one record.

    Args:
        keyword: of the command, which gets the record.
        record: a dataclass with a field for each option's parameter.
        options: click's decorators.
    """
    names = [known.name for known in dataclasses.fields(record)]

    def decorate(command: Callable) -> Callable:
        @functools.wraps(command)
        def run(**values: Any) -> Any:
            chosen = record(**{name: values.pop(name) for name in names})
            return command(**values, **{keyword: chosen})

        return applied(*options)(run)

    return decorate
