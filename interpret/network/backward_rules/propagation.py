"""The pass in which DeepLIFT and LRP put stand-ins in the place of calls that are not linear."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...errors import NetworkError
from .calls import Call, call_of, given
from .compounds import COMPOUNDS
from .multipliers import secant, softmax_stand_in
from .operations import KINDS, opened, shown_name
from .selections import larger_given, largest_given, of_two


class Propagation(TorchFunctionMode):
    """Runs every call as it is, and lets the gradient pass through a stand-in, which is linear with the rule's slopes.

    A method says what the reference of a call is, and may treat some kinds otherwise.
    """

    method: str

    def reference(self, call: Call) -> list[Tensor] | None:
        """A reference for each dependent input of a call that is not linear; None where it has nothing to pass on."""
        raise NotImplementedError

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        call = call_of(func, args, kwargs)
        if not call.places:
            return self.finished(call, func(*args, **kwargs))
        kind = KINDS.get(call.name)
        if kind in (None, "compound", "softmax") and (body := opened(func, self)):
            return body(*args, **kwargs)
        return self.finished(call, self._unknown(call) if kind is None else getattr(self, kind)(call))

    def finished(self, call: Call, output: Any) -> Any:
        """What a call gives, for a method that wants to know it."""
        return output

    def _unknown(self, call: Call) -> Any:
        output = call.plain()
        parts = output if isinstance(output, list | tuple) else [output]
        if any(isinstance(part, Tensor) and part.requires_grad for part in parts):
            raise NetworkError(
                f"{self.method} has no rule for the operation {shown_name(call.func)}, which this network uses; "
                "integrated gradients take any network"
            )
        return output

    def refused(self, call: Call, why: str) -> NetworkError:
        """The error for a call that has a rule, but not with these arguments."""
        return NetworkError(
            f"{self.method} has no rule for the operation {shown_name(call.func)} {why}; "
            "integrated gradients take any network"
        )

    def linear(self, call: Call) -> Any:
        """A call that the gradient is right for."""
        return call.plain()

    def structure(self, call: Call) -> Any:
        """A call that moves values about."""
        return self.linear(call)

    def weights(self, call: Call) -> Tensor:
        """A layer of weights; where the weights depend on the picture themselves, a product."""
        if len(call.places) == 1:
            return self.linear(call)
        return self.product(call)

    def elementwise(self, call: Call) -> Tensor:
        """A function of single values."""
        if len(call.places) != 1:
            raise self.refused(call, "of two values that both depend on the picture")
        references = self.reference(call)
        if references is None:
            return call.plain()
        (z,) = call.dependents
        with torch.no_grad():
            value = z.clone()
            output = call.run(value)
            before = call.run(references[0].clone())
            steepness = secant(call.run, z, output, references[0], before)
        return written(output is value, z, given(output, z * steepness))

    def selection(self, call: Call) -> Any:
        """The largest or smallest of several values."""
        references = self.reference(call)
        if references is None:
            return call.plain()
        return larger_given(call, references) if of_two(call) else largest_given(call, *call.dependents, *references)

    def product(self, call: Call) -> Tensor:
        """A product of two results, or of a result and a constant."""
        if len(call.places) == 1:
            return self.linear(call)
        if len(call.places) > 2:
            raise self.refused(call, "of three results")
        references = self.reference(call)
        if references is None:
            return call.plain()
        first, second = call.dependents
        with torch.no_grad():
            middle, middle2 = ((z + z0) / 2 for z, z0 in zip(call.dependents, references, strict=True))
            # In place: neither may change before both have been read.
            output = call.run(first.clone(), second.clone())
        stand_in = call.run(_apart(call, first), middle2) + call.run(middle, second)
        return written(in_place(call), first, given(output, stand_in))

    def quotient(self, call: Call) -> Tensor:
        """A quotient: of y = a / b what changes is (a - mean(y) b) / mean(b), which no small b makes large alone."""
        args, kwargs = call.arguments
        if call.places == [0]:
            return self.linear(call)
        if kwargs.get("rounding_mode") or in_place(call) and call.places == [1]:
            raise self.refused(call, "with these arguments")
        if len(call.places) == 1:
            with self:
                return args[0] * args[1].reciprocal()
        references = self.reference(call)
        if references is None:
            return call.plain()
        above, below = call.dependents
        with torch.no_grad():
            output, before = call.run(above.clone(), below), call.run(references[0].clone(), references[1])
            middle, scale = (output + before) / 2, (below + references[1]) / 2
        return written(in_place(call), above, given(output, (above - middle * below) / scale))

    def softmax(self, call: Call) -> Tensor:
        """Softmax, its logarithm, and log-sum-exp."""
        references = self.reference(call)
        if references is None:
            return call.plain()
        (z,) = call.dependents
        output = call.plain()
        keepdim = output.dim() == z.dim()
        return given(output, softmax_stand_in(call.name, z, references[0], softmax_dim(call), keepdim))

    def compound(self, call: Call) -> Any:
        """A call that is written out in simpler ones."""
        args, kwargs = call.arguments
        if normalises_by_constants(call):
            return self.linear(call)
        with self:
            output = COMPOUNDS[call.name](*args, **kwargs)
        return written(in_place(call), args[0], output)


def softmax_dim(call: Call) -> int:
    """The dimension of a softmax or the like."""
    args, kwargs = call.arguments
    return args[1] if len(args) > 1 else kwargs["dim"]


def in_place(call: Call) -> bool:
    """Whether a call that is no activation writes into its first argument, by its name."""
    name = getattr(call.func, "__name__", "")
    return name.startswith("__i") or name.endswith("_") and not name.startswith("__")


def written(into: bool, target: Tensor, result: Tensor) -> Tensor:
    """A result; written into a target and returned as this where the call does so."""
    return target.copy_(result) if into else result


def _apart(call: Call, first: Tensor) -> Tensor:
    return first.clone() if in_place(call) else first


def normalises_by_constants(call: Call) -> bool:
    """Whether a call of `torch.batch_norm` or `torch.instance_norm` uses given statistics."""
    if call.name not in ("batch_norm", "instance_norm") or call.places != [0]:
        return False
    mean, own = call.leaves[3], call.leaves[5]
    return mean is not None and not own
