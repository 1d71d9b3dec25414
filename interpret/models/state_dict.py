"""State dicts from files: only tensors are unpickled, and keys that do not fit are named."""

import io
import os
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import NetworkError, address_hint, shortened

State = dict[str, Tensor]

NESTED_UNDER = ("state_dict", "model", "model_state_dict", "net", "weights")
PREFIXES = ("module.", "_orig_mod.", "model.", "network.")
# Names that torchvision's published files still have from earlier versions of DenseNet and ViT.
FORMER_NAMES = (
    (r"(\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),
    (r"\.mlp\.linear_1\.", ".mlp.0."),
    (r"\.mlp\.linear_2\.", ".mlp.3."),
)
LONGEST_PICKLE = 2**24  # bytes of an older file's head that are looked through
REMEDY = "save the weights alone: torch.save(network.state_dict(), file)"


def read_weights(path: str | os.PathLike) -> State:
    """The state dict in a ``.safetensors`` or a ``.pth``/``.pt`` file, of which nothing but tensors is unpickled.

    It may be nested, under "state_dict" or "model" for example, and its names may begin with "module.", as
    DataParallel leaves them.
    """
    given, path = os.fspath(path), Path(path)  # a Path makes one slash of two
    if not path.is_file():
        raise NetworkError(f"no weights file {given!r}{address_hint(given) or '; check the path'}")
    if path.suffix.lower() == ".onnx":
        raise NetworkError(f"{path} is an ONNX graph; go back to the PyTorch network and {REMEDY}")
    read = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_pickle
    try:
        state = read(path)
    except NetworkError:
        raise
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # what a damaged file raises depends on where the damage is
        raise NetworkError(
            f"{path} is not a file of PyTorch weights, or it is damaged; fetch it again, or {REMEDY}"
        ) from error
    return _without_prefix(_unnested(state, path))


def _read_safetensors(path: Path) -> object:
    from safetensors.torch import load_file

    return load_file(path)


def _read_pickle(path: Path) -> object:
    with path.open("rb") as file:
        if not file.read(2).startswith((b"PK", b"\x80")):
            raise ValueError("neither a zip archive nor a pickle")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                raise NetworkError(f"{path} is a TorchScript archive; {REMEDY}")
            # PyTorch packs without compressing; what does may unpack to anything.
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
                raise NetworkError(f"{path} unpacks to more than it holds, as no weights do; {REMEDY}")
            pickled = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".pkl"))
    else:
        with path.open("rb") as file:
            pickled = file.read(LONGEST_PICKLE)
    _refuse_inflating(pickled, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that torch did not write
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "unsupported global" not in str(error).lower():
            raise
        raise NetworkError(f"{path} holds a whole pickled object, which could run any code; {REMEDY}") from error


def _refuse_inflating(pickled: bytes, path: Path) -> None:
    """Refuse what makes arrays of bytes of any size while it is read; weights hold none."""
    stream = io.BytesIO(pickled)
    # What is no pickle is told when it is read.
    with suppress(ValueError, IndexError, KeyError, EOFError, AttributeError, struct.error):
        for _ in range(5):  # older files are several pickles, and then the numbers
            for _, argument, _ in pickletools.genops(stream):
                if isinstance(argument, str) and argument.rpartition(" ")[2] == "bytearray":
                    raise NetworkError(f"{path} holds an array of bytes, as no weights do; {REMEDY}")


def _unnested(state: object, path: Path) -> State:
    for key in NESTED_UNDER:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if isinstance(state, Mapping):
        tensors = {n: value for n, value in state.items() if isinstance(n, str) and isinstance(value, Tensor)}
        if tensors:
            return tensors
        keys = ", ".join(shortened(repr(key)) for key in list(state)[:8]) or "none"
        raise NetworkError(f"{path} holds no tensors; its keys are {keys}; {REMEDY}")
    raise NetworkError(f"{path} holds a {type(state).__name__}, not a state dict; {REMEDY}")


def _without_prefix(state: State) -> State:
    """The state dict without what wrappers such as DataParallel put before every name."""
    while prefix := next((p for p in PREFIXES if state and all(name.startswith(p) for name in state)), None):
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _present(name: str, names: dict[str, str]) -> str:
    """What a network calls the weight that a file calls ``name``; the name itself where it has none."""
    known_as = (name, *(re.sub(former, now, name) for former, now in FORMER_NAMES))
    return next((names[known] for known in known_as if known in names), name)


def fill(network: nn.Module, state: State, source: str) -> None:
    """Load a state dict that must hold every weight of a network; a NetworkError lists names and shapes that differ."""
    own = network.state_dict()
    # The network may be wrapped too, so names are compared without prefixes on both sides.
    names = dict(zip(_without_prefix(own), own, strict=True))
    state = {_present(name, names): value for name, value in state.items()}
    shapes = [
        f"{name} is {tuple(state[name].shape)}, the network's {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    # Old checkpoints lack the counters that batch norm keeps; nothing in evaluation reads them.
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    problems = [
        f"{len(names)} {kind} ({'; '.join(map(shortened, names[:3]))}{'; …' if len(names) > 3 else ''})"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise NetworkError(
            f"{source} does not fit {type(network).__name__}: {', '.join(problems)}; "
            "name the network that was trained, or build it yourself: package.module:function"
        )
    own.update(state)  # which keeps the versions of the modules, since some of them insist on theirs
    network.load_state_dict(own)
    if any(not torch.isfinite(value).all() for value in state.values() if value.is_floating_point()):
        raise NetworkError(f"{source} holds weights that are not finite (NaN or infinite); take an earlier checkpoint")
