"""Commands that are made when they are asked for: one line runs one of them."""

import importlib
from collections.abc import Callable, Iterator, Mapping

import click


class Lazy(Mapping[str, click.Command]):
    """Name to command; each is made once, when it is first looked up.

    Args:
        makers: name to a function that makes the command.
    """

    def __init__(self, makers: Mapping[str, Callable[[], click.Command]]) -> None:
        self._makers = makers
        self._made: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def imported(module: str, name: str) -> Callable[[], click.Command]:
    """A function that imports a command from its module."""
    return lambda: getattr(importlib.import_module(module), name)
