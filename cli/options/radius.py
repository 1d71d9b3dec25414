"""How large a change may be: the eps of attacks, on the command line."""

from typing import Any

import click

from interpret.errors import InterpretError

from .types import CommaList, number


def radius(text: str) -> float:
    """The number that 8/255, 8lv (levels of an 8-bit file) or 0.03 stands for; a ValueError where it is none."""
    return float(text.removesuffix("lv")) / 255 if text.endswith("lv") else number(text)


RADII = CommaList(radius, "a size such as 8/255, 8lv or 0.03")


class Radius(click.ParamType):
    """How large a change may be: 8/255, 8lv (levels of an 8-bit file), or a number."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The radius in units of [0, 1]."""
        try:
            return float(value) if isinstance(value, int | float) else radius(value.strip())
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a size such as 8/255, 8lv or 0.03", param, ctx)


def check_radius(eps: float | None, norm: str = "Linf") -> None:
    """Refuse a radius that is no bound: a number of levels that was given as a number of [0, 1]."""
    if eps is not None and eps > 1 and norm == "Linf":
        raise InterpretError(f"pixels lie in [0, 1], so an eps of {eps:g} is no bound; did you mean {eps:g}/255?")
