"""The classes that a command is about, as the shell names them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from interpret.errors import did_you_mean

from .record import option
from .types import COUNT, Box


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


class ScoreType(click.ParamType):
    """What is explained of a class, or the name of a function from the network's output to scores."""

    name = "score"
    of_output = ("pixels", "box")
    known = ("logit", "log-probability", *of_output)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """One of the words that are known, or package.module:function."""
        if value not in self.known and ":" not in str(value):
            hint = did_you_mean(str(value), self.known)
            self.fail(f"{value!r} is not {', '.join(self.known)} or package.module:function{hint}", param, ctx)
        return str(value)

    def too_far(self, value: str, folder: Path) -> str | None:
        """Why a configuration found in a folder may not say so; None where it may."""
        return "chooses code to be run" if ":" in value else None


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
        "What is explained of a group: the member that scores highest on the picture, all members as one, or each.",
        default="best",
    )
    versus: str | None = class_option("Explain why it is the class and not this one: the difference of their scores.")
    score: str = option(
        "What is explained of the class: its logit, or the logarithm of its probability; of a segmentation the pixels "
        "where it is highest, of a detection the surest box; or a function of your own from what the network returns "
        "for N pictures to N numbers.",
        default="logit",
        type=ScoreType(),
        metavar="logit|log-probability|pixels|box|package.module:function",
    )
    mask: str | None = option(
        "For a segmentation: explain the class's scores in the pixels that are white in this picture.",
        type=click.Path(),
        metavar="FILE",
    )
    box: list[float] | None = option(
        "For a detection: explain the class at this place: left, top, right and bottom in pixels of the picture.",
        type=Box(),
        metavar="X0,Y0,X1,Y1",
    )
    units: tuple[str, ...] = option(
        "Explain a channel of a layer instead of a class: its mean, or its value at one place of the layer's map; may "
        "be repeated. `interp layers` lists the layers.",
        "--unit",
        metavar="LAYER:CHANNEL[@ROW,COLUMN]",
    )
    top_k: int | None = option("Explain so many of the likeliest classes; by default the likeliest.", type=COUNT)

    @property
    def of_output(self) -> bool:
        """Whether it is no class's logit that is explained, but a unit, or something else that the network returns."""
        given = self.mask or self.box or self.units
        return bool(given or ":" in self.score or self.score in ScoreType.of_output)

    @property
    def of_places(self) -> bool:
        """Whether what is explained lies at places of the picture."""
        at_place = any("@" in text for text in self.units)
        return bool(self.mask or self.box or at_place or self.score in ScoreType.of_output)
