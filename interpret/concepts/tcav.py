"""TCAV (Kim et al. 2018, https://arxiv.org/abs/1711.11279): whether a class depends on a concept of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from ..bounds import check_bounds
from ..classifier import Classifier
from ..errors import InterpretError
from ..layer_outputs import layer_of, maps_of
from ..network.hooks import left_as_found
from ..scores import Target, target_of
from ..units.contributions import ScoredLayer
from .separation import normal_between
from .significance import welch_test

LEVEL = 0.05  # of all tests together, by Bonferroni


@dataclass(frozen=True)
class ConceptTest:
    """What came of one concept."""

    layer: str
    shares: Sequence[float]  # of the pictures whose score rises along the concept, in each run
    by_chance: Sequence[float]  # the same along directions between random pictures
    p: float  # two-sided, that both have the same mean; not corrected
    tests: int  # how many concepts were tried together

    @property
    def share(self) -> float:
        """The mean over the runs: above that by chance the concept speaks for the class, below it against it."""
        return fmean(self.shares)

    @property
    def significant(self) -> bool:
        """Whether it differs from chance at 5 % for all concepts together (Bonferroni)."""
        return self.p * self.tests < LEVEL


def tcav(
    classifier: Classifier,
    images: Sequence[Tensor],
    target: Target,
    concepts: Mapping[str, Sequence[Tensor]],
    random: Sequence[Tensor],
    *,
    layer: str | None = None,
    runs: int = 30,
    seed: int = 0,
) -> dict[str, ConceptTest]:
    """How often a class's score rises when a layer's output moves towards a concept that pictures stand for.

    In each run logistic regression tells what a layer gives for half of the concept's pictures from what it gives for
    as many random ones, all drawn anew; the normal of its plane is the concept's direction. The TCAV score is the share
    of images whose score has a positive derivative along it (eq. 2). The same between two groups of random
    pictures is what chance gives, and a two-sided t-test compares the two, over the runs.

    The paper keeps all of a concept's pictures in every run, which makes runs alike and chance look like a finding: of
    30 groups of plain pictures 12 to 15 came out as concepts at 5 %. So half of them are drawn, and the test allows for
    what runs still share: of 40 such groups 0 to 6 did (tests/interpret/concepts/test_tcav.py).

    Args:
        classifier: the classifier.
        images: pictures of the class (1, C, H, W) in [0, 1].
        target: whose score: one class, one for each image, or any other score.
        concepts: a name -> pictures of the concept, at least two.
        random: pictures of anything, at least four.
        layer: the layer's name; the last feature map by default.
        runs: how many, for each concept and for chance.
        seed: of the drawing.

    Returns:
        A name -> what came of that concept.

    Raises:
        UnknownNameError: no such layer.
        InterpretError: too few pictures, or pictures that the layer sees in different sizes.
        NetworkError: the score does not depend on the layer.
    """
    check_bounds("tcav", {"runs": runs, "seed": seed})
    images, random = list(images), list(random)
    few = next((name for name, pictures in concepts.items() if len(pictures) < 2), None)
    if few is not None or len(random) < 4 or not images:
        which = "pictures of the class" if not images else "4 random pictures" if few is None else f"2 of {few!r}"
        raise InterpretError(f"too few pictures: TCAV takes at least {which}")
    with left_as_found(classifier, images[0].device):
        view = classifier.on_inputs()
        layer = layer_of(view, classifier.prepare(images[0])[0], layer)
        slopes = _together([_slope(classifier, number, images, target, layer) for number in range(len(images))])
        around = _outputs(classifier, random, layer)
        draw = torch.Generator().manual_seed(seed)
        found = {}
        for name, pictures in concepts.items():
            inside = _outputs(classifier, pictures, layer)
            count = min((len(inside) + 1) // 2, len(around) // 2)
            drawn = [(_drawn(inside, count, draw)[0], _drawn(around, count, draw)[0]) for _ in range(runs)]
            shares = [_share(slopes, *groups) for groups in drawn]
            by_chance = [_share(slopes, *_drawn(around, count, draw)) for _ in range(runs)]
            shared = (count / len(inside) + count / len(around)) / 2  # of the pictures of two runs
            p = welch_test(shares, by_chance, overlap=shared)
            found[name] = ConceptTest(layer, shares, by_chance, p, len(concepts))
    return found


def _slope(classifier: Classifier, number: int, images: Sequence[Tensor], target: Target, layer: str) -> Tensor:
    """The gradient (1, ...) of one image's score by what the layer gives."""
    inputs = classifier.prepare(images[number].detach())[0]
    row = torch.tensor([number], device=inputs.device)
    scored = ScoredLayer(classifier.on_inputs(), inputs, layer, target_of(target, row))
    return scored.passed(inputs).slopes.detach()


def _outputs(classifier: Classifier, pictures: Sequence[Tensor], layer: str) -> Tensor:
    """What the layer gives for pictures, a row (K u v) each."""
    view = classifier.on_inputs()
    with torch.no_grad():
        return _together([maps_of(view, classifier.prepare(picture)[0], layer).float() for picture in pictures])


def _together(rows: Sequence[Tensor]) -> Tensor:
    if len({row.shape for row in rows}) > 1:
        raise InterpretError("the layer gives maps of different sizes for the pictures; give an input size")
    return torch.cat(rows).flatten(1)


def _drawn(values: Tensor, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two groups of so many rows, none in both."""
    order = torch.randperm(len(values), generator=draw).to(values.device)
    return values[order[:count]], values[order[count : 2 * count]]


def _share(slopes: Tensor, inside: Tensor, outside: Tensor) -> float:
    """Of pictures with these slopes, those whose score rises from outside towards inside."""
    return float((slopes @ normal_between(inside, outside) > 0).float().mean())
