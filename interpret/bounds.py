"""The bounds of the numbers that functions take, one declaration for each name, for Python and for the shell."""

import functools
import math
import sys
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, ParamSpec, TypeVar

from .errors import InterpretError, shortened

Given = ParamSpec("Given")
Made = TypeVar("Made")
Bounds = tuple[float, float]  # both belong to what is allowed; two integers stand for whole numbers

LARGEST = sys.float_info.max
ABOVE_0, BELOW_1 = math.ulp(0.0), math.nextafter(1.0, 0.0)
COUNT = (1, 2**31 - 1)
SEED = (-(2**40), 2**40)  # of which generators of many draws make their own, within 64 bits
ANY_SIZE = (0.0, LARGEST)
LARGEST_SIDE = 16384  # pixels of a picture that is made

# What a name means is the same everywhere; "method.name" is for a method that bears less than the others.
BOUNDS: dict[str, Bounds] = {
    "cells": (1, 1024),
    "concepts": COUNT,
    "content_weight": ANY_SIZE,
    "copies": COUNT,
    "crop": (ABOVE_0, 1.0),
    "draws": COUNT,
    "epsilon": ANY_SIZE,
    "factor": (1.0, LARGEST),
    "factors": COUNT,
    "gamma": ANY_SIZE,
    "input_size": COUNT,  # of its height and its width
    "keep": (ABOVE_0, BELOW_1),
    "limit": ANY_SIZE,
    "masks": COUNT,
    "max_batch": COUNT,
    "noise": ANY_SIZE,
    "gradient_shap.noise": (ABOVE_0, LARGEST),
    "octaves": (1, 100),
    "opacity": (ABOVE_0, 1.0),
    "pieces": (1, 2**20),
    "quality": (1, 100),
    "runs": (2, COUNT[1]),
    "samples": COUNT,
    "degrees": (0.0, 360.0),
    "learning_rate": (ABOVE_0, LARGEST),
    "resize": COUNT,
    "scales": (ABOVE_0, 100.0),  # of each of them
    "seed": SEED,
    "size": (1, LARGEST_SIDE),
    "sigmas": ANY_SIZE,
    "similar": COUNT,
    "smoothness": ANY_SIZE,
    "step_size": (ABOVE_0, LARGEST),
    "steps": COUNT,
    "style.steps": (0, COUNT[1]),  # none leaves what it starts with
    "strength": ANY_SIZE,
    "stride": COUNT,
    "style_scale": (ABOVE_0, 100.0),
    "tile": (16, LARGEST_SIDE),
    "times": COUNT,
    "weights": ANY_SIZE,  # of each of them
    "window": COUNT,
}


def bounds_of(name: str, method: str = "") -> Bounds | None:
    """The bounds of a number by its name, and by the method that takes it; None where there are none."""
    return BOUNDS.get(f"{method}.{name}", BOUNDS.get(name))


def check_bounds(method: str, options: Mapping[str, Any]) -> None:
    """Refuse numbers that are out of bounds, by an InterpretError; what is no number is not looked at.

    Where a list or a tuple is given, its numbers are.
    """
    for name, value in options.items():
        bounds = bounds_of(name, method)
        for number in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(number, Real):
                continue
            if isinstance(number, int) and abs(number) > LARGEST:  # which no other number can stand for
                raise InterpretError(f"{name} is a number below {LARGEST:.3g}, not one of {number.bit_length()} bits")
            if bounds and not is_within(number, bounds):
                each = "each of " if number is not value else ""
                raise InterpretError(f"{each}{name} is {in_words(bounds)}, not {shortened(repr(number), 30)}")


def bounded(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A function that refuses, by an InterpretError, options that are numbers out of bounds."""

    @functools.wraps(function)
    def call(*given: Given.args, **options: Given.kwargs) -> Made:
        check_bounds(function.__name__, options)
        return function(*given, **options)

    return call


def is_within(value: Real, bounds: Bounds) -> bool:
    """Whether a number is allowed; NaN never is."""
    low, high = bounds
    return low <= value <= high and (isinstance(low, float) or value == int(value))


def in_words(bounds: Bounds) -> str:
    """What is allowed, such as "a whole number of 1 or more" or "a number above 0 and below 1"."""
    limits = limits_of(bounds)
    of = "of " if limits.endswith(" or more") else ""
    return f"a {'whole ' if isinstance(bounds[0], int) else ''}number {of}{limits or 'that is finite'}"


def limits_of(bounds: Bounds) -> str:
    """The same without "a number": "1 or more", "above 0 and below 1", or nothing where any is allowed."""
    low, high = bounds
    if low not in (-LARGEST, ABOVE_0) and high not in (LARGEST, math.inf, COUNT[1], BELOW_1):
        return f"from {_short(low)} to {_short(high)}"
    lower = {-LARGEST: "", ABOVE_0: "above 0"}.get(low, f"{_short(low)} or more")
    upper = {LARGEST: "", math.inf: "", COUNT[1]: "", BELOW_1: "below 1"}.get(high, f"up to {_short(high)}")
    return " and ".join(filter(None, [lower, upper]))


def _short(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
