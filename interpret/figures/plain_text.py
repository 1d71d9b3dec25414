"""Words of strangers in figures: class names and file names mean nothing to matplotlib."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Drawn = TypeVar("Drawn")
PLAIN = {"text.parse_math": False, "text.usetex": False}


def plain_text(draw: Callable[Given, Drawn]) -> Callable[Given, Drawn]:
    """Make a function draw a figure whose texts are shown as they are: a dollar begins no formula, and no TeX runs."""

    @functools.wraps(draw)
    def drawn(*given: Given.args, **options: Given.kwargs) -> Drawn:
        from matplotlib import rc_context

        with rc_context(PLAIN):
            return draw(*given, **options)

    drawn.has_plain_text = True
    return drawn
