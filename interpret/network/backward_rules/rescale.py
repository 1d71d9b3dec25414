"""DeepLIFT's rules: the reference of every call is what it got in a pass of the baseline."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ...errors import NetworkError
from .calls import Call, depends, given
from .multipliers import secant
from .operations import MASKING, RESCALING
from .propagation import Propagation, in_place, written

_OTHER_CALLS = (
    "DeepLIFT compares a picture with a baseline call by call, and this network makes other calls for the one than for "
    "the other; integrated gradients take any network"
)


class _Compared(Propagation):
    """One of the two passes; both see the same calls, and which tensors follow from the picture without a gradient."""

    method = "DeepLIFT"

    def __init__(self) -> None:
        super().__init__()
        self.following: WeakTensorKeyDictionary = WeakTensorKeyDictionary()

    def finished(self, call: Call, output: Any) -> Any:
        """Masks, indices and detached tensors follow from the picture, and what is made of these too."""
        if call.places or self.followers(call):
            for part in output if isinstance(output, list | tuple) else [output]:
                if isinstance(part, Tensor) and not depends(part):
                    self.following[part] = True
        return output

    def followers(self, call: Call) -> list[Tensor]:
        """The arguments that follow from the picture without a gradient."""
        return [
            leaf for leaf in call.leaves if isinstance(leaf, Tensor) and leaf in self.following and not depends(leaf)
        ]


class Baseline(_Compared):
    """The pass of the baseline, which keeps what the other one compares with."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, list[Tensor]]] = []

    def keep(self, call: Call, *tensors: Tensor) -> None:
        """Keep tensors for a call; they are cloned, since a later call may change them in place."""
        self.kept.append((call.name, [z.detach().clone() for z in tensors]))

    def reference(self, call: Call) -> None:
        """Keep the inputs."""
        self.keep(call, *call.dependents)

    def linear(self, call: Call) -> Any:
        """Keep also what masks and indices are, and what comes of them."""
        followers = self.followers(call)
        before = [z.detach().clone() for z in call.dependents] if followers else []
        output = call.plain()
        if followers:
            self.keep(call, *before, *followers, *([output] if isinstance(output, Tensor) else []))
        return output


class Difference(_Compared):
    """The pass of the picture, beside that of its baseline."""

    def __init__(self, kept: list[tuple[str, list[Tensor]]]) -> None:
        super().__init__()
        self.waiting = list(reversed(kept))

    def kept(self, call: Call, *tensors: Tensor) -> list[Tensor]:
        """What the same call kept in the pass of the baseline, which begins with tensors of these shapes."""
        name, references = self.waiting.pop() if self.waiting else ("", [])
        if name != call.name or [z0.shape for z0 in references[: len(tensors)]] != [z.shape for z in tensors]:
            raise NetworkError(_OTHER_CALLS)
        return references

    def check_end(self) -> None:
        """Refuse a network that made more calls for the baseline."""
        if self.waiting:
            raise NetworkError(_OTHER_CALLS)

    def reference(self, call: Call) -> list[Tensor]:
        """What the same call got in the pass of the baseline."""
        return self.kept(call, *call.dependents)

    def linear(self, call: Call) -> Any:
        """Where a mask differs from that of the baseline, the slope between the two."""
        followers = self.followers(call)
        if not followers:
            return call.plain()
        references = self.kept(call, *call.dependents, *followers)
        start = len(call.places)
        if all(map(torch.equal, followers, references[start:])):
            return call.plain()
        if len(call.places) != 1 or call.name not in (*RESCALING, *MASKING):
            raise self.refused(call, "by what follows from the picture without a gradient")
        (z,) = call.dependents
        with torch.no_grad():
            output = call.run(z.clone())
            if output.shape != z.shape:
                raise self.refused(call, "by what follows from the picture without a gradient")
            steepness = secant(call.run, z, output, references[0], references[-1])
        return written(in_place(call), z, given(output, z * steepness))
