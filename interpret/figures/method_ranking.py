"""Figures of the evaluations of explanations: methods ranked by metrics, and sanity checks."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..faithfulness import METRICS
from ..faithfulness.ranking import RankedMethod
from ..faithfulness.sanity import Sanity

BASELINE, METHOD, FAILED = "#8a8a8a", "#40127a", "#b3122b"  # colours
SHARES = ("average_drop", "average_increase", "pointing_game", "relevance_mass")  # columns from 0 to 1
MOST = 4  # columns in a figure

Ranked = Sequence[tuple[int | None, RankedMethod]]  # rank and method, the best first; baseline maps have no rank


def ranking_figure(ranked: Ranked, columns: Sequence[str], title: str) -> Figure:
    """Each method's mean with its interval, and the random map's as a line, a panel for each column.

    Args:
        ranked: rank and method, the best first; baseline maps have no rank.
        columns: names of what was measured, of which at most four are drawn.
        title: of the figure.

    Returns:
        A matplotlib Figure that is not known to pyplot.
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
    """Draw one column; the means of methods that were tried on fewer pictures are hollow."""
    for place, (rank, method) in enumerate(ranked):
        value, colour = method.values[column], METHOD if rank else BASELINE
        if value.low == value.low:
            axes.plot([value.low, value.high], [place, place], color=colour, lw=1.6, alpha=0.6)
        inner = "white" if method.pictures < pictures else colour
        axes.plot(value.mean, place, "o", color=colour, markerfacecolor=inner, markersize=5)
        if method.name == "random":
            axes.axvline(value.mean, color=BASELINE, ls=":", lw=1)
    name, _, baseline = (column, "", "") if column in METRICS else column.partition("_")
    axes.set_title(f"{name.replace('_', ' ')}{f' ({baseline})' if baseline else ''}", fontsize=10)
    axes.set_xlabel("higher is better" if METRICS[name] > 0 else "lower is better", fontsize=9)
    if column in SHARES:
        axes.set_xlim(-0.03, 1.03)
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def sanity_figure(checked: Sequence[Sanity], title: str) -> Figure:
    """The rank correlations with the maps of the intact network, with methods in rows and blocks in columns.

    Args:
        checked: the sanity check of each method.
        title: of the figure.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    blocks = max(checked, key=lambda found: len(found.blocks)).blocks
    figure = Figure(figsize=(3.8 + 1.1 * len(blocks), 2.1 + 0.3 * len(checked)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=[len(blocks) + 1, len(blocks)])
    floors = np.array([[float(found.floor.spearman.mean())] for found in checked])
    down = np.hstack([_likeness(checked, blocks, "cascading"), floors])
    _likeness_table(panels[0], down, "lost from the top down to")
    _likeness_table(panels[1], _likeness(checked, blocks, "independent"), "lost alone")
    panels[0].axvline(len(blocks) - 0.5, color="white", lw=5)
    depths = [*(block.rpartition(" to ")[2] for block in blocks), "two random networks"]
    for axes, words in zip(panels, (depths, blocks), strict=True):
        axes.set_xticks(range(len(words)), words, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    names = [f"{found.method.replace('_', '-')}{'' if found.passed else '  FAILS'}" for found in checked]
    panels[0].set_yticks(range(len(checked)), names, fontsize=8.5)
    for label, found in zip(panels[0].get_yticklabels(), checked, strict=True):
        label.set_color("black" if found.passed else FAILED)
    return figure


def _likeness(checked: Sequence[Sanity], blocks: Sequence[str], kind: str) -> np.ndarray:
    """(methods, blocks) mean rank correlations, NaN where there are none."""
    values = np.full((len(checked), len(blocks)), np.nan)
    for row, found in enumerate(checked):
        likeness = getattr(found, kind)
        for block, mean in zip(found.blocks, likeness.spearman.mean(1).tolist() if likeness else (), strict=False):
            # Where a method had fewer depths, the last of them reaches the bottom too.
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
