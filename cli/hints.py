"""A group of commands that suggests the one that may have been meant."""

import click

from interpret.errors import did_you_mean


class HintingGroup(click.Group):
    """A group that suggests the command one may have meant."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            hint = did_you_mean(name.replace("_", "-"), self.list_commands(ctx))
            raise click.UsageError(f"no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)
