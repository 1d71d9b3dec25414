"""The bounds of the numbers that attacks take, one declaration for each name, for Python and for the shell."""

import math
import sys
from collections.abc import Mapping
from numbers import Real
from typing import Any

from .errors import AttackError

Bounds = tuple[float, float]  # both belong to what is allowed; two integers stand for whole numbers

LARGEST = sys.float_info.max
ABOVE_0, BELOW_1 = math.ulp(0.0), math.nextafter(1.0, 0.0)
COUNT = (1, 2**31 - 1)
ANY_SIZE, SOME_SIZE = (0.0, LARGEST), (ABOVE_0, LARGEST)

# What a name means is the same everywhere; "attack.name" is for an attack that bears less or more than the others.
# The bounds of eps depend on the norm and the images: see check_radius.
BOUNDS: dict[str, Bounds] = {
    "batch_size": COUNT,
    "candidates": COUNT,
    "change": (ABOVE_0, BELOW_1),
    "jsma.change": (-1.0, 1.0),
    "confidence": ANY_SIZE,
    "decay": ANY_SIZE,
    "degrees": (0.0, 360.0),
    "estimates": COUNT,
    "first_eps": SOME_SIZE,
    "first_weight": SOME_SIZE,
    "fraction": (ABOVE_0, 1.0),
    "limit": (ABOVE_0, math.inf),
    "overshoot": ANY_SIZE,
    "pictures": COUNT,
    "pixels": COUNT,
    "poses": COUNT,
    "population": (3, COUNT[1]),
    "queries": COUNT,
    "autoattack.queries": (0, COUNT[1]),
    "restarts": COUNT,
    "samples": COUNT,
    "searches": COUNT,
    "seed": (-(2**40), 2**40),  # of which generators of many draws make their own, within 64 bits
    "share": (ABOVE_0, 1.0),
    "smoothness": ANY_SIZE,
    "step_size": ANY_SIZE,
    "steps": COUNT,
    "lbfgs.steps": (2, COUNT[1]),
    "one_pixel.steps": (0, COUNT[1]),
    "texels": (1, 16384),
    "target_classes": (0, COUNT[1]),
    "autoattack.target_classes": COUNT,
}


def bounds_of(name: str, attack: str = "") -> Bounds | None:
    """The bounds of a number by its name, and by the attack that takes it; None where there are none."""
    return BOUNDS.get(f"{attack}.{name}", BOUNDS.get(name))


def check_bounds(attack: str, options: Mapping[str, Any]) -> None:
    """Refuse numbers that are out of bounds, by an AttackError; other options are not looked at."""
    for name, value in options.items():
        if isinstance(value, int) and abs(value) > LARGEST:  # such as 10**400, which no other number can stand for
            raise AttackError(f"{name} is a number below {LARGEST:.3g}, not one of {value.bit_length()} bits")
        bounds = bounds_of(name, attack)
        if name != "step_size" and getattr(value, "ndim", None) == 0:  # one of each sample is checked with the images
            value = value.item()
        if not bounds or not isinstance(value, Real):
            continue
        (low, high), whole = bounds, isinstance(bounds[0], int)
        if not (low <= value <= high and (not whole or value == int(value))):
            lower = "above 0" if low == ABOVE_0 else f"of {low:g} or more"
            upper = {COUNT[1]: "", LARGEST: "", math.inf: "", BELOW_1: " and below 1"}.get(high, f" and up to {high:g}")
            raise AttackError(f"{name} is a {'whole ' * whole}number {lower}{upper}, not {repr(value)[:30]}")
