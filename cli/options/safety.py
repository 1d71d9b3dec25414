"""Kinds of values that say which code runs or what is written, and what a file that was not named may not choose."""

from pathlib import Path
from typing import Any

import click

from interpret.plug_ins import plug_ins

from ..own_code import networks_in, runs_code
from .types import CommaList

NETWORK_FILES = (".pt", ".pth", ".pt2", ".onnx")
FILES = {*".png .jpg .jpeg .webp .gif .pdf .svg .npy .npz .csv .json .html .txt .pt .pth .zip".split()}


class Written(click.Path):
    """A file or a folder that a command writes to."""

    def too_far(self, value: str, folder: Path) -> str | None:
        """Why a configuration found in a folder may not say so; None where it may."""
        return "writes outside its folder" if value != "-" and not _inside(value, folder) else None


class WrittenFolder(Written):
    """A folder that a command writes into; what is called like a file is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The folder's name."""
        path = Path(super().convert(value, param, ctx))
        if path.suffix.lower() in FILES and not path.is_dir():
            self.fail(f"{str(path)!r} is called like a file; several are written: name a folder", param, ctx)
        return value


class Weights(click.Path):
    """A file with the weights of a network."""

    def too_far(self, value: str, folder: Path) -> str | None:
        """As above."""
        return None if _inside(value, folder) else "takes weights from outside its folder"


class NetworkName(click.ParamType):
    """What names a network: a name, a file, or code."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is; of a network of another package, its address."""
        plug_in = plug_ins("interp.networks").get(str(value))
        return plug_in.address if plug_in else str(value)

    def too_far(self, value: str, folder: Path) -> str | None:
        """As above."""
        return _network_too_far(value, folder)


class NetworkNames(CommaList):
    """Several of them with commas between."""

    def __init__(self) -> None:
        super().__init__(str, "a list of names", once=True)

    def too_far(self, value: str, folder: Path) -> str | None:
        """As above, of each."""
        return next(filter(None, (_network_too_far(name.strip(), folder) for name in value.split(","))), None)


def too_far(kind: click.ParamType, value: Any, folder: Path) -> str | None:
    """Why a configuration that was found in a folder, not named, may not set an option of a kind; None where it may."""
    if not hasattr(kind, "too_far"):
        return None
    values = value if isinstance(value, list) else [value]
    return next(filter(None, (kind.too_far(str(each), folder) for each in values)), None)


def _network_too_far(name: str, folder: Path) -> str | None:
    if runs_code(name):
        return "chooses code to be run"
    files = [one for one in networks_in(name) if one.endswith(NETWORK_FILES) or Path(one).exists()]
    outside = any(not _inside(file, folder) for file in files)
    return "takes weights from outside its folder" if outside else None


def _inside(value: str, folder: Path) -> bool:
    home = folder.resolve()  # links lead to where they lead
    return (home / value).resolve().is_relative_to(home)
