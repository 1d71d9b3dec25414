"""Ten steps of PGD from the images themselves, by others and as the bare passes."""

from collections.abc import Callable

import torch
from torch import Tensor

STEPS = 10
EPS, STEP_SIZE = 8 / 255, 2 / 255  # torchattacks' defaults

Attack = Callable[[Tensor, Tensor], Tensor]


def limit(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> None:
    """So many forward and backward passes."""
    for _ in range(STEPS):
        leaf = images.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(leaf), labels, reduction="sum")
        torch.autograd.grad(loss, leaf)


def torchattacks_pgd(model: torch.nn.Module) -> Attack:
    """torchattacks'."""
    import torchattacks

    return torchattacks.PGD(model, eps=EPS, alpha=STEP_SIZE, steps=STEPS, random_start=False)


def foolbox_pgd(model: torch.nn.Module) -> Attack:
    """foolbox'."""
    import foolbox

    seen = foolbox.PyTorchModel(model, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=STEPS, random_start=False)
    return lambda images, labels: attack(seen, images, labels, epsilons=[EPS])[1][0]


def art_pgd(model: torch.nn.Module) -> Attack:
    """The Adversarial Robustness Toolbox's."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    seen = PyTorchClassifier(model, torch.nn.CrossEntropyLoss(), (3, 224, 224), 1000, clip_values=(0, 1))
    attack = ProjectedGradientDescentPyTorch(seen, eps=EPS, eps_step=STEP_SIZE, max_iter=STEPS, verbose=False)
    return lambda images, labels: torch.from_numpy(attack.generate(images.numpy(), labels.numpy()))


PEERS = {"torchattacks": torchattacks_pgd, "foolbox": foolbox_pgd, "ART": art_pgd}
