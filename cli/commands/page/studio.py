"""What all parts of the page share: the network, the pictures, and how a line of the shell is read."""

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError

from ...job.results import Outputs
from ...options.messages import Messages
from ...options.network import ModelOptions
from ...options.record import read_words
from .gallery import Gallery, Picture
from .lru import Lru

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared

MADE = 256 * 2**20  # bytes of maps and other results that are kept
FILES = 256 * 2**20  # bytes of files that are kept
TOP = 5  # predictions


class Said(Messages):
    """What a command says, kept for the page; what fails is raised."""

    def __init__(self) -> None:
        super().__init__(quiet=True, verbose=0)
        object.__setattr__(self, "lines", [])

    def note(self, *lines: str) -> None:
        """Keep lines."""
        self.lines.extend(lines)

    def failure(self, shown: str, error: Exception) -> None:
        """Raise the error of a picture."""
        raise error


@dataclass(frozen=True)
class File:
    """A file as a command would write it, and what the page is told beside it."""

    name: str
    content: bytes
    about: dict[str, Any] = field(default_factory=dict)
    values: bytes = b""  # of a map: what the page shows under the pointer, float32, row by row

    def __len__(self) -> int:
        return len(self.content) + len(self.values) + 1000


@dataclass(frozen=True)
class Studio:
    """The network of the page, its pictures, and what was made of them lately."""

    classifier: "Classifier"
    model: ModelOptions
    words: Sequence[str]  # the network's options in the shell
    parent: click.Context  # of `interp`, with the defaults of a configuration
    gallery: Gallery
    data: Sequence[str] = ()  # the words for the pictures that units are looked for in; the bundled ones by default
    recursive: bool = False
    made: Lru = field(default_factory=lambda: Lru(MADE))
    files: Lru = field(default_factory=lambda: Lru(FILES))

    def line(self, *words: str) -> str:
        """A line for the shell, with the network's options."""
        return shlex.join(["interp", *words, *self.words])

    def read(self, *words: str) -> dict[str, Any]:
        """What a command would be given for a line of the shell: records of options, by parameter.

        The page is bound to the options, defaults and complaints of the command in this way.
        """
        context, left = self.parent, [*words, *self.words]
        while isinstance(group := context.command, click.Group):
            name = left.pop(0)
            command = group.get_command(context, name)
            if command is None:
                raise InterpretError(f"there is no command {name!r}")
            if not isinstance(command, click.Group):
                return read_words(command, left, context)
            context = click.Context(command, info_name=name, parent=context)
        raise InterpretError("this is no command")

    def outputs(self, picture: Picture) -> Outputs:
        """What names the files that a command would write for a picture; nothing is written."""
        return Outputs(None, [picture])

    def prepared(self, picture: Picture) -> "Prepared":
        """A picture, laid on the network's input grid."""
        from interpret.datasets.batches import batches

        def make() -> "Prepared":
            return next(iter(batches([picture], self.classifier, read=Picture.read_stored, bar=False)))[0]

        key = "prepared", picture.id, picture.version
        return self.made.get(key, make, lambda made: made.inputs.nbytes)

    def predictions(self, picture: Picture) -> list[dict[str, Any]]:
        """What the network sees, as `interp predict` tells it."""
        from ..predict import top_of

        key = "predictions", picture.id, picture.version
        return self.made.get(key, lambda: top_of(self.classifier, [self.prepared(picture)], TOP)[0], lambda rows: 500)

    def default_layer(self) -> str:
        """The last feature map."""
        from interpret.layer_outputs import layer_of

        def make() -> str:
            import torch

            view = self.classifier.on_inputs()
            height, width = self.classifier.input_size or (224, 224)
            return layer_of(view, torch.full((1, len(view.mean), height, width), 0.5, device=view.mean.device), None)

        return self.made.get("default layer", make)

    def keep_file(self, key: Any, file: File) -> str:
        """Keep a file for the page; its name there."""
        name = address(key)
        self.files.keep(name, file, len(file))
        return name


def address(key: Any) -> str:
    """The name of a file on the page, by all that it was made from."""
    return hashlib.sha256(repr(key).encode()).hexdigest()[:32]


def safe(word: str) -> str:
    """A word that the page chose, as the value of an option; one that looks like an option is refused."""
    if word.startswith("-") or len(word) > 200 or "\0" in word:
        raise InterpretError(f"{word[:40]!r} is no name")
    return word


@contextmanager
def as_chosen(what: str) -> Iterator[None]:
    """A block whose complaints about numbers of the page are one sentence."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise InterpretError(f"{what}: {error}") from error
