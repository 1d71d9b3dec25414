"""TCAV: a planted concept is found, plain pictures are none, and the test is the t-test that it says."""

import math

import pytest
import torch

from interpret import InterpretError, tcav
from interpret.concepts.separation import normal_between
from interpret.concepts.significance import student_tails, welch_test

from .planted import SQUARE, network, shapes


def pictures(count, seed, tagged):
    return [image[None] for image in shapes(count, seed, tagged=tagged)[0]]


def test_a_planted_tag_speaks_for_its_class_and_against_the_other():
    images, random = pictures(16, 7, True), pictures(80, 12, False)
    concepts = {"tag": pictures(24, 11, True), "none": pictures(24, 13, False)}
    found = tcav(network(), images, SQUARE, concepts, random, runs=15)
    assert found["tag"].share > 0.9 and found["tag"].significant and found["tag"].tests == 2
    assert not found["none"].significant
    again = tcav(network(), images, SQUARE, concepts, random, runs=15)
    assert again == found
    other = tcav(network(), images, 0, concepts, random, runs=15, layer="3")["tag"]
    assert other.layer == "3" and other.share < 0.3


@pytest.mark.slow
def test_plain_pictures_are_seldom_a_concept():
    images, random = pictures(16, 7, True), pictures(120, 12, False)
    plain = {str(seed): pictures(30, 100 + seed, False) for seed in range(40)}
    found = tcav(network(), images, SQUARE, plain, random, runs=20)
    assert sum(test.p < 0.05 for test in found.values()) <= 6
    assert sum(test.significant for test in found.values()) <= 1


def test_the_normal_leads_from_one_group_to_the_other():
    draw = torch.Generator().manual_seed(0)
    inside, outside = torch.randn(2, 20, 300, generator=draw)
    inside[:, 0] += 40
    normal = normal_between(inside, outside)
    assert normal[0] > 0.7 and float(normal.norm()) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(normal_between(outside, inside), -normal, atol=1e-5, rtol=0)
    assert (inside @ normal).min() > (outside @ normal).max()
    assert not normal_between(inside[:3] * 0, outside[:3] * 0).any()  # alike: no direction


def test_the_normal_is_scikit_learns():
    models = pytest.importorskip("sklearn.linear_model")
    draw = torch.Generator().manual_seed(1)
    inside, outside = torch.randn(2, 15, 4, generator=draw, dtype=torch.float64)
    inside[:, 1] += 1
    values = torch.cat([inside, outside])
    values = values - values.mean(0)
    values = values / values.square().sum(1).mean().sqrt()
    kinds = [1] * 15 + [0] * 15
    theirs = models.LogisticRegression(C=1 / (0.01 * 30), tol=1e-10, max_iter=1000).fit(values.numpy(), kinds).coef_[0]
    theirs = torch.from_numpy(theirs / math.sqrt(sum(theirs**2)))
    torch.testing.assert_close(normal_between(inside, outside), theirs, atol=1e-4, rtol=0)


# Written down from scipy.stats, as is Welch's test below.
@pytest.mark.parametrize(
    ("value", "freedom", "tails"),
    [
        (0, 5, 1.0),
        (2, 10, 0.07338803477074037),
        (-2, 10, 0.07338803477074037),
        (5, 58, 5.618420697e-06),
        (0.3, 2.5, 0.787342371),
    ],
)
def test_tails_of_students_distribution(value, freedom, tails):
    assert student_tails(value, freedom) == pytest.approx(tails, rel=1e-8)


def test_welchs_test():
    one, other = [0.9, 0.8, 1.0, 0.85], [0.5, 0.6, 0.4, 0.55]
    assert welch_test(one, other) == pytest.approx(0.0008042281642, rel=1e-8)
    assert welch_test(one, other, overlap=0.5) > welch_test(one, other)
    assert welch_test([1.0, 1.0], [1.0, 1.0]) == 1 and welch_test([1.0, 1.0], [0.0, 0.0]) == 0


def test_what_is_refused():
    few, many = pictures(1, 1, True), pictures(6, 2, False)
    with pytest.raises(InterpretError, match="at least 2 of 'tag'"):
        tcav(network(), many, SQUARE, {"tag": few}, many)
    with pytest.raises(InterpretError, match="at least 4 random pictures"):
        tcav(network(), many, SQUARE, {"tag": many}, few)
    with pytest.raises(InterpretError, match="at least pictures of the class"):
        tcav(network(), [], 1, {"tag": many}, many)
    with pytest.raises(InterpretError, match="different sizes"):
        tcav(network(), many, SQUARE, {"tag": [few[0], few[0][..., :16]]}, many)
    with pytest.raises(InterpretError, match="runs is a whole number of 2 or more"):
        tcav(network(), many, SQUARE, {"tag": many}, many, runs=1)
