"""Why a map looks blank, and how much of it speaks against the class."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["fine", "negative", "zero", "constant", "not finite"]


@dataclass(frozen=True)
class Diagnosis:
    """Whether one map can be drawn, and why not."""

    kind: Kind
    negative_share: float  # of the sum of absolute values; 0 if all values are 0
    sentence: str


def diagnose(maps: Tensor) -> list[Diagnosis]:
    """Say of each map whether it can be drawn, and if not, why.

    Args:
        maps: (N, C, H, W) raw attribution, as an explainer returns it.

    Returns:
        One diagnosis for each map: "fine"; "negative", all evidence speaks against the class; "zero",
        nothing speaks for it, or the layer is not connected to the score; "constant", no place
        matters more than another; "not finite", the network overflowed.
    """
    return [_diagnose(values) for values in maps.detach().flatten(1)]


def _diagnose(values: Tensor) -> Diagnosis:
    if not torch.isfinite(values).all():
        bad = int((~torch.isfinite(values)).sum())
        return Diagnosis("not finite", 0.0, f"{bad} of {len(values)} values are NaN or infinite: the network overflows")
    weight = values.abs().sum()
    share = float(values.clamp(max=0).abs().sum() / weight) if weight > 0 else 0.0
    if weight == 0:
        return Diagnosis(
            "zero",
            share,
            "the map is zero everywhere: no contribution to the class is positive, or the layer is not connected to it",
        )
    if values.max() - values.min() <= 1e-6 * values.abs().max():
        return Diagnosis("constant", share, "the map is constant: no place matters more than another")
    if values.max() <= 0:
        return Diagnosis("negative", share, "every contribution to the class is negative")
    return Diagnosis("fine", share, f"{share:.0%} of the evidence is negative")
