"""How figures are drawn: the options that all commands with maps in figures share."""

from dataclasses import dataclass
from typing import Any

import click

from interpret.errors import InterpretError, did_you_mean

from .numbers import Number
from .record import option


def _drawn_with(ctx: click.Context, setting: str, value: Any) -> None:
    """Give a setting of matplotlib's a value until the command ends."""
    from matplotlib import rc_context

    ctx.with_resource(rc_context({setting: value}))


def _with_dpi(ctx: click.Context, parameter: click.Parameter, dpi: int | None) -> int | None:
    if dpi is not None:
        _drawn_with(ctx, "savefig.dpi", dpi)
    return dpi


def _with_font(ctx: click.Context, parameter: click.Parameter, font: str | None) -> str | None:
    if font is not None:
        from matplotlib.font_manager import get_font_names

        known = [*get_font_names(), "sans-serif", "serif", "monospace"]
        if font not in known:
            there = ", ".join(sorted(name for name in known if not name.startswith("STIX"))[:8])
            raise InterpretError(f"no font {font!r} is installed{did_you_mean(font, known) or f'; such as {there}'}")
        _drawn_with(ctx, "font.family", [font])
    return font


@dataclass(frozen=True)
class FigureOptions:
    """How figures are drawn: maps in a side-by-side view, with a caption, or in a grid."""

    dpi: int | None = option(
        "Dots per inch of a figure; by default 150, and 200 for the pictures in PDF and SVG.",
        type=Number(20, 1200),
        callback=_with_dpi,
    )
    font: str | None = option(
        "The font of a figure's texts, by the name of its family; by default matplotlib's.",
        metavar="NAME",
        callback=_with_font,
    )
