"""The pictures of the two evaluations of explanations: means with intervals, and likeness against depth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from interpret.faithfulness.ranking import Standing
    from interpret.faithfulness.sanity import Sanity

# Told apart in grey and by who sees no red or green.
LINES = [
    {"color": colour, "lw": 1.8, "ls": style}
    for colour, style in zip(
        ("#40127a", "#d9523f", "#1f77b4", "#e0a000", "#2a9d6f", "#b52a7b"), ["-", "--"] * 3, strict=True
    )
]
FLOOR_LINES = [{"color": "#8a8a8a", "lw": 1.2, "ls": style} for style in (":", "-.")]
LESS_IS_BETTER, FLOOR, OURS = "lower is better", "#8a8a8a", "#40127a"


def ranking_figure(ranked: list[tuple[int | None, "Standing"]], columns: list[str], title: str) -> "Figure":
    """A panel a column: each method's mean with its interval, and the random map's as a line.

    Args:
        ranked: rank and standing, the best first; floors have no rank.
        columns: at most four are drawn.
        title: above all.
    """
    from matplotlib.figure import Figure

    from interpret.faithfulness import METRICS

    columns = columns[:4]
    figure = Figure(figsize=(2.4 + 2.6 * len(columns), 1.5 + 0.27 * len(ranked)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    places = range(len(ranked))
    fewest = max(standing.pictures for _, standing in ranked)
    for axes, column in zip(panels, columns, strict=True):
        for place, (rank, standing) in zip(places, ranked, strict=True):
            value, colour = standing.values[column], OURS if rank else FLOOR
            if value.low == value.low:
                axes.plot([value.low, value.high], [place, place], color=colour, lw=1.6, alpha=0.6)
            hollow = "white" if standing.pictures < fewest else colour
            axes.plot(value.mean, place, "o", color=colour, markerfacecolor=hollow, markersize=5)
            if standing.method == "random":
                axes.axvline(value.mean, color=FLOOR, ls=":", lw=1)
        better = METRICS[column] if column in METRICS else METRICS[column.partition("_")[0]]
        name, _, end = column.partition("_") if column not in METRICS else (column.replace("_", " "), "", "")
        axes.set_title(f"{name}{f' ({end})' if end else ''}", fontsize=10)
        axes.set_xlabel("higher is better" if better > 0 else LESS_IS_BETTER, fontsize=9)
        if column in ("average_drop", "average_increase", "pointing_game", "relevance_mass"):
            axes.set_xlim(-0.03, 1.03)  # shares
        axes.locator_params(axis="x", nbins=6)
        axes.tick_params(labelsize=8)
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    names = [
        standing.method.replace("_", "-") + ("" if standing.pictures == fewest else f" (n={standing.pictures})")
        for _, standing in ranked
    ]
    panels[0].set_yticks(list(places), names, fontsize=8.5)
    panels[0].invert_yaxis()
    return figure


def curves_figure(
    ranked: list[tuple[int | None, "Standing"]],
    curves: dict[str, dict[str, list[list[float]]]],
    columns: list[str],
    model: str,
) -> "Figure":
    """A panel a column: mean curves of the best methods and of the floors.

    Args:
        ranked: rank and standing, the best first; floors have no rank.
        curves: method to column to a curve for each picture.
        columns: at most four are drawn.
        model: the network, for the title.
    """
    import numpy as np
    from matplotlib.figure import Figure

    columns = columns[:4]
    figure = Figure(figsize=(1.9 + 3.1 * len(columns), 3.6), layout="constrained")
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    best = [standing for rank, standing in ranked if rank][: len(LINES)]
    floors = [standing for rank, standing in ranked if rank is None]
    styles = [*zip(best, LINES, strict=False), *zip(floors, FLOOR_LINES, strict=False)]
    for axes, column in zip(panels, columns, strict=True):
        for standing, style in styles:
            mean = np.mean(curves[standing.method][column], axis=0)
            label = f"{standing.method.replace('_', '-')} {standing.values[column].mean:.2f}"
            axes.plot(np.linspace(0, 100, len(mean)), mean, label=label, **style)
        name, _, end = column.partition("_")
        axes.set_title(f"{name} ({end})", fontsize=10)
        axes.set_xlabel(
            f"% of the pixels {'shown' if name == 'insertion' else 'hidden'}, the highest first", fontsize=9
        )
        axes.legend(fontsize=7.5, frameon=False, title="area below", title_fontsize=7.5)
        axes.set_ylim(0)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("probability of the class, mean", fontsize=9)
    few = f"the best {len(best)} of {sum(rank is not None for rank, _ in ranked)} methods and " if len(best) > 5 else ""
    figure.suptitle(f"{model}: {few}maps that know nothing (grey)", fontsize=10)
    return figure


def sanity_figure(checked: list["Sanity"], title: str) -> "Figure":
    """Methods in rows, blocks in columns: the rank correlation with the maps of the network as it is."""
    from matplotlib.figure import Figure

    widest = max(checked, key=lambda found: len(found.blocks)).blocks
    figure = Figure(figsize=(3.8 + 1.1 * len(widest), 2.1 + 0.3 * len(checked)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=[len(widest) + 1, len(widest)])
    for axes, kind in zip(panels, ("cascading", "independent"), strict=True):
        _likeness_panel(axes, checked, kind, widest)
    words = [f"{found.method.replace('_', '-')}{'' if found.passed else '  FAILS'}" for found in checked]
    panels[0].set_yticks(range(len(checked)), words, fontsize=8.5)
    for label, found in zip(panels[0].get_yticklabels(), checked, strict=True):
        label.set_color("black" if found.passed else "#b3122b")
    return figure


def _likeness_panel(axes: Any, checked: list["Sanity"], kind: str, blocks: list[str]) -> None:
    import numpy as np

    values = np.full((len(checked), len(blocks) + (kind == "cascading")), np.nan)
    for row, found in enumerate(checked):
        likeness = getattr(found, kind)
        for block, mean in zip(found.blocks, likeness.spearman.mean(1).tolist() if likeness else (), strict=False):
            # Where there were fewer depths, the last of them reaches the bottom too.
            values[row, blocks.index(block) if block in blocks else len(blocks) - 1] = mean
        if kind == "cascading":
            values[row, -1] = float(found.floor.spearman.mean())
    axes.imshow(values, vmin=0, vmax=1, cmap="Purples", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if value == value:
            colour, text = "white" if value > 0.55 else "black", f"{value:.2f}".replace("-0.00", "0.00")
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
    if kind == "cascading":
        axes.axvline(len(blocks) - 0.5, color="white", lw=5)
        words = [*(block.rpartition(" to ")[2] for block in blocks), "two random networks"]
    else:
        words = blocks
    axes.set_xticks(range(len(words)), words, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_title({"cascading": "lost from the top down to", "independent": "lost alone"}[kind], fontsize=9.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
