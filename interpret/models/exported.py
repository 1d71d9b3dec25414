"""Networks in files that hold their code too: TorchScript, torch.export and ONNX."""

import os
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

from ..errors import NetworkError, kind_and_text
from ..network.opaque import Exported

SUFFIXES = (".onnx", ".pt2")


def is_exported(path: str | os.PathLike) -> bool:
    """Whether a file is one of ONNX or torch.export by its suffix, or of TorchScript by what is in it."""
    path = Path(path)
    return path.is_file() and (path.suffix.lower() in SUFFIXES or _is_torchscript(path))


def _is_torchscript(path: Path) -> bool:
    if path.suffix.lower() not in (".pt", ".pth", ".ts", ".torchscript") or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_exported(path: str | os.PathLike) -> nn.Module:
    """The network in a file of ONNX, torch.export or TorchScript.

    Args:
        path: of the file; one of TorchScript or torch.export runs the code that it holds.

    Returns:
        The network, on the CPU. That of an ONNX file has layers with names; the others show none.

    Raises:
        NetworkError: a damaged file, a package that is missing, or an operation that cannot be converted.
    """
    path = Path(path)
    read = {".onnx": _onnx, ".pt2": _program}.get(path.suffix.lower(), _torchscript)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions, and that TorchScript is old
            return read(path)
    except NetworkError:
        raise
    except Exception as error:  # what damaged or foreign files raise depends on what they are
        raise NetworkError(f"{path} cannot be used as a network: {kind_and_text(error)[:200]}") from error


def _torchscript(path: Path) -> nn.Module:
    return torch.jit.load(str(path), map_location="cpu")


def _program(path: Path) -> nn.Module:
    program = torch.export.load(path)
    network = Exported(program.module())
    user_inputs = set(program.graph_signature.user_inputs)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.name in user_inputs]
    network.one_by_one = bool(shapes) and shapes[0][0] == 1
    return network


def _onnx(path: Path) -> nn.Module:
    try:
        import onnx
        import onnx2torch
    except ImportError as error:
        raise NetworkError(".onnx files need the packages onnx and onnx2torch: pip install 'interp[onnx]'") from error
    return onnx2torch.convert(onnx.load(str(path)))
