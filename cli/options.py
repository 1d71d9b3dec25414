"""Options that several commands share, each written once."""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.bundled import samples
from interpret.errors import InterpretError, PictureError

from .memory import keep_freed_memory

if TYPE_CHECKING:
    from interpret.classifier import Classifier


class Numbers(click.ParamType):
    """Numbers with commas between them, such as 0.485,0.456,0.406; fractions such as 127/255 are understood."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        if isinstance(value, list | tuple | int | float):
            return [float(number) for number in (value if isinstance(value, list | tuple) else [value])]
        try:
            return [_number(part) for part in value.split(",")]
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a list of numbers such as 0.485,0.456,0.406", param, ctx)


def _number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / (float(below) if below else 1)


class Radius(click.ParamType):
    """How large a change may be: 8/255, 8lv (levels of an 8-bit file), or a number."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value) if isinstance(value, int | float) else radius(value)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a size such as 8/255, 8lv or 0.03", param, ctx)


class Radii(Radius):
    """Several of them, with commas between."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        if isinstance(value, list | tuple):
            return [super(Radii, self).convert(part, param, ctx) for part in value]
        return [super(Radii, self).convert(part, param, ctx) for part in str(value).split(",")]


def radius(text: str) -> float:
    """The number that 8/255, 8lv or 0.03 stands for; a ValueError where it is none."""
    text = text.strip()
    return float(text.removesuffix("lv")) / 255 if text.endswith("lv") else _number(text)


class Size(click.ParamType):
    """A height and width: 224, or 224x320."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        parts = str(value).lower().split("x")
        if len(parts) > 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
            self.fail(f"{value!r} is not a size such as 224 or 224x320 (height x width)", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def complete_pictures(ctx: click.Context, parameter: click.Parameter, start: str) -> list:
    """Files, and the bundled samples once "sample:" is begun."""
    from click.shell_completion import CompletionItem

    # The shell may hand over what stands behind its own word break, the colon.
    names = [f"sample:{name}" for name in samples() if f"sample:{name}".startswith(start)] if start else []
    return [CompletionItem(name) for name in names] or [CompletionItem(start, type="file")]


def complete_classes(ctx: click.Context, parameter: click.Parameter, start: str) -> list[str]:
    """Names, synonyms and groups of ImageNet's classes that begin so, each as one word for the shell."""
    from interpret.labels.names import imagenet

    labels, begun = imagenet(), _as_word(start).casefold()
    names = {word for i, name in enumerate(labels) for word in (name, *labels.synonyms(i), *labels.groups(i))}
    words = {word for word in map(_as_word, names) if word.casefold().startswith(begun)}
    return sorted(words, key=str.casefold)


def _as_word(name: str) -> str:
    # Dashes stand for spaces wherever a class is named.
    return re.sub(r"[^\w]+", "-", re.sub("['’]", "", name))


def complete_networks(ctx: click.Context, parameter: click.Parameter, start: str) -> list[str]:
    """The two offline networks; naming torchvision's would mean importing it at every key press."""
    return [name for name in ("efficientnet_lite0", "squeezenet1_1") if name.startswith(start)]


def applied(*decorators: Callable) -> Callable:
    def apply(command: Callable) -> Callable:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


pictures_argument = click.argument(
    "pictures", nargs=-1, required=True, metavar="PICTURE...", shell_complete=complete_pictures
)

recursive_option = click.option("-r", "--recursive", is_flag=True, help="Go into the folders inside folders.")

device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to run it.",
)

threads_option = click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores by default.")

model_options = applied(
    click.option(
        "-m",
        "--model",
        default="efficientnet_lite0",
        show_default=True,
        metavar="NAME",
        shell_complete=complete_networks,
        help="A network: `interp models` lists them; or timm:NAME, or package.module:function.",
    ),
    click.option("--weights", type=click.Path(), help="Its weights: a .pth, .pt or .safetensors file."),
    click.option("--labels", type=click.Path(), help="A file with the names of its classes, one a line or JSON."),
    click.option("--mean", type=Numbers(), help="Mean of each channel it expects, such as 0.5,0.5,0.5."),
    click.option("--std", type=Numbers(), help="Standard deviation of each channel it expects."),
    click.option("--input-size", type=Size(), help="Its input, such as 224 or 224x320 (height x width)."),
    device_option,
    click.option(
        "--precision",
        type=click.Choice(["float32", "bf16", "fp16"]),
        default="float32",
        show_default=True,
        help="Of the network's arithmetic: bf16 and, on a GPU, fp16 are faster on hardware made for them, and less "
        "exact.",
    ),
    threads_option,
)


def _without_bars(ctx: click.Context, parameter: click.Parameter, quiet: bool) -> bool:
    """Hide the library's own progress bars until the command ends."""
    if quiet:
        from interpret.progress import without_bars

        ctx.with_resource(without_bars())
    return quiet


message_options = applied(
    click.option("-q", "--quiet", is_flag=True, callback=_without_bars, help="No notes, no progress bar."),
    click.option("-v", "--verbose", count=True, help="More notes; twice for whole error messages."),
)

fold_option = click.option(
    "--fold", is_flag=True, help="Fold batch normalisation into the convolutions: the same to rounding, and faster."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")

MODEL_SETTINGS = ("model", "weights", "labels", "mean", "std", "input_size", "device", "precision", "threads")


def open_classifier(settings: dict[str, Any]) -> "Classifier":
    """The classifier that the model options describe, on its device.

    Args:
        settings: a command's parameters; those of the model, and --fold, are taken out of it.

    Returns:
        The classifier.
    """
    chosen = {name: settings.pop(name) for name in MODEL_SETTINGS}
    import torch

    from interpret.models.load import load

    keep_freed_memory()
    if chosen["threads"]:
        torch.set_num_threads(chosen["threads"])
    device = device_named(chosen["device"])
    given = {name: chosen[name] for name in MODEL_SETTINGS if name not in ("model", "device", "threads")}
    classifier = load(chosen["model"], **given).to(device)
    if settings.pop("fold", False):
        from interpret.models.fold_batchnorm import folded

        return folded(classifier)
    return classifier


def network_name(name: str, names: Sequence[str]) -> str:
    """A network's name, or that of its file, with the folder where another file is called the same."""
    if not Path(name).is_file():
        return name
    same = [other for other in names if Path(other).stem == Path(name).stem]
    return Path(name).stem if len(same) == 1 else str(Path(name).with_suffix(""))


def device_named(name: str) -> str:
    """The device that --device means; an error where there is none such."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise InterpretError(f"there is no {name} device here; `interp doctor` tells what there is")
    return name


@contextmanager
def notes_of_the_library(quiet: bool) -> Iterator[None]:
    """Show what the methods log, such as how many activations a rule replaced, as notes; each once."""
    logger, handler = logging.getLogger("interpret"), logging.StreamHandler(sys.stderr)
    level, said = logger.level, set()
    handler.addFilter(lambda record: not (record.getMessage() in said or said.add(record.getMessage())))
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def note_failure(shown: str, error: Exception, verbose: int) -> None:
    """Report a picture that failed, in one line; the run goes on with the others.

    Args:
        shown: the picture, as messages name it.
        error: what it raised.
        verbose: the traceback comes before it from 2.
    """
    if verbose >= 2:
        traceback.print_exception(error)
    place = "" if isinstance(error, PictureError) else f"{shown}: "  # a PictureError names it
    note(f"Error: {place}{' '.join(str(error).split())[:300]}")


def note(message: str, quiet: bool = False) -> None:
    """A line on standard error, which leaves standard output to the results."""
    if not quiet:
        sys.stdout.flush()
        with _bar_aside():
            click.echo(message, err=True)


def tell(result: str) -> None:
    """A line on standard output, also while a progress bar is on the terminal."""
    with _bar_aside():
        click.echo(result)


def _bar_aside() -> AbstractContextManager:
    bars = sys.modules.get("tqdm")  # only who shows a bar has imported it
    return bars.tqdm.external_write_mode() if bars else nullcontext()
