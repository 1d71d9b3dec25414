"""Methods compared over many pictures: what each is worth on a picture, means, intervals, and the ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..explainers import explainer_named
from ..explainers.aggregation import importance
from ..network.hooks import counted
from . import METRICS, NEEDS_REGIONS, metric_named
from .baseline_maps import FLOORS


@dataclass(frozen=True)
class Trial:
    """What every map of a picture is measured by."""

    metrics: Sequence[str]
    baselines: Sequence[str] = ("blur",)  # of insertion and deletion
    steps: int = 10
    seed: int = 0

    def columns(self) -> list[str]:
        """The names of the numbers, such as insertion_blur, road."""
        curves = ("insertion", "deletion")
        named = [[f"{name}_{end}" for end in self.baselines] if name in curves else [name] for name in self.metrics]
        return [column for names in named for column in names]

    def curves(self) -> list[str]:
        """Those of the columns that are the area below a curve."""
        return [column for column in self.columns() if column.startswith(("insertion", "deletion"))]


Curves = dict[str, list[float]]  # column to the steps + 1 points of its curve


@dataclass(frozen=True)
class Estimate:
    """A mean over pictures, and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A method's place among the others."""

    method: str
    pictures: int
    passes: float  # a picture
    values: Mapping[str, Estimate]  # column to its mean
    gains: Mapping[str, Estimate]  # column to how much better than a random map's on the same pictures


def tried(
    classifier: nn.Module, image: Tensor, target: int, method: str, trial: Trial, region: Tensor | None = None
) -> tuple[dict[str, float], Curves, int]:
    """What a method, or a floor, is worth on one picture.

    Args:
        classifier: for pictures on its input grid.
        image: (1, 3, H, W), in [0, 1].
        target: the class that is explained.
        method: a name of the tables EXPLAINERS or FLOORS.
        trial: what to measure.
        region: (H, W) booleans, where the object is.

    Returns:
        A number for each column, NaN where it cannot be had; the curves; and how many passes the map took.

    Raises:
        NetworkError: the method cannot explain this network.
    """
    if method in FLOORS:
        floor = FLOORS[method](image, trial.seed) if method == "random" else FLOORS[method](image)
        return *_measured(classifier, image, target, floor, trial, region), 0
    explainer = explainer_named(method)
    with counted(network_of(classifier)) as count:
        attribution = importance(explainer(classifier, image, target), method)
    found, curves = _measured(classifier, image, target, attribution, trial, region)
    if "max_sensitivity" in trial.metrics:
        with counted(network_of(classifier)) as more:
            moved = metric_named("max_sensitivity")(classifier, image, target, explainer, seed=trial.seed)
        found["max_sensitivity"] = float(moved)
        count += more
    return found, curves, max(1, count["passes"])


def _measured(
    classifier: nn.Module, image: Tensor, target: int, attribution: Tensor, trial: Trial, region: Tensor | None
) -> tuple[dict[str, float], Curves]:
    curves: Curves = {}
    found = dict.fromkeys(trial.columns(), torch.nan)
    for name in trial.metrics:
        metric = metric_named(name)
        if name in ("insertion", "deletion"):
            for end in trial.baselines:
                curve = metric(classifier, image, target, attribution, baseline=end, steps=trial.steps, seed=trial.seed)
                found[f"{name}_{end}"], curves[f"{name}_{end}"] = float(curve.area), curve.scores[0].tolist()
        elif name in NEEDS_REGIONS:
            found[name] = float(metric(attribution, region[None])) if region is not None else torch.nan
        elif name in ("road", "infidelity"):
            found[name] = float(metric(classifier, image, target, attribution, seed=trial.seed))
        elif name != "max_sensitivity":
            found[name] = float(metric(classifier, image, target, attribution))
    return found, curves


def standings(
    results: Mapping[str, Mapping[str, Mapping[str, float]]], passes: Mapping[str, int], by: str, seed: int = 0
) -> list[Standing]:
    """Methods ranked by how far they are above a random map on the same pictures, the best first.

    Methods that were tried on fewer pictures are compared with the random map of those alone, so that
    easy pictures are nobody's merit.

    Args:
        results: method to picture to column to number; "random" among the methods.
        passes: method to how many all its maps took.
        by: the column that decides.
        seed: of the intervals.

    Returns:
        One standing a method.
    """
    found = []
    for method, pictures in results.items():
        values, gains = {}, {}
        for column in next(iter(pictures.values())):
            better = METRICS[column] if column in METRICS else METRICS[column.partition("_")[0]]
            here = [row[column] for row in pictures.values()]
            there = [results["random"][picture][column] for picture in pictures]
            values[column] = interval(here, seed=seed)
            gains[column] = interval([better * (a - b) for a, b in zip(here, there, strict=True)], seed=seed)
        found.append(Standing(method, len(pictures), passes.get(method, 0) / len(pictures), values, gains))
    known = [standing for standing in found if standing.gains[by].mean == standing.gains[by].mean]
    unknown = [standing for standing in found if standing not in known]
    return sorted(known, key=lambda standing: -standing.gains[by].mean) + unknown


def interval(values: Sequence[float], *, confidence: float = 0.95, draws: int = 2000, seed: int = 0) -> Estimate:
    """The mean of some pictures' values, and the bootstrap interval of that mean (Efron 1979).

    Args:
        values: one a picture; those that are not finite are left out.
        confidence: how often the interval shall hold the true mean.
        draws: how often the pictures are drawn again, with replacement.
        seed: of the draws.

    Returns:
        The mean and the ends, which are NaN for fewer than two pictures.
    """
    known = torch.tensor(values, dtype=torch.float64)
    known = known[known.isfinite()]
    if len(known) < 2:
        return Estimate(float(known.mean()), torch.nan, torch.nan)
    drawn = torch.randint(len(known), (draws, len(known)), generator=torch.Generator().manual_seed(seed))
    means = known[drawn].mean(1)
    tail = (1 - confidence) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Estimate(float(known.mean()), low, high)
