"""The bounds of the numbers that functions take, one declaration for each name, for Python and for the shell."""

import math
import sys
from collections.abc import Mapping
from numbers import Real
from typing import Any

from .errors import InterpretError, shortened

Bounds = tuple[float, float]  # both belong to what is allowed; two integers stand for whole numbers

LARGEST = sys.float_info.max
ABOVE_0, BELOW_1 = math.ulp(0.0), math.nextafter(1.0, 0.0)
COUNT = (1, 2**31 - 1)
SEED = (-(2**40), 2**40)  # of which generators of many draws make their own, within 64 bits
ANY_SIZE = (0.0, LARGEST)

# What a name means is the same everywhere; "method.name" is for a method that bears less than the others.
BOUNDS: dict[str, Bounds] = {
    "cells": (1, 1024),
    "epsilon": ANY_SIZE,
    "gamma": ANY_SIZE,
    "keep": (ABOVE_0, BELOW_1),
    "masks": COUNT,
    "max_batch": COUNT,
    "noise": ANY_SIZE,
    "gradient_shap.noise": (ABOVE_0, LARGEST),
    "pieces": (1, 2**20),
    "samples": COUNT,
    "degrees": (0.0, 360.0),
    "learning_rate": (ABOVE_0, LARGEST),
    "seed": SEED,
    "smoothness": ANY_SIZE,
    "steps": COUNT,
    "stride": COUNT,
    "times": COUNT,
    "window": COUNT,
}


def bounds_of(name: str, method: str = "") -> Bounds | None:
    """The bounds of a number by its name, and by the method that takes it; None where there are none."""
    return BOUNDS.get(f"{method}.{name}", BOUNDS.get(name))


def check_bounds(method: str, options: Mapping[str, Any]) -> None:
    """Refuse numbers that are out of bounds, by an InterpretError; what is no number is not looked at."""
    for name, value in options.items():
        bounds = bounds_of(name, method)
        if bounds and isinstance(value, Real) and not is_within(value, bounds):
            raise InterpretError(f"{name} is {in_words(bounds)}, not {shortened(repr(value), 30)}")


def is_within(value: Real, bounds: Bounds) -> bool:
    """Whether a number is allowed; NaN never is."""
    low, high = bounds
    return low <= value <= high and (isinstance(low, float) or value == int(value))


def in_words(bounds: Bounds) -> str:
    """What is allowed, such as "a whole number of 1 or more" or "a number above 0 and below 1"."""
    low, high = bounds
    lower = {-LARGEST: "", ABOVE_0: "above 0"}.get(low, f"of {_short(low)} or more")
    upper = {LARGEST: "", math.inf: "", COUNT[1]: "", BELOW_1: "below 1"}.get(high, f"up to {_short(high)}")
    limits = " and ".join(filter(None, [lower, upper])) or "that is finite"
    if lower.startswith("of") and upper.startswith("up"):
        limits = f"from {_short(low)} to {_short(high)}"
    return f"a {'whole ' if isinstance(low, int) else ''}number {limits}"


def _short(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
