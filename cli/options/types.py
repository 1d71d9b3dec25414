"""The kinds of values that options take: lists with commas, sizes of a change, sizes of a picture."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import click

from attacks.core.norm_names import check_radius, norm_name
from attacks.errors import AttackError
from interpret.errors import did_you_mean


class CommaList(click.ParamType):
    """Several values with commas between them.

    Args:
        part: from the text of one value to the value; a ValueError says that it is none.
        example: what such a list looks like, as the end of "... is not".
        name: for the help.
        once: whether a value that is named twice counts once, and an empty one not at all.
    """

    def __init__(self, part: Callable[[str], Any], example: str, *, name: str = "list", once: bool = False) -> None:
        self.part, self.example, self.name, self.once = part, example, name, once

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
    """A number such as 0.5, or a fraction such as 127/255; a ValueError where it is neither."""
    above, _, below = text.partition("/")
    return float(above) / (float(below) if below else 1)


def radius(text: str) -> float:
    """The number that 8/255, 8lv (levels of an 8-bit file) or 0.03 stands for; a ValueError where it is no length."""
    size = float(text.removesuffix("lv")) / 255 if text.endswith("lv") else number(text)
    if not 0 <= size < math.inf:
        raise ValueError(f"{text} is no length")
    return size


COUNT = click.IntRange(1)
NUMBERS = CommaList(number, "a list of numbers such as 0.485,0.456,0.406", name="numbers")
RADII = CommaList(radius, "a size such as 8/255, 8lv or 0.03")
WORDS = CommaList(str, "a list of names", once=True)
CHANNELS = CommaList(int, "a list of channel numbers such as 3,17", once=True)


class Radius(click.ParamType):
    """How large a change may be: 8/255, 8lv (levels of an 8-bit file), or a number."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The radius in units of [0, 1]."""
        try:
            return radius(str(value).strip())
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a size such as 8/255, 8lv or 0.03", param, ctx)


class NormName(click.ParamType):
    """The norm of a change: Linf, L2, L1 or L0, in any usual spelling."""

    name = "norm"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The norm as the attacks spell it."""
        try:
            return norm_name(value)
        except AttackError as error:
            self.fail(str(error), param, ctx)


def check_eps(eps: float | None, norm: str = "Linf") -> None:
    """Refuse a radius that is no bound, such as a number of levels that was given as a number of [0, 1]."""
    if eps is not None:
        check_radius(eps, norm)


class Size(click.ParamType):
    """A height and width: 224, or 224x320."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """One number for a square, or height and width."""
        parts = str(value).lower().split("x")
        if len(parts) > 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
            self.fail(f"{value!r} is not a size such as 224 or 224x320 (height x width)", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def dashed(name: str) -> str:
    """A name as the shell spells it: integrated-gradients."""
    return name.replace("_", "-")
