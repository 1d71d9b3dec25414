"""The reliability diagram: accuracy over probability."""

import numpy as np
from matplotlib.figure import Figure

from ..calibration_error import Calibration
from .line_plots import LINES


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
