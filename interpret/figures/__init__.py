"""Figures of maps, units and numbers: the colours of values, and the layout of panels."""

import importlib
from typing import Any

_HOMES = {
    "attacks": ("attack_figure", "explanation_figure", "shared_change_figure"),
    "cache": ("MapStore",),
    "colours": ("Scale", "colorize"),
    "display": ("Display", "heatmap", "limit_of", "overlay", "own_colours", "side_by_side"),
    "drawings": ("DatasetExamples", "drawing_figure", "inversion_figure"),
    "figure_grid": ("grid", "grid_of"),
    "grid_maps": ("GridContents", "cells_of"),
    "line_plots": ("objective_curves", "ranking_curves", "robustness_curves", "training_curves"),
    "method_ranking": ("ranking_figure", "sanity_figure"),
    "panels": ("Panel", "panel_figure"),
    "units": ("activations_figure", "crops_figure", "filters_figure"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:  # imported when needed, since matplotlib takes long
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
