"""Attacks on image classifiers: images that are changed little and classified as something else.

>>> from attacks import pgd
>>> adversarial = pgd(model, images, labels, eps=8 / 255)
"""

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Name to its kind: "eps" bounds the change, "minimum_norm" looks for the smallest one that fools, "pixels" changes a
# few pixels without a bound, "shared" finds one change for all samples, and "map" changes an explanation instead.
ATTACKS = {
    "fgsm": "eps",
    "bim": "eps",
    "pgd": "eps",
    "mifgsm": "eps",
    "apgd": "eps",
    "square": "eps",
    "autoattack": "eps",
    "fab": "minimum_norm",
    "deepfool": "minimum_norm",
    "carlini_wagner": "minimum_norm",
    "ddn": "minimum_norm",
    "fmn": "minimum_norm",
    "lbfgs": "minimum_norm",
    "jsma": "minimum_norm",
    "hopskipjump": "minimum_norm",
    "one_pixel": "pixels",
    "eot": "eps",
    "physical": "eps",
    "universal": "shared",
    "patch": "shared",
    "explanation": "map",
}

BUILT_IN = tuple(ATTACKS)  # without those that `add` puts there
_ADDED: dict[str, Callable[[], Any]] = {}

_HOMES = {
    "answers": ("from_labels", "from_scores"),
    "core.contract": ("attack",),
    "detectors.hiding": ("hiding_patch_laid", "missed", "train_hiding_patch"),
    "errors": ("AttackError", "BudgetWarning", "GradientWarning"),
    "patch": ("train_patch",),
    "solids.mesh": ("solid_named",),
    "solids.texture": ("seen_from_sides", "train_texture"),
    "training.fit": ("History", "train"),
    "transforms.destruction": ("destruction_rate",),
    "transforms.patch_placement": ("apply_patch",),
    "transforms.random_transforms": ("ANY_POSE", "PRINT_AND_PHOTOGRAPH", "transformed"),
    "universal": ("universal_perturbation",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*BUILT_IN, *_HOME, "ATTACKS"])


def __getattr__(name: str) -> Any:
    if name in ATTACKS:
        return attack_named(name)
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def attack_named(name: str) -> Any:
    """The function of the table's name, from the file of that name; an AttributeError where there is none."""
    if name not in ATTACKS:
        raise AttributeError(f"no attack {name!r}; there are {', '.join(ATTACKS)}")
    if name in _ADDED:
        return _ADDED[name]()
    return getattr(importlib.import_module(f".{name}", __name__), name)


def add(name: str, kind: str, load: Callable[[], Any]) -> None:
    """Put an attack of another package into the table.

    Args:
        name: by which `attack_named` finds it.
        kind: as in the table.
        load: gives the function, when it is first wanted.
    """
    ATTACKS[name] = kind
    _ADDED[name] = functools.cache(lambda: _checking(load()))


def _checking(function: Any) -> Any:
    """A function as an attack, which checks what it is given; it may be one already."""
    from .core.contract import attack

    return function if hasattr(function, "__wrapped__") else attack(function)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """This package, in which ``attacks.pgd`` is the function, not the file of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ATTACKS and isinstance(value, ModuleType):  # what importing a file does at its end
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
