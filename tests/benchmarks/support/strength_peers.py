"""The strongest attacks of others, each as a function of images and labels; a missing package raises ImportError."""

import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Attack = Callable[[Tensor, Tensor], Tensor]
EVERYWHERE = 1e10  # a radius in which every point lies


def official(kind: str, network: nn.Module, norm: str, seed: int, **settings: Any) -> Attack:
    """A part of the authors' AutoAttack: "apgd", "fab" or "square"."""
    from pyautoattack.autopgd_base import APGDAttack
    from pyautoattack.fab_pt import FABAttack_PT
    from pyautoattack.square import SquareAttack

    made = {"apgd": APGDAttack, "fab": FABAttack_PT, "square": SquareAttack}[kind]
    settings = {"eps": EVERYWHERE, **settings} if kind == "fab" else settings
    return quietly(made(network, norm=norm, seed=seed, device="cpu", **settings).perturb)


def torchattacks(kind: str, network: nn.Module, seed: int = 0, **settings: Any) -> Attack:
    """One of torchattacks'."""
    import torchattacks as package

    return quietly(getattr(package, kind)(_Contiguous(network), **settings), seed)


class _Contiguous(nn.Module):
    """A network whose gradients torchattacks' L2 attack can view: those of one in channels-last order it cannot."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.eval()  # else torchattacks would leave all of it in training mode

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images.flatten(1).view_as(images))


def foolbox(kind: str, network: nn.Module, seed: int = 0, eps: float | None = None, **settings: Any) -> Attack:
    """One of foolbox'; black pictures, which its C&W attack returns where it found nothing, are none."""
    import foolbox as package

    attack = getattr(package.attacks, kind)(**settings)
    seen = package.PyTorchModel(network.eval(), bounds=(0, 1))

    def run(images: Tensor, labels: Tensor) -> Tensor:
        found = attack(seen, images, labels, epsilons=eps)[1]
        return torch.where(found.flatten(1).any(1)[:, None, None, None], found, images)

    return quietly(run, seed)


def adversarial_library(kind: str, network: nn.Module, **settings: Any) -> Attack:
    """One of adversarial-library's, which imports visdom for drawings that nobody asks for here."""
    sys.modules.setdefault("visdom", types.ModuleType("visdom"))
    sys.modules["visdom"].Visdom = object
    from adv_lib import attacks

    return quietly(lambda images, labels: getattr(attacks, kind)(network, images, labels, **settings))


def quietly(run: Attack, seed: int = 0) -> Attack:
    """The same without warnings, with the global generator as it was afterwards."""

    def quiet(images: Tensor, labels: Tensor) -> Tensor:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            return run(images.clone(), labels.clone()).detach()

    return quiet
