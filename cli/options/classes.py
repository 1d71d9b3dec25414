"""The classes that a command is about, as the shell names them."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import click

from .record import option
from .types import COUNT


def complete_classes(ctx: click.Context, parameter: click.Parameter, start: str) -> list[str]:
    """Names, synonyms and groups of ImageNet's classes that begin so, each as one word for the shell."""
    from interpret.labels.names import imagenet

    labels, begun = imagenet(), _as_word(start).casefold()
    names = {word for i, name in enumerate(labels) for word in (name, *labels.synonyms(i), *labels.groups(i))}
    words = {word for word in map(_as_word, names) if word.casefold().startswith(begun)}
    return sorted(words, key=str.casefold)


def _as_word(name: str) -> str:
    # Dashes stand for spaces wherever a class is named.
    return re.sub(r"[^\w]+", "-", re.sub("['’]", "", name))


def class_option(help: str, *flags: str) -> Any:
    """An option that names a class, which the shell completes."""
    return option(help, *flags, metavar="CLASS", shell_complete=complete_classes)


def best_of_class_option() -> Any:
    """The classes of a figure or a page that has one map for each of them."""
    return class_option(
        "A class to explain: a name, an index, or a group such as dog, whose highest member on the picture is "
        "meant; may be repeated. By default the top prediction.",
        "-c",
        "--class",
    )


@dataclass(frozen=True)
class ClassOptions:
    """What is explained of each picture."""

    classes: tuple[str, ...] = class_option(
        "A class to explain: a name, a group such as dog, a WordNet id or an index; may be repeated. "
        "By default the top prediction.",
        "-c",
        "--class",
    )
    class_mode: Literal["best", "sum", "each"] = option(
        "Of a group: its highest member on the picture, all members as one, or one result for each.", default="best"
    )
    versus: str | None = class_option("Why the class and not this one: explain the difference of their scores.")
    score: Literal["logit", "log-probability"] = option(
        "What is explained of the class: its logit, or the logarithm of its probability.", default="logit"
    )
    top_k: int | None = option("Explain so many of the top predictions.", type=COUNT)
