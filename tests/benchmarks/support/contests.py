"""The rows of the table of strength: each of our attacks beside the strongest of others, at the same number of passes.

Where peers differ in what they call a step, or in their first one, they get more than one setting, and the best counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

import attacks
from tests.benchmarks.support.strength_peers import (
    Attack,
    adversarial_library,
    foolbox,
    official,
    torchattacks,
)

SEARCHES = 6  # weights that C&W tries, by our default


@dataclass(frozen=True)
class Scale:
    """What depends on the network."""

    eps: dict[str, float]  # the radius in each norm
    part: int = 1  # by which the numbers of steps are divided

    def steps(self, count: int) -> int:
        """So many, or fewer on a network that takes long."""
        return max(1, count // self.part)


Entry = Callable[[nn.Module, int, Scale], Attack]


@dataclass(frozen=True)
class Contest:
    """One row: our attack and those of others, as functions of images and labels, given a network and a seed."""

    name: str
    norm: str
    steps: int
    bounded: bool  # by a radius; else the smallest change is looked for
    ours: Entry
    peers: dict[str, Entry] = field(default_factory=dict)
    slow: bool = False  # too slow for photos

    def told(self, scale: Scale) -> str:
        """What is attacked, by how many steps."""
        radius = f", {self.norm} {scale.eps[self.norm]:.4g}" if self.bounded else f", {self.norm}"
        return f"{self.name}{radius}, {scale.steps(self.steps)} steps"


def apgd(norm: str, loss: str, steps: int = 100) -> Contest:
    """Auto-PGD with a loss."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"eps": scale.eps[norm], "steps": scale.steps(steps), "stop_when_fooled": True}
        known = {"ce": "cross_entropy", "dlr": "dlr"}[loss]
        return lambda images, labels: attacks.apgd(
            network, images, labels, norm=norm, loss=known, seed=seed, **settings
        )

    def peer(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return official("apgd", network, norm, seed, loss=loss, n_iter=scale.steps(steps), eps=scale.eps[norm])

    return Contest(f"APGD-{loss.upper()}", norm, steps, True, ours, {"official": peer}, slow=norm == "L2")


def fab(norm: str, steps: int = 20) -> Contest:
    """FAB, which takes a gradient of every class at each step."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return lambda images, labels: attacks.fab(network, images, labels, norm=norm, steps=scale.steps(steps))

    def peer(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return official("fab", network, norm, seed, n_iter=scale.steps(steps))

    return Contest("FAB", norm, steps, False, ours, {"official": peer}, slow=True)


def square(norm: str, queries: int = 300) -> Contest:
    """Square, by the published schedule."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"eps": scale.eps[norm], "queries": scale.steps(queries)}
        return lambda images, labels: attacks.square(network, images, labels, norm=norm, seed=seed, **settings)

    def peer(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"eps": scale.eps[norm], "n_queries": scale.steps(queries), "resc_schedule": False}
        return official("square", network, norm, seed, **settings)

    return Contest("Square", norm, queries, True, ours, {"official": peer}, slow=norm == "L2")


def pgd(norm: str, peers: dict[str, Entry], steps: int = 40) -> Contest:
    """PGD from a random start."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"eps": scale.eps[norm], "steps": scale.steps(steps), "stop_when_fooled": True}
        return lambda images, labels: attacks.pgd(network, images, labels, norm=norm, seed=seed, **settings)

    return Contest("PGD", norm, steps, True, ours, peers)


def torchattacks_pgd(kind: str, norm: str, steps: int = 40) -> Entry:
    """torchattacks' with the same step."""

    def peer(network: nn.Module, seed: int, scale: Scale) -> Attack:
        count, eps = scale.steps(steps), scale.eps[norm]
        return torchattacks(kind, network, seed, eps=eps, alpha=2.5 * eps / count, steps=count)

    return peer


def foolbox_pgd(kind: str, norm: str, share: float | None = None, steps: int = 40) -> Entry:
    """foolbox' with its own step, or with a share of eps."""

    def peer(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {} if share is None else {"rel_stepsize": share}
        return foolbox(kind, network, seed, eps=scale.eps[norm], steps=scale.steps(steps), **settings)

    return peer


def fmn(norm: str, steps: int = 100) -> Contest:
    """FMN, beside adversarial-library's with several first steps."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return lambda images, labels: attacks.fmn(network, images, labels, norm=norm, steps=scale.steps(steps))

    def peer(first: float) -> Entry:
        order = {"L2": 2.0, "Linf": float("inf")}[norm]
        return lambda network, seed, scale: adversarial_library(
            "fmn", network, norm=order, steps=scale.steps(steps), α_init=first
        )

    peers = {f"adv-lib, step {first}": peer(first) for first in (0.1, 1, 10)}
    return Contest("FMN", norm, steps, False, ours, peers, slow=norm == "Linf")


def deepfool(steps: int = 50) -> Contest:
    """DeepFool with the ten likeliest classes, as foolbox has it."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return lambda images, labels: attacks.deepfool(network, images, labels, steps=steps)

    peers = {"foolbox": lambda network, seed, scale: foolbox("L2DeepFoolAttack", network, steps=steps)}
    return Contest("DeepFool", "L2", steps, False, ours, peers)


def carlini_wagner(steps: int) -> Contest:
    """C&W; torchattacks searches no weight, so its one run has the steps of all."""

    def ours(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"steps": steps, "searches": scale.steps(SEARCHES)}
        return lambda images, labels: attacks.carlini_wagner(network, images, labels, **settings)

    def foolboxes(network: nn.Module, seed: int, scale: Scale) -> Attack:
        searches = scale.steps(SEARCHES)
        return foolbox("L2CarliniWagnerAttack", network, steps=steps, binary_search_steps=searches)

    def library(network: nn.Module, seed: int, scale: Scale) -> Attack:
        settings = {"max_iterations": steps, "binary_search_steps": scale.steps(SEARCHES)}
        return adversarial_library("carlini_wagner_l2", network, **settings)

    def alone(network: nn.Module, seed: int, scale: Scale) -> Attack:
        return torchattacks("CW", network, steps=steps * scale.steps(SEARCHES))

    peers = {"foolbox": foolboxes, "adv-lib": library, "torchattacks": alone}
    return Contest("C&W", "L2", steps, False, ours, peers, slow=steps > 20)


CONTESTS = (
    apgd("Linf", "ce"),
    apgd("Linf", "dlr"),
    apgd("L2", "ce"),
    apgd("L2", "dlr"),
    fab("Linf"),
    fab("L2"),
    square("Linf"),
    square("L2"),
    pgd("Linf", {"torchattacks": torchattacks_pgd("PGD", "Linf"), "foolbox": foolbox_pgd("LinfPGD", "Linf")}),
    pgd("L2", {"torchattacks": torchattacks_pgd("PGDL2", "L2"), "foolbox": foolbox_pgd("L2PGD", "L2")}),
    pgd("L1", {"foolbox": foolbox_pgd("L1PGD", "L1"), "foolbox, same step": foolbox_pgd("L1PGD", "L1", 2.5 / 40)}),
    fmn("L2"),
    fmn("Linf"),
    deepfool(),
    carlini_wagner(20),
    carlini_wagner(50),
)
