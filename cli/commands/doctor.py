"""`interp doctor`."""

import importlib.metadata
import os
import platform
from collections.abc import Iterator

import click

from interpret import __version__, explainers
from interpret.bundled import data, samples
from interpret.plug_ins import plug_ins

from .. import plug_ins as attacks
from ..options.messages import tell


@click.command(short_help="Tell what is installed and whether it works.")
def doctor() -> None:
    """Tell what is installed, where it would run, and whether the offline networks answer."""
    problems = 0
    for name, value, good in _findings():
        problems += not good
        tell(f"{'ok ' if good else 'BAD'}  {name:22} {value}")
    if problems:
        raise click.exceptions.Exit(1)


def _findings() -> Iterator[tuple[str, str, bool]]:
    yield "interp", f"{__version__} in {os.path.dirname(os.path.dirname(os.path.dirname(__file__)))}", True
    yield "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}", True
    for package in ("torch", "torchvision", "captum", "numpy", "pillow", "matplotlib", "click", "safetensors"):
        yield package, *_version(package)
    yield from _devices()
    yield "samples", f"{len(samples())} pictures", bool(samples())
    size = os.path.getsize(data("squeezenet1_1.safetensors"))
    yield "squeezenet1_1 weights", f"{size:,} bytes", size > 2_000_000
    yield from _networks()
    yield from _plug_ins()


def _version(package: str) -> tuple[str, bool]:
    try:
        return importlib.metadata.version(package), True
    except importlib.metadata.PackageNotFoundError:
        return "not installed", False


def _devices() -> Iterator[tuple[str, str, bool]]:
    import torch

    yield "cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads used", True
    cuda = torch.cuda.is_available()
    yield "cuda", torch.cuda.get_device_name() if cuda else "none", True
    yield "mps", "yes" if torch.backends.mps.is_available() else "none", True


def _plug_ins() -> Iterator[tuple[str, str, bool]]:
    refused = {"interp.explainers": explainers.REFUSED, "interp.attacks": attacks.REFUSED, "interp.networks": {}}
    for group, reasons in refused.items():
        for name, plug_in in plug_ins(group).items():
            yield name, reasons.get(name, f"{group} {plug_in.address}"), name not in reasons


def _networks() -> Iterator[tuple[str, str, bool]]:
    import torch

    from interpret.images.files import read
    from interpret.models.load import load
    from interpret.models.registry import OFFLINE

    image = read("sample:cat")
    for name in OFFLINE:
        try:
            classifier = load(name)
            with torch.no_grad():
                best = int(classifier(image).argmax())
            yield name, f"sees the sample cat as {classifier.name(best)}", best in range(281, 288)
        except Exception as error:  # whatever is wrong is what the user came to read
            yield name, f"{type(error).__name__}: {error}", False
