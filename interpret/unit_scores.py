"""A unit inside a network as what is explained: by which pixels it was excited, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from .errors import InterpretError, UnknownNameError
from .layer_outputs import check_channels

UNIT = re.compile(r"(\S+):(\d+)(?:@(\d+),(\d+))?")


@dataclass(frozen=True)
class unit:
    """What a channel of a layer gives, as a score to explain: its mean over all places, or its value at one.

    Where the picture excites it is for the methods that look at a layer, which then look at the unit's own by
    default; by which pixels is for the others, such as ``guided_backprop``.

    Args:
        layer: the layer's name, as `interp layers` lists it.
        channel: its number, counted from 0.
        place: row and column in the layer's map, counted from 0; all places by default.
    """

    layer: str
    channel: int
    place: tuple[int, int] | None = None
    of_output = True

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose maps the score is of."""
        return (self.layer,)

    def __call__(self, maps: Mapping[str, Tensor]) -> Tensor:
        self.seen_in(maps)
        own = maps[self.layer][:, self.channel]
        return own.mean((1, 2)) if self.place is None else own[:, self.place[0], self.place[1]]

    def seen_in(self, maps: Mapping[str, Tensor]) -> "unit":
        """The same score; a channel or a place that the layer does not have is refused, by an UnknownNameError."""
        found = maps[self.layer]
        check_channels([self.channel], found.shape[1], self.layer)
        if self.place is None:
            return self
        rows, columns = found.shape[2:]
        row, column = self.place
        if not (0 <= row < rows and 0 <= column < columns):
            raise UnknownNameError(
                f"the map of layer {self.layer!r} has no place {row},{column}: rows are 0 to {rows - 1}, columns 0 to "
                f"{columns - 1}"
            )
        return self

    def __str__(self) -> str:
        place = "" if self.place is None else f"@{self.place[0]},{self.place[1]}"
        return f"{self.layer}:{self.channel}{place}"


def unit_named(text: str) -> unit:
    """The unit that LAYER:CHANNEL or LAYER:CHANNEL@ROW,COLUMN means; InterpretError where that is not what it says."""
    found = UNIT.fullmatch(text.strip())
    if found is None:
        raise InterpretError(f"cannot read the unit {text!r}; say for example layer3:44, or layer3:44@7,3 at one place")
    return unit(found[1], int(found[2]), None if found[3] is None else (int(found[3]), int(found[4])))
