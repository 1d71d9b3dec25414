"""How large a change may be: the eps of attacks, on the command line."""

from typing import Any

import click

from attacks.errors import AttackError
from attacks.norm_names import check_radius as check_bound
from attacks.norm_names import norm_name

from .types import CommaList, number


def radius(text: str) -> float:
    """The number that 8/255, 8lv (levels of an 8-bit file) or 0.03 stands for; a ValueError where it is no length."""
    size = number(text.removesuffix("lv")) / 255 if text.endswith("lv") else number(text)
    if size < 0:
        raise ValueError(f"{text} is no length")
    return size


WRITTEN = "written as 8/255, 0.03, or 8lv for 8 of 255 levels"
RADII = CommaList(radius, "a size such as 8/255, 8lv or 0.03", hint=WRITTEN)


class Radius(click.ParamType):
    """How large a change may be: 8/255, 8lv (levels of an 8-bit file), or a number."""

    name, hint = "size", WRITTEN

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


def check_radius(eps: float | None, norm: str = "Linf") -> None:
    """Refuse a radius that is no bound, such as a number of levels that was given as a number of [0, 1]."""
    if eps is not None:
        check_bound(eps, norm)
