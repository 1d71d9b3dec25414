"""`interp train` at work: the run, its files, and what remains of it when it ends early."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, NetworkError

from ...job.processes import joined
from ...options.messages import Messages, note
from ...options.network import device_named
from ...own_code import code_from_here
from .choices import TrainOptions
from .parts import Pictures, Start, open_pictures, start_of
from .table import print_table
from .watch import Watcher

if TYPE_CHECKING:
    from attacks.training.run import Run
    from attacks.training.settings import Settings
    from interpret.models.saved import Recipe
    from interpret.models.state_dict import State


def train_network(options: TrainOptions, messages: Messages) -> None:
    """Train a network as the command's options say, and print how well it holds; Ctrl-C saves what there is."""
    from attacks import distributed

    settings = options.settings()
    # The others wait for one that dies in the middle of every batch, so not for long.
    with joined(options.machine.device, messages, distributed.PATIENCE) as messages:
        import torch

        from interpret.models.load import load

        if options.machine.threads:
            torch.set_num_threads(options.machine.threads)
        device = device_named(options.machine.device)
        watcher = Watcher(options, settings, messages)
        with code_from_here(options.run.source or ""):
            trained = load(options.run.source) if options.run.source else None
        pictures = open_pictures(options, trained)
        start = start_of(options, pictures.fitting, trained)
        run = _run(options, settings, pictures, start, device)
        try:
            with watcher.watching(run, pictures.validation):
                _train(options, run, pictures, start, watcher)
            print_table(options, settings, pictures, device, messages)
        except KeyboardInterrupt:
            last = options.folder / "last.pt"
            if last.exists():
                note(f"stopped; the same command with --resume goes on from {last}")
            raise


def _run(options: TrainOptions, settings: "Settings", pictures: Pictures, start: Start, device: str) -> "Run":
    import torch

    from attacks import distributed
    from attacks.training.augmentation import crop_and_mirror
    from attacks.training.run import Run

    torch.manual_seed(settings.seed + distributed.rank())  # the weights are drawn; dropout differs by process
    network, recipe = start.network.to(device), start.recipe
    if options.machine.channels_last:
        network.to(memory_format=torch.channels_last)
    if options.machine.compiled:
        network.compile()  # in place, so that the names of its weights stay
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (recipe.mean, recipe.std))
    in_colour, asked = pictures.fitting.shape[0] == 3, options.pictures.augment
    augment = crop_and_mirror if (in_colour if asked is None else asked) else None
    return Run(network, settings, mean=mean, std=std, classes=recipe.classes, augment=augment)


def _train(options: TrainOptions, run: "Run", pictures: Pictures, start: Start, watcher: Watcher) -> None:
    from attacks.training.loop import train
    from interpret.models.saved import save_trained

    data = options.pictures
    origin = {"data": data.data, "source": options.run.source, "validation": data.validation}
    origin["augment"] = run.augment is not None

    def save(path: Path, weights: "State", training: dict[str, Any]) -> None:
        save_trained(path, weights, start.recipe, asked=origin, training=training)

    resume = _begun(options.folder / "last.pt", start.recipe, origin) if options.run.resume else None
    train(run, pictures.fitting, pictures.validation, options.folder, save=save, resume=resume, watch=watcher)


def _begun(last: Path, recipe: "Recipe", origin: dict[str, Any]) -> dict[str, Any]:
    """What the file of a run holds to go on from, with the same data and network; the loop looks at its own choices."""
    from interpret.models.saved import read_trained

    if not last.exists():
        raise InterpretError(f"there is no {last} to go on from; leave out --resume to begin")
    try:
        begun_recipe, _, begun = read_trained(last)
    except NetworkError as error:
        raise InterpretError(f"{last} is damaged or no checkpoint of a training run; it is left as it is") from error
    differs = [f"--{name}" for name, value in origin.items() if begun.get("asked", {}).get(name) != value]
    differs = [{"--data": "DATA", "--source": "--from"}.get(name, name) for name in differs]
    if not differs and begun_recipe != recipe:
        differs = ["network or pictures"]
    if differs:
        raise InterpretError(f"{last} was begun with other {', '.join(differs)}; go on with the same, or begin anew")
    return begun
