"""Figures of the evaluations of explanations: means with intervals, and likeness against depth."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..faithfulness import METRICS
from ..faithfulness.ranking import RankedMethod
from ..faithfulness.sanity import Sanity
from .plain_text import plain_text

FLOOR, METHOD, FAILED = "#8a8a8a", "#40127a", "#b3122b"  # colours
SHARES = ("average_drop", "average_increase", "pointing_game", "relevance_mass")  # columns from 0 to 1
MOST = 4  # columns in a figure

Ranked = Sequence[tuple[int | None, RankedMethod]]  # rank and method, the best first; floors have no rank


@plain_text
def ranking_figure(ranked: Ranked, columns: Sequence[str], title: str) -> Figure:
    """One plot for each metric: each method's mean with its interval, and the random map's as a line.

    Args:
        ranked: rank and method, the best first; floors have no rank.
        columns: the metrics; the first four are drawn.
        title: of the figure.
    """
    columns = columns[:MOST]
    figure = Figure(figsize=(2.4 + 2.6 * len(columns), 1.5 + 0.27 * len(ranked)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    pictures = max(method.pictures for _, method in ranked)
    for axes, column in zip(panels, columns, strict=True):
        _means(axes, ranked, column, pictures)
    names = [
        method.name.replace("_", "-") + ("" if method.pictures == pictures else f" (n={method.pictures})")
        for _, method in ranked
    ]
    panels[0].set_yticks(range(len(ranked)), names, fontsize=8.5)
    panels[0].invert_yaxis()
    return figure


def _means(axes: Axes, ranked: Ranked, column: str, pictures: int) -> None:
    """One column; the means of methods that were tried on fewer pictures are hollow."""
    for place, (rank, method) in enumerate(ranked):
        value, colour = method.values[column], METHOD if rank else FLOOR
        if value.low == value.low:
            axes.plot([value.low, value.high], [place, place], color=colour, lw=1.6, alpha=0.6)
        inner = "white" if method.pictures < pictures else colour
        axes.plot(value.mean, place, "o", color=colour, markerfacecolor=inner, markersize=5)
        if method.name == "random":
            axes.axvline(value.mean, color=FLOOR, ls=":", lw=1)
    name, _, baseline = (column, "", "") if column in METRICS else column.partition("_")
    axes.set_title(f"{name.replace('_', ' ')}{f' ({baseline})' if baseline else ''}", fontsize=10)
    axes.set_xlabel("higher is better" if METRICS[name] > 0 else "lower is better", fontsize=9)
    if column in SHARES:
        axes.set_xlim(-0.03, 1.03)
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


@plain_text
def sanity_figure(checks: Sequence[Sanity], title: str) -> Figure:
    """Methods in rows, blocks in columns: the rank correlation with the maps of the network as it is.

    Args:
        checks: the sanity check of each method.
        title: of the figure.
    """
    blocks = max(checks, key=lambda check: len(check.blocks)).blocks
    figure = Figure(figsize=(3.8 + 1.1 * len(blocks), 2.1 + 0.3 * len(checks)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=[len(blocks) + 1, len(blocks)])
    floors = np.array([[float(check.floor.spearman.mean())] for check in checks])
    down = np.hstack([_likeness(checks, blocks, "cascading"), floors])
    _likeness_table(panels[0], down, "lost from the top down to")
    _likeness_table(panels[1], _likeness(checks, blocks, "independent"), "lost alone")
    panels[0].axvline(len(blocks) - 0.5, color="white", lw=5)
    depths = [*(block.rpartition(" to ")[2] for block in blocks), "two random networks"]
    for axes, words in zip(panels, (depths, blocks), strict=True):
        axes.set_xticks(range(len(words)), words, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    names = [f"{check.method.replace('_', '-')}{'' if check.passed else '  FAILS'}" for check in checks]
    panels[0].set_yticks(range(len(checks)), names, fontsize=8.5)
    for label, check in zip(panels[0].get_yticklabels(), checks, strict=True):
        label.set_color("black" if check.passed else FAILED)
    return figure


def _likeness(checks: Sequence[Sanity], blocks: Sequence[str], kind: str) -> np.ndarray:
    """(methods, blocks) mean rank correlations, NaN where there are none."""
    values = np.full((len(checks), len(blocks)), np.nan)
    for row, check in enumerate(checks):
        likeness = getattr(check, kind)
        for block, mean in zip(check.blocks, likeness.spearman.mean(1).tolist() if likeness else (), strict=False):
            # Where there were fewer depths, the last of them reaches the bottom too.
            values[row, blocks.index(block) if block in blocks else len(blocks) - 1] = mean
    return values


def _likeness_table(axes: Axes, values: np.ndarray, title: str) -> None:
    axes.imshow(values, vmin=0, vmax=1, cmap="Purples", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if value == value:
            colour, text = "white" if value > 0.55 else "black", f"{value:.2f}".replace("-0.00", "0.00")
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
    axes.set_title(title, fontsize=9.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
