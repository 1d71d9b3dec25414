"""The kinds of values that options take: lists with commas, sizes of a picture."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import click

from interpret import bounds
from interpret.bounds import is_within
from interpret.errors import did_you_mean

from .numbers import Number


class CommaList(click.ParamType):
    """Several values with commas between them.

    Args:
        part: from the text of one value to the value; a ValueError says that it is none.
        example: what such a list looks like, as the end of "... is not".
        name: for the help.
        once: whether a value that is named twice counts once, and an empty one not at all.
        hint: what the help says of the values.
    """

    def __init__(
        self, part: Callable[[str], Any], example: str, *, name: str = "list", once: bool = False, hint: str = ""
    ) -> None:
        self.part, self.example, self.name, self.once, self.hint = part, example, name, once, hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """The values, from a text, or from a list or a number of a configuration."""
        given = value if isinstance(value, list | tuple) else str(value).split(",")
        texts = [str(part).strip() for part in given]
        try:
            values = [self.part(text) for text in texts if text or not self.once]
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not {self.example}", param, ctx)
        return list(dict.fromkeys(values)) if self.once else values


class Names(CommaList):
    """Names of a table with commas between them; dashes and underscores are the same, and "all" is every one."""

    def __init__(self, known: Iterable[str], kind: str) -> None:
        super().__init__(lambda text: text.replace("-", "_"), f"a list of {kind}s", once=True)
        self.known, self.kind = list(known), kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """The names, as the table spells them."""
        chosen = super().convert(value, param, ctx)
        if chosen == ["all"]:
            return self.known
        for name in chosen:
            if name not in self.known:
                hint = did_you_mean(name, self.known) or f"; there are {', '.join(self.known)}"
                self.fail(f"no {self.kind} {name!r}{hint}".replace("_", "-"), param, ctx)
        return chosen


def number(text: str) -> float:
    """A number such as 0.5, or a fraction such as 127/255; a ValueError where it is neither, or not finite."""
    above, _, below = text.partition("/")
    value = float(above) / (float(below) if below else 1)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _channel(text: str) -> int:
    number = int(text)
    if not is_within(number, (0, bounds.COUNT[1])):
        raise ValueError(f"{text} is no number of a channel")
    return number


COUNT = Number(*bounds.COUNT)
NUMBERS = CommaList(number, "a list of numbers such as 0.485,0.456,0.406", name="numbers")
WORDS = CommaList(str, "a list of names", once=True)
CHANNELS = CommaList(_channel, "a list of channel numbers such as 3,17", once=True)


class Box(CommaList):
    """A rectangle in pixels: left, top, right, bottom."""

    def __init__(self) -> None:
        super().__init__(number, "a box such as 10,20,110,170 (left, top, right, bottom in pixels)", name="box")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """The four numbers."""
        found = super().convert(value, param, ctx)
        if len(found) != 4 or not (found[0] < found[2] and found[1] < found[3]):
            self.fail(f"{value!r} is not {self.example}", param, ctx)
        return found


class Size(click.ParamType):
    """A height and width: 224, or 224x320."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """One number for a square, or height and width."""
        parts = str(value).lower().split("x")
        if len(parts) > 2 or not all(part.isdecimal() and 0 < int(part[:9]) <= bounds.LARGEST_SIDE for part in parts):
            self.fail(f"{value!r} is not a size such as 224 or 224x320 (height x width)", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def dashed(name: str) -> str:
    """A name as the shell spells it: integrated-gradients."""
    return name.replace("_", "-")
