"""Networks that only answer: a command, or an address of this machine, that is shown pictures."""

import json
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from ..errors import NetworkError, address_hint, shortened
from ..images.files import encode, to_pil
from ..labels.names import Labels

COMMAND = "command:"
HERE = ("localhost", "127.0.0.1", "::1")
WEIGHTS = (".pt", ".pth", ".safetensors", ".bin", ".onnx")  # an address of these is a file, and nobody to ask
PATIENCE = 60  # seconds for one answer
MOST_CLASSES = 1000  # where an answer names a class, and nobody says how many there are


class Answers(nn.Module):
    """A network without weights or gradients: it shows pictures to something else, and turns answers into logits.

    Each picture is sent as a PNG, on the standard input of the command or as the body of a POST. The answer is JSON: a
    list with a score for every class, the index or the name of one class, or an object with "scores" or "label". Scores
    that are probabilities become their logarithms in the `Classifier`; a class becomes logits of 1 for it and 0 for
    the others.

    Args:
        name: "command:./classify --fast", or "http://127.0.0.1:8000/classify".
        labels: the names of the classes, where answers are names, or to say how many there are.

    Raises:
        NetworkError: an address elsewhere; and when called, an answer that does not come, or is none.
    """

    def __init__(self, name: str, labels: Labels | None = None) -> None:
        super().__init__()
        self.shown, self.names = name, labels
        # Its weights are unknown: what stands for them, where results say what made them, is its name.
        self.register_buffer("name", torch.tensor(list(name.encode()), dtype=torch.uint8))
        self._ask = _ask_command(name) if name.startswith(COMMAND) else _ask_address(name)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, 3, H, W) in [0, 1]."""
        if images.requires_grad:
            raise NetworkError(
                f"{self.shown} only answers and has no gradients; explain it by occlusion or rise, and attack it "
                "by square, one-pixel or hopskipjump"
            )
        rows = [self._logits(self._ask(_png(image[None]))) for image in images]
        if len({len(row) for row in rows}) > 1:
            raise NetworkError(f"{self.shown} gave scores of different numbers of classes")
        return torch.tensor(rows, device=images.device, dtype=images.dtype)

    def _logits(self, text: bytes) -> list[float]:
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise NetworkError(f"{self.shown} answered {_short(text)!r}, which is not JSON") from error
        if isinstance(answer, dict):
            answer = answer.get("scores", answer.get("label"))
        if isinstance(answer, list) and len(answer) > 1 and all(map(_is_number, answer)):
            return [float(score) for score in answer]
        index = self._index(answer)
        classes = len(self.names) if self.names is not None else MOST_CLASSES
        if index is None or not 0 <= index < classes:
            raise NetworkError(
                f"{self.shown} answered {_short(text)!r}: not a list of scores, nor one of {classes} classes; "
                "give their names with --labels (labels=… in Python)"
            )
        return [float(index == each) for each in range(classes)]

    def _index(self, answer: Any) -> int | None:
        if isinstance(answer, int) and not isinstance(answer, bool):
            return answer
        names = list(self.names or ())
        return names.index(answer) if answer in names else None


def _is_number(score: Any) -> bool:
    return isinstance(score, int | float) and not isinstance(score, bool)


def _png(image: Tensor) -> bytes:
    return encode(to_pil(image.detach().float().cpu()), ".png")


def _ask_command(name: str) -> Callable[[bytes], bytes]:
    words = shlex.split(name.removeprefix(COMMAND))
    if not words:
        raise NetworkError("command: needs a command behind it, such as command:./classify")

    def ask(picture: bytes) -> bytes:
        try:
            ran = subprocess.run(words, input=picture, capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise NetworkError(f"{name} gave no answer within {PATIENCE} seconds") from error
        except OSError as error:
            raise NetworkError(f"cannot run {words[0]}: {error.strerror or error}") from error
        if ran.returncode:
            said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            raise NetworkError(f"{name} failed with status {ran.returncode}{': ' + said[-1][:200] if said else ''}")
        return ran.stdout

    return ask


def _ask_address(name: str) -> Callable[[bytes], bytes]:
    address = urlsplit(name)
    if address.hostname not in HERE:
        remedy = address_hint(name) if address.path.lower().endswith(WEIGHTS) else f"; only {', '.join(HERE)} are asked"
        raise NetworkError(f"{shortened(name, 200)} is not on this machine{remedy}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(picture: bytes) -> bytes:
        request = urllib.request.Request(name, picture, {"Content-Type": "image/png"})
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise NetworkError(f"no answer from {name}: {getattr(error, 'reason', None) or error}") from error

    return ask


def _short(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:80]
