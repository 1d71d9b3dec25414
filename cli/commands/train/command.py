"""The command `interp train`: its options."""

import click

from attacks.training import DEFENSES
from interpret.datasets import DATASETS

from ...options.group import group
from ...options.messages import Messages, message_options
from ...options.model import device_option, precision_option, threads_option
from ...options.output import json_option
from ...options.pictures import seed_option
from ...options.types import Radius, Size
from .choices import DataOptions, DefenseOptions, MachineOptions, MeasureOptions, RunOptions, StepOptions, TrainOptions
from .job import train_network

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("cyclic", "multistep", "cosine", "constant")


def _complete_data(ctx: click.Context, parameter: click.Parameter, start: str) -> list:
    """The data sets, and files and folders."""
    from click.shell_completion import CompletionItem

    named = [CompletionItem(name) for name in DATASETS if name.startswith(start)]
    return [*named, CompletionItem(start, type="file")]


above_zero = click.FloatRange(0, min_open=True)
at_least_zero = click.FloatRange(0)

run_options = group(
    "run",
    RunOptions,
    click.option(
        "--defense", type=click.Choice(DEFENSES), default="fast", show_default=True, help="How it is trained."
    ),
    click.option(
        "--network",
        metavar="NAME",
        help="With fresh weights: linear, mlp, lenet, cnn, preact_resnet18, one of torchvision's, or timm:NAME. By "
        "default lenet for digits and the MNISTs, preact_resnet18 for CIFAR, and else cnn.",
    ),
    click.option(
        "--from",
        "source",
        metavar="NAME|FILE",
        help="Go on from trained weights instead: those of a network by its name, or a file that this command wrote.",
    ),
    click.option(
        "-o", "--output", type=click.Path(file_okay=False), help="A folder; by default it is called DATA-DEFENSE."
    ),
    click.option("--resume", is_flag=True, help="Go on with the run that this folder holds."),
)

data_options = group(
    "pictures",
    DataOptions,
    click.argument("data", metavar="DATA", shell_complete=_complete_data),
    click.option("--size", type=Size(), help="Resize the pictures, 32 or 32x48; by default as they are, or as --from."),
    click.option("--root", type=click.Path(), help="Where MNIST and CIFAR lie; by default $INTERP_DATA."),
    click.option(
        "--validation",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.1,
        show_default=True,
        help="The share of the training pictures that is set aside to find the best epoch with.",
    ),
    click.option("--augment/--no-augment", default=None, help="Shift and mirror pictures; by default those in colour."),
)

defense_options = group(
    "defense",
    DefenseOptions,
    click.option(
        "--eps",
        type=Radius(),
        help="Radius of the Linf ball: 8/255, 8lv, 0.03. By default 0.3 for mnist, 0.1 for digits and fashion-mnist, "
        "and else 8/255.",
    ),
    click.option("--steps", type=click.IntRange(1), help="Of the attack, for pgd, trades and mart; by default 10."),
    click.option(
        "--step-size",
        type=above_zero,
        help="Of the attack, as a share of eps; by default 1.25 for fast, 1 for fgsm and free, and else 2.5 / steps.",
    ),
    click.option(
        "--beta", type=at_least_zero, help="Weight of sameness, for trades (by default 6) and mart (by default 5)."
    ),
    click.option("--replays", type=click.IntRange(1), help="How often free takes each batch; by default 8."),
    click.option(
        "--warm-up",
        type=at_least_zero,
        metavar="EPOCHS",
        help="Over which eps grows from nothing; by default a fifth of all.",
    ),
    click.option(
        "--attack-in",
        type=click.Choice(["eval", "train"]),
        default="eval",
        show_default=True,
        help="The mode of the network while it is attacked.",
    ),
    click.option(
        "--weight-perturbation",
        type=at_least_zero,
        default=0.0,
        show_default=True,
        help="Move the weights too, adversarially, by this share of each layer; the paper's is 0.005.",
    ),
)

step_options = group(
    "steps",
    StepOptions,
    click.option("--epochs", type=click.IntRange(1), default=30, show_default=True, help="How many, at the most."),
    click.option(
        "--batch-size", type=click.IntRange(2), default=128, show_default=True, help="Over all processes together."
    ),
    click.option(
        "--optimizer",
        type=click.Choice(OPTIMIZERS),
        help="By default adam for linear, mlp, lenet and cnn, and else momentum.",
    ),
    click.option(
        "--learning-rate",
        type=above_zero,
        help="At its peak; by default 0.005 for adam and adamw, 0.001 for rmsprop, 0.1 for the others, and with --from "
        "a tenth of that.",
    ),
    click.option("--schedule", type=click.Choice(SCHEDULES), default="cyclic", show_default=True, help="Of the rate."),
    click.option(
        "--weight-decay", type=at_least_zero, help="By default 0.0005 for preact_resnet18 and larger, else 0."
    ),
    click.option(
        "--average",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        show_default=True,
        metavar="DECAY",
        help="Keep the exponential average of the weights, such as 0.995.",
    ),
    click.option(
        "--guard/--no-guard",
        default=True,
        show_default=True,
        help="Where it overfits to the attack, or collapses, go back to the last good epoch with a smaller step.",
    ),
    click.option(
        "--patience", type=click.IntRange(1), metavar="EPOCHS", help="End after so many without a better validation."
    ),
    seed_option,
)

machine_options = group(
    "machine",
    MachineOptions,
    precision_option(
        "Of the passes while training; fp16 pays on a GPU alone. The table at the end is measured in float32."
    ),
    click.option("--channels-last", is_flag=True, help="Keep pictures and weights in that order; often faster."),
    click.option("--compile", "compiled", is_flag=True, help="Compile the network with torch.compile."),
    device_option,
    threads_option,
)

measure_options = group(
    "measure",
    MeasureOptions,
    click.option("--autoattack", is_flag=True, help="Add AutoAttack to the table, which takes long."),
    click.option("--restarts", type=click.IntRange(1), default=3, show_default=True, help="Of the table's PGD-50."),
    click.option("--limit", type=click.IntRange(1), help="Fill the table from so many pictures, drawn at random."),
    click.option("--log", type=click.Choice(["tensorboard"]), help="Log every epoch for TensorBoard too."),
    json_option,
)


@click.command(short_help="Train a network that is hard to fool: adversarial training.")
@data_options
@run_options
@defense_options
@step_options
@machine_options
@measure_options
@message_options
def train(
    *,
    pictures: DataOptions,
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
    torchrun --nproc-per-node=2 -m cli train cifar10 --defense fast

    DATA is digits (which comes along), mnist, fashion-mnist, cifar10, cifar100, a folder with one
    folder of pictures for each class, or an .npz file of images and labels.

    A part of the training pictures is set aside; the best epoch is the one whose network withstands
    PGD with ten steps best on these. The folder then holds best.pt and last.pt, which every other
    command takes with -m, metrics.csv and curves.png. A table tells how accurate both are on the test
    pictures: clean, under FGSM, and under PGD with 50 steps and restarts.

    The defenses: none, for comparison; fgsm, one step, known to fail at times; fast, one step from a
    random start; free, whose every batch serves weights and perturbation several times; pgd, several
    steps; trades and mart, which weigh what is right against what stays the same.

    Ctrl-C saves first, and --resume goes on as if nothing had happened.
    """
    train_network(TrainOptions(pictures, run, defense, steps, machine, measure), messages)
