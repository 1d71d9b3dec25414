"""Is the robustness real? Signs of masked gradients (Athalye et al. 2018, https://arxiv.org/abs/1802.00420)."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from ..apgd import apgd
from ..core.contract import PROBABILITIES, are_probabilities
from ..core.labels import still_right
from ..core.losses import cross_entropy
from ..core.model import Model, logits_of, value_and_gradient
from ..core.seeds import Noise
from ..errors import AttackError
from ..fgsm import fgsm
from ..pgd import pgd
from ..square import square
from .robust_accuracy import robust_at

SLACK = 0.02  # the share of samples by which a weaker attack may be ahead by chance
SATURATED = 30.0  # the lead of a logit at which the softmax's gradient is below 1e-13


@dataclass(frozen=True)
class Check:
    """The search for one sign of masked gradients."""

    name: str
    fine: bool
    evidence: str


def masking_checks(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float = 8 / 255,
    queries: int = 500,
    batch_size: int | None = None,
    seed: int = 0,
) -> list[Check]:
    """The checks for signs that gradient attacks fail because gradients are useless, not because the model is robust.

    The model is in evaluation mode; some fifty images (N, ...) in [0, 1] are needed, with their true classes (N,). The
    attacks stay in Linf balls of radius ``eps``, and the one without gradients makes so many queries. The model sees
    ``batch_size`` images at a time, by default all.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", PROBABILITIES)  # which is one of the checks
        right = still_right(model, images, labels, batch_size)
        if not right.any():
            raise AttackError("no sample is classified right, so nothing can be robust")
        search = _MaskingSearch(model, images[right], labels[right], batch_size)
        return _checks(search, eps, queries=queries, seed=seed)


def _checks(search: "_MaskingSearch", eps: float, *, queries: int, seed: int) -> list[Check]:
    gradients = search.gradients()
    checks = [search.outputs(), search.saturation(), search.randomness(), gradients]
    if not gradients.fine and "not a number" in gradients.evidence:
        return checks
    return [*checks, *search.orderings(eps, queries, seed)]


@dataclass(frozen=True)
class _MaskingSearch:
    model: Model
    images: Tensor  # (n, ...) all classified correctly
    labels: Tensor  # (n,)
    batch_size: int | None  # how many the model sees at a time

    @torch.no_grad()
    def outputs(self) -> Check:
        logits = self.logits()
        probabilities = are_probabilities(logits)
        text = "are probabilities: their gradient vanishes where the model is sure" if probabilities else "are logits"
        return Check("outputs", not probabilities, f"the outputs {text}")

    @torch.no_grad()
    def saturation(self) -> Check:
        top = self.logits().topk(2, dim=1).values
        share = float(((top[:, 0] - top[:, 1]) > SATURATED).float().mean())
        evidence = f"{share:.0%} of the samples lead by more than {SATURATED:.0f} in the logits"
        return Check("saturation", share < 0.5, evidence)

    @torch.no_grad()
    def randomness(self) -> Check:
        one, other = (self.logits() for _ in range(2))
        apart = float((one - other).abs().max())
        evidence = f"two looks at the same samples differ by {apart:.3g}"
        return Check("randomness", apart <= 1e-4 * max(1.0, float(one.abs().max())), evidence)

    def gradients(self) -> Check:
        try:
            size = self.batch_size or len(self.images)
            pairs = zip(self.images.split(size), self.labels.split(size), strict=True)
            found = [value_and_gradient(self.model, part, cross_entropy, own)[2] for part, own in pairs]
        except AttackError as error:
            return Check("gradients", False, str(error))
        share = float((torch.cat(found).flatten(1) == 0).all(1).float().mean())
        return Check("gradients", share == 0, f"the gradient is zero for {share:.0%} of the samples")

    def orderings(self, eps: float, queries: int, seed: int) -> list[Check]:
        """Stronger attacks must find more, one without a bound everything, and one without gradients nothing new."""
        data, images = (self.model, self.images, self.labels), self.images
        run = {"batch_size": self.batch_size, "seed": seed}
        noise = (Noise.of(seed, images).uniform(*images.shape[1:], like=images) * 2 - 1) * eps
        noisy = self.robust((images + noise).clamp(0, 1))
        single = self.robust(fgsm(*data, eps=eps, batch_size=self.batch_size))
        many = self.robust(pgd(*data, eps=eps, steps=50, stop_when_fooled=True, **run))
        best = many & self.robust(apgd(*data, eps=eps, steps=50, **run))
        unbounded = robust_at(*data, pgd, [1.0], steps=50, **run)[:, 0]
        blind = self.robust(square(*data, eps=eps, queries=queries, **run))
        noisy, single, many, best, unbounded, blind, alone = (
            float(robust.double().mean()) for robust in (noisy, single, many, best, unbounded, blind, best & ~blind)
        )
        ordered = noisy >= single - SLACK and single >= many - SLACK
        steps = f"right under noise {noisy:.1%}, one step {single:.1%}, fifty steps {many:.1%}"
        without = f"{queries} queries without gradients leave {blind:.1%}, gradients {best:.1%}"
        return [
            Check("ordering", ordered, steps),
            Check("no bound", unbounded == 0, f"with eps 1 {unbounded:.1%} are still right"),
            Check("gradient-free", alone <= SLACK, f"{without}; {alone:.1%} fall to the queries alone"),
        ]

    def robust(self, adversarial: Tensor) -> Tensor:
        """(n,) booleans: whether the model is still right."""
        return still_right(self.model, adversarial, self.labels, self.batch_size)

    def logits(self) -> Tensor:
        """(n, C) of the images as they are."""
        return logits_of(self.model, self.images, self.batch_size)
