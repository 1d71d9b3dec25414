"""Methods ranked over many pictures, among baseline maps, within a budget of passes and with intervals."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError
from ..images.files import read
from .baseline_maps import BASELINE_MAPS
from .measures import Measurement, MetricSettings, Sample, better_when, measure

CONFIDENCE = 0.95  # how often an interval is to hold the true mean
DRAWS = 2000  # of the pictures, with replacement, for an interval


@dataclass(frozen=True)
class Estimate:
    """A mean over pictures, and its 95 % interval, NaN for fewer than two pictures."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RankedMethod:
    """How good a method is on the pictures that it was tried on."""

    name: str
    pictures: int
    passes: float  # per picture
    values: Mapping[str, Estimate]  # column to its mean
    gains: Mapping[str, Estimate]  # column to the mean gain over a random map on the same pictures


@dataclass
class Ranking:
    """Methods and baseline maps that are measured on one picture after the other, and then ranked.

    A method is tried on as many pictures as its budget allows, and on one at least.
    """

    classifier: Classifier
    methods: Sequence[str]
    settings: MetricSettings
    budget: int = 10_000  # passes that each method may take
    results: dict[str, dict[str, dict[str, float]]] = field(init=False)  # method to picture to column to number
    passes: dict[str, int] = field(default_factory=dict)
    curves: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)  # method to column to curves

    def __post_init__(self) -> None:
        self.results = {name: {} for name in (*BASELINE_MAPS, *self.methods)}

    def record(self, found: Measurement) -> None:
        """Add a measurement, of this run or of an earlier one."""
        self.results[found.method][found.picture] = found.values
        for column, curve in found.curves.items():
            self.curves.setdefault(found.method, {}).setdefault(column, []).append(curve)
        self.passes[found.method] = self.passes.get(found.method, 0) + found.passes

    def waiting(self, picture: str) -> list[str]:
        """The methods that have not been tried on a picture and whose budget allows one more."""
        return [method for method in self.results if picture not in self.results[method] and self._affordable(method)]

    def _affordable(self, method: str) -> bool:
        done = len(self.results[method])
        return not done or self.passes[method] * (done + 1) / done <= self.budget

    def measure(
        self, sample: Sample, left_out: Callable[[str, InterpretError], None] = lambda method, error: None
    ) -> Iterator[Measurement]:
        """Try every waiting method on a picture, and yield what was measured, once it is recorded.

        ``left_out`` is called with each method that cannot explain this network, and why; it is not tried again.
        """
        for method in self.waiting(sample.name):
            try:
                found = measure(self.classifier.on_inputs(), sample, method, self.settings)
            except InterpretError as error:
                del self.results[method]
                left_out(method, error)
                continue
            self.record(found)
            yield found

    @property
    def pictures(self) -> int:
        """How many pictures could be read."""
        return len(self.results["random"])

    def ranked(self) -> list[RankedMethod]:
        """The methods that were tried, the best first by the first column."""
        tried = {method: rows for method, rows in self.results.items() if rows}
        if not tried:
            raise InterpretError("none of the pictures could be read")
        return ranked_methods(tried, self.passes, self.settings.columns()[0], self.settings.seed)


def rank_methods(
    classifier: Classifier,
    images: Mapping[str, Tensor] | Sequence[str | os.PathLike],
    methods: Sequence[str],
    *,
    metrics: Sequence[str] = ("insertion", "deletion"),
    baselines: Sequence[str] = ("blur",),
    steps: int = 10,
    budget: int = 10_000,
    seed: int = 0,
) -> list[RankedMethod]:
    """Rank explainers by how well their maps of the predicted class foretell what the network does.

    A random map and a hill in the middle of the picture are measured beside the methods, and ranks go by the
    gain over the random map on the same pictures.

    Args:
        classifier: the classifier to explain.
        images: (1, 3, H, W) in [0, 1] by name, or files and samples.
        methods: names of the table of explainers.
        metrics: names of the table of metrics, the first of which decides.
        baselines: what hidden pixels turn into in insertion and deletion.
        steps: points of the curves of these.
        budget: passes that each method may take; what needs many is tried on fewer pictures.
        seed: of everything random.

    Returns:
        One a method, the best first.

    Raises:
        InterpretError: none of the methods can be tried.
        PictureError: a file that is no picture.
    """
    ranking = Ranking(classifier, methods, MetricSettings(metrics, baselines, steps, seed), budget)
    named = images.items() if isinstance(images, Mapping) else ((os.fspath(file), file) for file in images)
    for name, given in named:
        image = given if isinstance(given, Tensor) else read(given)
        inputs = classifier.prepare(image.to(classifier.mean.device))[0].clamp(0, 1)
        target = int(classifier.on_inputs().predict(inputs))
        for _ in ranking.measure(Sample(name, inputs, target)):
            pass
    return ranking.ranked()


def ranked_methods(
    results: Mapping[str, Mapping[str, Mapping[str, float]]], passes: Mapping[str, int], by: str, seed: int = 0
) -> list[RankedMethod]:
    """Methods, the best first, by their mean gain in a column over a random map on the same pictures.

    The results are method to picture to column to number, with "random" among the methods; the passes are those of all
    maps of a method. A method that was tried on fewer pictures is compared on these alone, lest easy pictures count as
    its merit.
    """
    found = []
    for method, pictures in results.items():
        values, gains = {}, {}
        for column in next(iter(pictures.values())):
            better = better_when(column)
            here = [row[column] for row in pictures.values()]
            there = [results["random"][picture][column] for picture in pictures]
            values[column] = interval(here, seed=seed)
            gains[column] = interval([better * (a - b) for a, b in zip(here, there, strict=True)], seed=seed)
        found.append(RankedMethod(method, len(pictures), passes.get(method, 0) / len(pictures), values, gains))
    known = [method for method in found if method.gains[by].mean == method.gains[by].mean]
    unknown = [method for method in found if method not in known]
    return sorted(known, key=lambda method: -method.gains[by].mean) + unknown


def interval(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """The mean of the finite ones of values, one for each picture, and its bootstrap interval (Efron 1979)."""
    known = torch.tensor(values, dtype=torch.float64)
    known = known[known.isfinite()]
    if len(known) < 2:
        return Estimate(float(known.mean()), torch.nan, torch.nan)
    drawn = torch.randint(len(known), (DRAWS, len(known)), generator=torch.Generator().manual_seed(seed))
    means = known[drawn].mean(1)
    tail = (1 - CONFIDENCE) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Estimate(float(known.mean()), low, high)
