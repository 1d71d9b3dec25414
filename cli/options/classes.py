"""The classes that a command is about, as the shell names them."""

import re
from dataclasses import dataclass

import click

from .group import group


@dataclass(frozen=True)
class ClassOptions:
    """What is explained of each picture."""

    classes: tuple[str, ...] = ()  # names, groups, WordNet ids or indices; the top predictions where there are none
    class_mode: str = "best"  # of a group: "best", "sum" or "each"
    versus: str | None = None
    score: str = "logit"  # or "log-probability"
    top_k: int | None = None


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


def class_option(*flags: str, help: str, **more: object) -> object:
    """An option that names a class, which the shell completes."""
    return click.option(*flags, metavar="CLASS", shell_complete=complete_classes, help=help, **more)


# Of a figure or a page that has one map for each class asked for.
best_of_class_option = class_option(
    "-c",
    "--class",
    "classes",
    multiple=True,
    help="A class to explain: a name, an index, or a group such as dog, whose highest member on the picture is "
    "meant; may be repeated. By default the top prediction.",
)
class_options = group(
    "classes",
    ClassOptions,
    class_option(
        "-c",
        "--class",
        "classes",
        multiple=True,
        help="A class to explain: a name, a group such as dog, a WordNet id or an index; may be repeated. "
        "By default the top prediction.",
    ),
    click.option(
        "--class-mode",
        type=click.Choice(["best", "sum", "each"]),
        default="best",
        show_default=True,
        help="Of a group: its highest member on the picture, all members as one, or one result for each.",
    ),
    class_option("--versus", help="Why the class and not this one: explain the difference of their scores."),
    click.option(
        "--score",
        type=click.Choice(["logit", "log-probability"]),
        default="logit",
        show_default=True,
        help="What is explained of the class: its logit, or the logarithm of its probability.",
    ),
    click.option("--top-k", type=click.IntRange(1), help="Explain so many of the top predictions."),
)
