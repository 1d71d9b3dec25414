"""`interp train` at work: what its options mean, the run, and what remains of it when it ends early."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, NetworkError

from . import options
from .together import together
from .training_parts import NETWORKS, Pictures, Start, opened, started
from .training_table import measure
from .training_watch import Watcher

if TYPE_CHECKING:
    from attacks.training.run import Run
    from attacks.training.settings import Settings
    from interpret.models.saved import Recipe
    from interpret.models.state_dict import State

RADII = {"mnist": 0.3, "digits": 0.1, "fashion-mnist": 0.1}
SMALL = ("linear", "mlp", "lenet", "cnn")
RATES = {"adam": 0.005, "adamw": 0.005, "rmsprop": 0.001, "sgd": 0.1, "momentum": 0.1, "nesterov": 0.1}
OF_DEFENSES = ("steps", "step_size", "beta", "replays")
# Choices whose names are those of the training's own settings.
SAME = ("defense", "epochs", "batch_size", "schedule", "weight_perturbation", "average", "attack_in", "guard")
SAME += ("patience", "precision", "seed")


def train_network(settings: dict[str, Any]) -> None:
    """Train a network as the command's options say, and print how well it holds.

    Args:
        settings: the command's parameters.

    Raises:
        InterpretError: options that contradict each other, or what was asked for is not there.
        KeyboardInterrupt: after Ctrl-C; what there is has been saved.
    """
    from attacks import distributed

    choices = _choices(settings)
    # The others wait for one that dies in the middle of every batch, so not for long.
    with together(settings, distributed.PATIENCE):
        import torch

        from interpret.models.load import load

        if settings["threads"]:
            torch.set_num_threads(settings["threads"])
        device = options.device_named(settings["device"])
        folder = Path(settings["output"] or f"{Path(settings['data']).stem}-{settings['defense']}")
        watcher = Watcher(folder, choices, settings)
        trained = load(settings["source"]) if settings["source"] else None
        pictures = opened(settings, trained)
        start = started(settings, pictures.fitting, trained)
        run = _run(settings, choices, pictures, start, device)
        try:
            with watcher.watching(run):
                _train(settings, run, pictures, start, folder, watcher)
            measure(folder, pictures, choices, device, settings)
        except KeyboardInterrupt:
            if (folder / "last.pt").exists():
                options.note(f"stopped; the same command with --resume goes on from {folder / 'last.pt'}")
            raise


def _run(settings: dict[str, Any], choices: "Settings", pictures: Pictures, start: Start, device: str) -> "Run":
    import torch

    from attacks import distributed
    from attacks.training.augmentation import crop_and_mirror
    from attacks.training.run import Run

    torch.manual_seed(settings["seed"] + distributed.rank())  # the weights are drawn; dropout differs by process
    network, recipe = start.network.to(device), start.recipe
    if settings["channels_last"]:
        network.to(memory_format=torch.channels_last)
    if settings["compiled"]:
        network.compile()  # in place, so that the names of its weights stay
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (recipe.mean, recipe.std))
    in_colour = pictures.fitting.shape[0] == 3
    augment = in_colour if settings["augment"] is None else settings["augment"]
    return Run(
        network, choices, mean=mean, std=std, classes=recipe.classes, augment=crop_and_mirror if augment else None
    )


def _train(
    settings: dict[str, Any], run: "Run", pictures: Pictures, start: Start, folder: Path, watcher: Watcher
) -> None:
    from attacks.training.loop import train
    from interpret.models.saved import save_trained

    asked = {name: settings[name] for name in ("data", "source", "validation")}
    asked["augment"] = run.augment is not None

    def save(path: Path, weights: "State", training: dict[str, Any]) -> None:
        save_trained(path, weights, start.recipe, asked=asked, training=training)

    resume = _begun(folder / "last.pt", start.recipe, asked) if settings["resume"] else None
    train(run, pictures.fitting, pictures.validation, folder, save=save, resume=resume, watch=watcher)


def _begun(last: Path, recipe: "Recipe", asked: dict[str, Any]) -> dict[str, Any]:
    """What the file of a run holds to go on from, with the same data and network; the loop looks at its own choices."""
    from interpret.models.saved import read_trained

    if not last.exists():
        raise InterpretError(f"there is no {last} to go on from; leave out --resume to begin")
    try:
        begun_recipe, _, begun = read_trained(last)
    except NetworkError as error:
        raise InterpretError(f"{last} is damaged or no checkpoint of a training run; it is left as it is") from error
    differs = [f"--{name}" for name, value in asked.items() if begun.get("asked", {}).get(name) != value]
    differs = [{"--data": "DATA", "--source": "--from"}.get(name, name) for name in differs]
    if not differs and begun_recipe != recipe:
        differs = ["network or pictures"]
    if differs:
        raise InterpretError(f"{last} was begun with other {', '.join(differs)}; go on with the same, or begin anew")
    return begun


def _choices(settings: dict[str, Any]) -> "Settings":
    """What the loop is asked to do; what was not said depends on the data, the network and the defense."""
    from attacks.training.settings import Settings

    name, tuned = settings["data"], settings["source"] is not None
    if tuned and settings["network"]:
        raise InterpretError("give --network, with fresh weights, or --from, with trained ones")
    eps = _or(settings["eps"], RADII.get(name, 8 / 255))
    if eps > 1:
        raise InterpretError(f"pixels lie in [0, 1], so an eps of {eps:g} is no bound; did you mean {eps:g}/255?")
    small = not tuned and (settings["network"] or NETWORKS.get(name, "cnn")) in SMALL
    optimizer = settings["optimizer"] or ("adam" if small else "momentum")
    return Settings(
        **{known: settings[known] for known in SAME},
        options=_defense_options(settings),
        eps=eps,
        optimizer=optimizer,
        learning_rate=_or(settings["learning_rate"], RATES[optimizer] / (10 if tuned else 1)),
        weight_decay=_or(settings["weight_decay"], 0.0 if small else 5e-4),
        warm_up=_or(settings["warm_up"], 0.0 if settings["defense"] == "none" else settings["epochs"] / 5),
    )


def _or(given: float | None, default: float) -> float:
    return default if given is None else given


def _defense_options(settings: dict[str, Any]) -> dict[str, Any]:
    """The options that were given and that the defense has; an error where it has not."""
    from attacks.training.defenses import defense_named

    known = inspect.signature(defense_named(settings["defense"])).parameters
    given = {name: settings[name] for name in OF_DEFENSES if settings[name] is not None}
    for name in given:
        if name not in known:
            have = ", ".join(f"--{other.replace('_', '-')}" for other in OF_DEFENSES if other in known) or "none"
            raise InterpretError(
                f"{settings['defense']} has no --{name.replace('_', '-')}; the options of its own are {have}"
            )
    return given
