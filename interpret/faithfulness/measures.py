"""How good a map is on one picture, by several metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..network.hooks import counted
from . import METRICS, NEEDS_REGIONS, metric_named
from .baseline_maps import BASELINE_MAPS


@dataclass(frozen=True)
class MetricSettings:
    """The metrics by which maps are measured, and their settings."""

    metrics: Sequence[str]
    baselines: Sequence[str] = ("blur",)  # of insertion and deletion
    steps: int = 10
    seed: int = 0

    def columns(self) -> list[str]:
        """The names of the numbers that are measured, such as insertion_blur and road."""
        curves = ("insertion", "deletion")
        named = [[f"{name}_{end}" for end in self.baselines] if name in curves else [name] for name in self.metrics]
        return [column for names in named for column in names]

    def curves(self) -> list[str]:
        """Those of the columns that are areas below curves."""
        return [column for column in self.columns() if column.startswith(("insertion", "deletion"))]


@dataclass(frozen=True)
class Measurement:
    """How good the map of one method is on one picture."""

    method: str
    picture: str
    values: dict[str, float]  # column to number, NaN where it cannot be measured
    curves: dict[str, list[float]]  # column to the steps + 1 points of its curve
    passes: int  # that the map took


@dataclass(frozen=True)
class Sample:
    """One picture on the network's input grid, and what is known of it."""

    name: str
    image: Tensor  # (1, 3, H, W), in [0, 1]
    target: int  # the class that is explained
    region: Tensor | None = None  # (H, W) booleans, where the object is


def better_when(column: str) -> int:
    """1 where a higher number of a column is better, -1 where a lower one is."""
    return METRICS[column] if column in METRICS else METRICS[column.partition("_")[0]]


def measure(classifier: nn.Module, sample: Sample, method: str, settings: MetricSettings) -> Measurement:
    """Measure the map of one picture that a method of EXPLAINERS makes, or one of BASELINE_MAPS.

    The classifier takes pictures on its input grid. A method that cannot explain it is a NetworkError.
    """
    if method in BASELINE_MAPS:
        attribution = BASELINE_MAPS[method](sample.image, settings.seed)
        return _measured(classifier, sample, method, attribution, settings)
    explainer = explainer_named(method)
    with counted(network_of(classifier)) as count:
        attribution = importance(explainer(classifier, sample.image, sample.target), method)
    found = _measured(classifier, sample, method, attribution, settings)
    if "max_sensitivity" in settings.metrics:
        with counted(network_of(classifier)) as more:
            moved = metric_named("max_sensitivity")(
                classifier, sample.image, sample.target, explainer, seed=settings.seed
            )
        found.values["max_sensitivity"] = float(moved)
        count += more
    return replace(found, passes=max(1, count["passes"]))


def _measured(
    classifier: nn.Module, sample: Sample, method: str, attribution: Tensor, settings: MetricSettings
) -> Measurement:
    given = classifier, sample.image, sample.target, attribution
    found = Measurement(method, sample.name, dict.fromkeys(settings.columns(), torch.nan), {}, 0)
    for name in settings.metrics:
        metric = metric_named(name)
        if name in ("insertion", "deletion"):
            for end in settings.baselines:
                curve = metric(*given, baseline=end, steps=settings.steps, seed=settings.seed)
                found.values[f"{name}_{end}"] = float(curve.area)
                found.curves[f"{name}_{end}"] = curve.scores[0].tolist()
        elif name in NEEDS_REGIONS:
            if sample.region is not None:
                found.values[name] = float(metric(attribution, sample.region[None]))
        elif name in ("road", "infidelity"):
            found.values[name] = float(metric(*given, seed=settings.seed))
        elif name != "max_sensitivity":
            found.values[name] = float(metric(*given))
    return found
