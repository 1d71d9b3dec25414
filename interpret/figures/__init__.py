"""Figures of maps, units, drawings, attacks and measurements, each a matplotlib Figure that pyplot does not know."""

import importlib
from typing import Any

_HOMES = {
    "attacks": ("attack_figure", "explanation_figure", "shared_change_figure"),
    "cache": ("MapStore",),
    "colours": ("Scale", "colorize"),
    "line_plots": ("objective_curve", "ranking_curves", "robustness_curve", "training_curves"),
    "display": ("Display", "heatmap", "limit_of", "overlay", "own_colours", "side_by_side"),
    "drawings": ("DatasetExamples", "drawings_figure", "inversion_figure"),
    "figure_grid": ("grid", "grid_of"),
    "grid_maps": ("GridContents", "cells_of"),
    "panels": ("Panel", "panel_figure"),
    "method_ranking": ("ranking_figure", "sanity_figure"),
    "units": ("activations_figure", "contributions_figure", "crops_figure", "filters_figure"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:  # imported when asked for, since matplotlib takes long
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
