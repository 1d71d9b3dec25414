"""Whether two groups of numbers differ by more than chance."""

import math
from collections.abc import Sequence
from statistics import fmean, variance

import numpy as np

POINTS = 400  # of the quadrature, which is exact to some 1e-12


def welch_test(one: Sequence[float], other: Sequence[float], *, overlap: float = 0.0) -> float:
    """The two-sided p-value of Welch's t-test (1947), that two groups of at least two numbers have the same mean.

    Args:
        one: numbers.
        other: numbers.
        overlap: how far the numbers of ``one`` are correlated, because they share data: the variance of their mean is
            then larger than they show (Nadeau and Bengio 2003, https://doi.org/10.1023/A:1024068626366).
    """
    shares = [variance(one) * (1 / len(one) + overlap / (1 - overlap)), variance(other) / len(other)]
    apart = fmean(one) - fmean(other)
    if sum(shares) == 0:
        return 1.0 if apart == 0 else 0.0
    groups = zip(shares, (one, other), strict=True)
    freedom = sum(shares) ** 2 / sum(share**2 / (len(group) - 1) for share, group in groups)
    return student_tails(apart / math.sqrt(sum(shares)), freedom)


def student_tails(value: float, freedom: float) -> float:
    """The probability that a t-distributed number is at least as far from zero, at so many degrees of freedom.

    It is an incomplete beta function, integrated over the angle whose tangent is sqrt(freedom) / value.
    """
    end = math.atan2(math.sqrt(freedom), abs(value))
    places, weights = np.polynomial.legendre.leggauss(POINTS)
    # Towards the end, where the integrand rises steeply at many degrees of freedom, the points lie closer.
    ways = (places + 1) / 2
    angles, steps = end * (1 - (1 - ways) ** 2), end * (1 - ways) * weights
    logarithm = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(math.pi) / 2
    integrand = np.exp((freedom - 1) * np.log(np.sin(angles)) + logarithm)
    return float(min(1.0, 2 * (integrand * steps).sum()))
