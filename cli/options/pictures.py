"""The pictures of a command, and how many at a time."""

from dataclasses import dataclass

import click

from interpret.bundled import samples

from .group import group


@dataclass(frozen=True)
class PictureOptions:
    """Pictures as the words of the shell name them."""

    pictures: tuple[str, ...]
    recursive: bool


def complete_pictures(ctx: click.Context, parameter: click.Parameter, start: str) -> list:
    """Files, and the bundled samples once "sample:" is begun."""
    from click.shell_completion import CompletionItem

    # The shell may hand over what stands behind its own word break, the colon.
    names = [f"sample:{name}" for name in samples() if f"sample:{name}".startswith(start)] if start else []
    return [CompletionItem(name) for name in names] or [CompletionItem(start, type="file")]


recursive_option = click.option("-r", "--recursive", is_flag=True, help="Go into the folders inside folders.")

picture_options = group(
    "pictures",
    PictureOptions,
    click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...", shell_complete=complete_pictures),
    recursive_option,
)
# Of commands that take the bundled pictures, or one of them, where none is named.
optional_picture_options = group(
    "pictures",
    PictureOptions,
    click.argument("pictures", nargs=-1, metavar="[PICTURE...]", shell_complete=complete_pictures),
    recursive_option,
)

batch_option = click.option(
    "--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Pictures at a time."
)
limit_option = click.option("--limit", type=click.IntRange(1), help="Look at so many pictures, drawn at random.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
