"""Groups of commands: made when they are asked for, with a hint where a name is mistyped."""

import importlib
from collections.abc import Callable, Iterator, Mapping

import click

from interpret.errors import did_you_mean


class HintingGroup(click.Group):
    """A group that suggests the command that may have been meant."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        """The command of the first word, or an error with the close names."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            hint = did_you_mean(name.replace("_", "-"), self.list_commands(ctx))
            raise click.UsageError(f"no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


class LazyCommands(Mapping[str, click.Command]):
    """Commands by name, each made by its function when it is first looked up, since one line runs one of them."""

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
