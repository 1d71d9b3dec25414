"""The pictures of a command, and how many at a time."""

from dataclasses import dataclass
from typing import Any

import click

from interpret.bundled import samples

from .record import argument, option
from .types import COUNT


def complete_pictures(ctx: click.Context, parameter: click.Parameter, start: str) -> list:
    """Files, and the bundled samples once "sample:" is begun."""
    from click.shell_completion import CompletionItem

    # The shell may hand over what stands behind its own word break, the colon.
    names = [f"sample:{name}" for name in samples() if f"sample:{name}".startswith(start)] if start else []
    return [CompletionItem(name) for name in names] or [CompletionItem(start, type="file")]


@dataclass(frozen=True)
class PictureOptions:
    """Pictures as the words of the shell name them."""

    pictures: tuple[str, ...] = argument(
        nargs=-1, required=True, metavar="PICTURE...", shell_complete=complete_pictures
    )
    recursive: bool = option("Look into the folders inside folders, too.", "-r", "--recursive")


@dataclass(frozen=True)
class OptionalPictures(PictureOptions):
    """The same for a command that takes the bundled pictures, or one of them, where none is named."""

    pictures: tuple[str, ...] = argument(nargs=-1, metavar="[PICTURE...]", shell_complete=complete_pictures)


def batch_option() -> Any:
    """How many pictures a network is given at a time."""
    return option(
        "How many pictures the network takes at a time, at most; results do not depend on it.", default=8, type=COUNT
    )


def limit_option() -> Any:
    """How many of the pictures are looked at."""
    return option("Look at so many of the pictures, drawn at random; by default at all.", type=COUNT)


def seed_option() -> Any:
    """The seed of a command."""
    return option("The seed of all that is random.", default=0)
