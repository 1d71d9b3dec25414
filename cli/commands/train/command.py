"""The command `interp train`: its options."""

from ...options.messages import Messages
from ...options.record import command
from .choices import (
    DefenseOptions,
    MachineOptions,
    MeasureOptions,
    RunOptions,
    StepOptions,
    TrainingData,
    TrainOptions,
)
from .job import train_network


@command(short_help="Adversarial training: a network that is hard to fool.")
def train(
    *,
    pictures: TrainingData,
    run: RunOptions,
    defense: DefenseOptions,
    steps: StepOptions,
    machine: MachineOptions,
    measure: MeasureOptions,
    messages: Messages,
) -> None:
    """Train a network on DATA so that it is hard to fool, and tell how well it holds.

    \b
    interp train digits --defense fast
    interp train mnist --defense trades --epochs 20 -o run
    interp train photos/ --from efficientnet_lite0 --defense pgd --eps 2lv
    python -m torch.distributed.run --nproc-per-node=2 \\
        -m cli train cifar10 --defense fast

    DATA is digits (which comes along), mnist, fashion-mnist, cifar10, cifar100, a folder with one
    folder of pictures for each class, or an .npz file of images and labels.

    A part of the training pictures is set aside; the best epoch is the one whose network withstands
    PGD with ten steps best on these. The folder then holds best.pt and last.pt, which every other
    command takes with -m, metrics.csv and curves.png. A table tells how accurate both are on the test
    pictures: clean, under FGSM, and under PGD with 50 steps and restarts.

    The defenses: none, for comparison; fgsm, one step, known to fail at times; fast, one step from a
    random start; nfgsm, one step from more noise, which is not put back; free, whose every batch serves
    weights and perturbation several times; pgd, several steps; trades and mart, which weigh what is
    right against what stays the same.

    Ctrl-C saves first, and --resume goes on as if nothing had happened.
    """
    train_network(TrainOptions(pictures, run, defense, steps, machine, measure), messages)
