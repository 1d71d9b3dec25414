"""Groups of commands: made when they are asked for, with a hint where a name is mistyped."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from interpret.errors import did_you_mean

from .formatter import HelpContext

Sections = Mapping[str, Sequence[str]]  # a heading to the names of commands


class HintingGroup(click.Group):
    """A group that suggests the command that may have been meant, and lists its commands under headings.

    Args:
        words: of ``click.Group``.
        sections: what it lists; commands that it does not know come last.
        lines: what the list says of some commands, which then need not be made for it.
        more: of ``click.Group``.
    """

    context_class = HelpContext

    def __init__(
        self,
        *words: Any,
        sections: Sections | None = None,
        lines: Mapping[str, Callable[[], str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*words, **more)
        self.sections, self.lines = sections or {}, lines or {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The words behind the group; without any its help is what was asked for."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings."""
        known = {name for names in self.sections.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in known]
        width = max(map(len, self.list_commands(ctx)))
        for heading, names in {**self.sections, "More" if known else "Commands": others}.items():
            here = [name for name in names if name in self.commands]
            rows = [(name.ljust(width), self._line(ctx, name, formatter.width)) for name in here]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def _line(self, ctx: click.Context, name: str, limit: int) -> str:
        return self.lines[name]() if name in self.lines else self.get_command(ctx, name).get_short_help_str(2 * limit)

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
