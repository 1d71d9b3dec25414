"""Line plots: curves of a ranking, a training, an attack and an objective; and how sure and how right a network is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..calibration_error import Calibration
from .method_ranking import FLOOR, MOST, Ranked
from .plain_text import plain_text

# Lines that differ in grey too, and for readers who see no red or green.
LINES = [
    {"color": colour, "lw": 1.8, "ls": style}
    for colour, style in zip(
        ("#40127a", "#d9523f", "#1f77b4", "#e0a000", "#2a9d6f", "#b52a7b"), ["-", "--"] * 3, strict=True
    )
]
FLOOR_LINES = [{"color": FLOOR, "lw": 1.2, "ls": style} for style in (":", "-.")]


@plain_text
def ranking_curves(
    ranked: Ranked, curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], columns: Sequence[str], model: str
) -> Figure:
    """One plot for each metric: the mean curves of the best methods and of the floors.

    Args:
        ranked: rank and method, the best first; floors have no rank.
        curves: method to column to a curve for each picture.
        columns: the metrics; the first four are drawn.
        model: the network's name, for the title.
    """
    columns = columns[:MOST]
    figure = Figure(figsize=(1.9 + 3.1 * len(columns), 3.6), layout="constrained")
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    methods = [method for rank, method in ranked if rank]
    best, floors = methods[: len(LINES)], [method for rank, method in ranked if rank is None]
    styles = [*zip(best, LINES, strict=False), *zip(floors, FLOOR_LINES, strict=False)]
    for axes, column in zip(panels, columns, strict=True):
        for method, style in styles:
            mean = np.mean(curves[method.name][column], axis=0)
            label = f"{method.name.replace('_', '-')} {method.values[column].mean:.2f}"
            axes.plot(np.linspace(0, 100, len(mean)), mean, label=label, **style)
        name, _, baseline = column.partition("_")
        axes.set_title(f"{name} ({baseline})", fontsize=10)
        action = "shown" if name == "insertion" else "hidden"
        axes.set_xlabel(f"% of the pixels {action}, the highest first", fontsize=9)
        axes.legend(fontsize=7.5, frameon=False, title="area below", title_fontsize=7.5)
        axes.set_ylim(0)
        axes.tick_params(labelsize=8)
        _plain(axes)
    panels[0].set_ylabel("probability of the class, mean", fontsize=9)
    few = f"the best {len(best)} of {len(methods)} methods and " if len(best) > 5 else ""
    figure.suptitle(f"{model}: {few}maps that know nothing (grey)", fontsize=10)
    return figure


@plain_text
def training_curves(history: Sequence[Mapping[str, Any]], title: str, accuracies: Mapping[str, str]) -> Figure:
    """Accuracies on validation pictures, the loss and the learning rate over the epochs.

    Args:
        history: a row for each epoch: "epoch", "loss", "rate" and the accuracies. The best epoch is the one with
            the highest "pgd"; an epoch with "trouble" was rolled back, and is marked.
        title: what was trained.
        accuracies: the keys of the accuracies, and their names in the legend.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for name, label in accuracies.items():
        above.plot(epochs, [100 * row[name] for row in history], marker=".", label=label)
    rolled_back = [row["epoch"] for row in history if row.get("trouble")]
    for axes in (above, below):
        for number, epoch in enumerate(rolled_back):
            label = {"label": "trouble"} if axes is above and not number else {}
            axes.axvline(epoch, color="tab:red", lw=1, ls=":", **label)
        _plain(axes)
    kept = [row for row in history if not row.get("trouble")]
    if kept:
        best = max(kept, key=lambda row: (row["pgd"], row["epoch"]))
        above.plot(best["epoch"], 100 * best["pgd"], "o", ms=9, mfc="none", color="black", label="best")
    above.set(ylabel="right on validation pictures, %", ylim=(0, 101))
    above.set_title(title, fontsize=10)
    above.legend(fontsize=8, ncols=3)
    below.plot(epochs, [row["loss"] for row in history], marker=".", color="tab:purple")
    below.set_ylabel("loss", color="tab:purple")
    below.set_xlabel("epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    rate = below.twinx()
    rate.plot(epochs, [row["rate"] for row in history], color="tab:gray", lw=1)
    rate.set_ylabel("learning rate", color="tab:gray")
    rate.spines[["top"]].set_visible(False)
    return figure


@plain_text
def robustness_curve(curves: Mapping[str, Sequence[Mapping[str, float]]], attack: str, norm: str) -> Figure:
    """How often networks are still right under attack, over the attack's size, with intervals.

    Args:
        curves: network to the points of its curve: "eps", the "share" still right, the ends "low" and "high" of
            its interval, and the "count" of pictures.
        attack: its name, for the title.
        norm: of eps; for "Linf" the axis is in levels of 255.
    """
    scale = 255 if norm == "Linf" else 1
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        sizes = [point["eps"] * scale for point in curve]
        axes.fill_between(sizes, *([100 * point[end] for point in curve] for end in ("low", "high")), alpha=0.2, lw=0)
        axes.plot(sizes, [100 * point["share"] for point in curve], marker="o", clip_on=False, label=name)
    axes.set(xlabel=f"{norm} in levels of 255" if norm == "Linf" else norm, ylabel="still right, %", ylim=(0, 101))
    axes.set_title(f"{attack} on {curve[0]['count']} pictures, with 95 % intervals", fontsize=10)
    _plain(axes)
    if len(curves) > 1:
        axes.legend(frameon=False)
    return figure


@plain_text
def objective_curve(scores: Sequence[tuple[str, Sequence[float]]]) -> Figure:
    """The objective of each drawing over the steps.

    Args:
        scores: the expression of each drawing, and its objective at each step.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for text, steps in scores:
        axes.plot(steps, label=f"\u200b{text}")  # Matplotlib hides labels that begin with an underscore
    axes.set(xlabel="step", ylabel="objective")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _plain(axes: Axes) -> None:
    """A faint grid instead of a whole frame."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def reliability_diagram(found: Calibration) -> Figure:
    """How often the network is right where it is how sure; on the diagonal the two agree. Below: how many pictures."""
    figure = Figure(figsize=(4.2, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    bins = len(found.counts)
    middles, colour = (np.arange(bins) + 0.5) / bins, LINES[0]["color"]
    upper.bar(middles, np.nan_to_num(found.accuracies), width=0.9 / bins, color=colour, alpha=0.75)
    upper.plot([0, 1], [0, 1], color="#777777", lw=1, ls="--", label="probability = accuracy")
    upper.set_ylabel("share that is right")
    upper.set_ylim(0, 1)
    upper.legend(frameon=False, fontsize=8, loc="upper left")
    lower.bar(middles, found.counts, width=0.9 / bins, color="#999999")
    lower.set_ylabel("pictures")
    lower.set_xlabel("probability of the top class")
    lower.set_xlim(0, 1)
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return figure
