"""LRP's rules: what a call passes on is a share of the score, and what stays behind is counted."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ..autograd import gradient
from .calls import Call, given
from .composites import OF_PIXELS, Layer, Rule
from .multipliers import softmax_tangent
from .operations import ADDING, GATES, RESCALING
from .propagation import Propagation, in_place, normalises_by_constants, softmax_dim, written
from .unseen import check_seen
from .weights import WeightsCall, is_of_input, kind_of, merged, passed, weights_call

Box = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class _Tag:
    """What is known of a tensor, as long as nobody writes into it."""

    version: int = -1
    gate: int = 0  # of two that are multiplied the higher is a gate
    box: Box | None = None  # of pixels: relevance itself passes to them; the least and largest that they can be
    made_by: WeightsCall | None = None


class _Relevance(Propagation):
    """A pass whose gradient by the pixels is their relevance.

    Between the layers the gradient is relevance for each unit of the activation, so that what is linear needs no rule.
    """

    method = "LRP"

    def __init__(self, composite: Mapping[Layer, Rule], epsilon: float, opens_attention: bool) -> None:
        super().__init__()
        self.composite, self.epsilon, self.opens_attention = composite, epsilon, opens_attention
        self.tags: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self.kept: Counter[str] = Counter(biases=0.0, epsilon=0.0)

    def tag(self, z: Tensor) -> _Tag:
        """What is known of a tensor."""
        tag = self.tags.get(z)
        return tag if tag is not None and tag.version == z._version else _Tag()

    def mark(self, output: Any, **known: Any) -> Any:
        """Remember something of a result."""
        if isinstance(output, Tensor):
            self.tags[output] = _Tag(output._version, **known)
        return output

    def stays(self, what: str, output: Tensor, share: Tensor) -> None:
        """Count what does not pass on of an output's relevance: a share for each unit of its gradient."""
        if share.any():
            output.register_hook(lambda above: self.kept.update({what: float((above * share).sum())}))

    def reference(self, call: Call) -> list[Tensor]:
        """Zero."""
        return [torch.zeros_like(z) for z in call.dependents]

    def _activations(self, call: Call) -> Call:
        """The call with relevance for each unit also of the pixels among its inputs."""
        boxes = [self.tag(z).box for z in call.dependents]
        if not any(boxes):
            return call
        if in_place(call):
            raise self.refused(call, "in place on the picture itself")
        pairs = zip(call.dependents, boxes, strict=True)
        return call.changed(*(z if box is None else given(z, z * z.detach()) for z, box in pairs))

    def structure(self, call: Call) -> Any:
        """Rearranged values are still pixels, or gates."""
        boxes = [self.tag(z).box for z in call.dependents]
        if not all(boxes):
            return self._affine(self._activations(call))
        output = call.plain()
        low, high = (call.run(*bounds) if not in_place(call) else None for bounds in zip(*boxes, strict=True))
        parts = zip(output, low, high, strict=True) if isinstance(output, list | tuple) else [(output, low, high)]
        for part, least, largest in parts:
            self.mark(part, box=(least, largest))
        return output

    def linear(self, call: Call) -> Any:
        """Pixels that are shifted or scaled alone keep their relevance."""
        boxes = [self.tag(z).box for z in call.dependents]
        if len(boxes) == 1 and boxes[0] is not None and call.name in RESCALING:
            return self._rescaled(call, boxes[0])
        return self._affine(self._activations(call))

    def _rescaled(self, call: Call, box: Box) -> Tensor:
        (z,) = call.dependents
        with torch.no_grad():
            output = call.run(z.clone())
            bounds = [call.run(bound.clone()) for bound in box]
        if output.shape != z.shape:
            return self._affine(self._activations(call))
        result = written(in_place(call), z, given(output, z))
        return self.mark(result, box=(torch.minimum(*bounds), torch.maximum(*bounds)))

    def _affine(self, call: Call) -> Any:
        """What is added to activations keeps its part of the relevance; what is made of gates alone is a gate."""
        gate = min(self.tag(z).gate for z in call.dependents)
        start = self._start(call) if call.name in ADDING and call.has_constants else None
        output = call.plain()
        if start is not None:
            self.stays("biases", output, start)
        for part in output if isinstance(output, list | tuple) else [output]:
            self.mark(part, gate=gate)
        return output

    def _start(self, call: Call) -> Tensor:
        with torch.no_grad():
            return call.run(*(torch.zeros_like(z) for z in call.dependents))

    def weights(self, call: Call) -> Tensor:
        """A layer of weights, by the rule of the composite."""
        if not is_of_input(call):
            return super().weights(call)
        box = self.tag(call.dependents[0]).box
        first = None if box is None else self.composite.get("first")
        rule = first or self.composite[kind_of(call)]
        call = call if rule in OF_PIXELS else self._activations(call)
        with torch.no_grad():
            output = call.plain()
        return self._weighted(weights_call(call, rule, box), output)

    def _weighted(self, made: WeightsCall, z: Tensor) -> Tensor:
        found = passed(made, z.detach(), self.epsilon)
        output = given(z, found.stand_in)
        self.stays("biases", output, found.biases)
        self.stays("epsilon", output, found.epsilon)
        return self.mark(output, made_by=made)

    def compound(self, call: Call) -> Any:
        """Batch norm is one with the layer of weights before it."""
        if not normalises_by_constants(call):
            return super().compound(call)
        made = self.tag(call.dependents[0]).made_by
        both = merged(made, call) if made is not None and call.name == "batch_norm" else None
        if both is None:
            return self.linear(call)
        with torch.no_grad():
            output = call.plain()
        return self._weighted(both, output)

    def elementwise(self, call: Call) -> Tensor:
        """What a function gives at zero stays behind; one that has no value there lets nothing through."""
        call = self._activations(call)
        gate = GATES.get(call.name, 0)
        with torch.no_grad():
            start = call.run(*self.reference(call))
        if not torch.isfinite(start).all():
            output = call.plain()
            output.register_hook(lambda above: self._refuse_relevance(call, above))
        else:
            output = super().elementwise(call)
            self.stays("biases", output, start)
        return self.mark(output, gate=gate)

    def _refuse_relevance(self, call: Call, above: Tensor) -> None:
        if above.any():
            raise self.refused(call, "through which the score passes, since it has no value at zero")

    def selection(self, call: Call) -> Any:
        """The largest takes all, as in the gradient."""
        return self._activations(call).plain()

    def product(self, call: Call) -> Tensor:
        """Of a signal and a gate the signal takes all; of two signals each takes half."""
        gates = [self.tag(z).gate for z in call.dependents]
        call = self._activations(call)
        if len(gates) != 2 or gates[0] == gates[1]:
            output = super().product(call)
        else:
            with torch.no_grad():
                output = call.run(call.dependents[0].clone(), call.dependents[1])
            pairs = zip(call.dependents, gates, strict=True)
            first, second = (z.clone() if gate == min(gates) else z.detach().clone() for z, gate in pairs)
            through = call.run(first, second)
            output = written(in_place(call), call.dependents[0], given(output, through))
        return self.mark(output, gate=min(gates)) if len(gates) == 2 else output

    def quotient(self, call: Call) -> Tensor:
        """The divisor is a gate."""
        if len(call.places) != 2:
            return super().quotient(call)
        gates = [self.tag(z).gate for z in call.dependents]
        call = self._activations(call)
        above, below = call.dependents
        with torch.no_grad():
            output = call.run(above.clone(), below)
        result = written(in_place(call), above, given(output, above / below.detach()))
        return self.mark(result, gate=2 if gates[0] else 0)

    def softmax(self, call: Call) -> Tensor:
        """What softmax gives for zeros, or its tangent there, stays behind; multiplied with something it is a gate."""
        call = self._activations(call)
        opened, (z,) = self.opens_attention and call.name == "softmax", call.dependents
        if opened:
            values = call.plain().detach()
            tangent = softmax_tangent(z, values, softmax_dim(call))
            output, start = given(values.clone(), tangent), values - tangent.detach()
        else:
            output, start = super().softmax(call), self._start(call)
        self.stays("biases", output, start)
        return self.mark(output, gate=0 if opened else GATES.get(call.name, 0))


@dataclass(frozen=True)
class Conserved:
    """Relevance, and where the rest of the scores is."""

    relevance: Tensor  # (N, ...), of each input
    scores: Tensor  # (N,)
    biases: float  # what biases and other constants keep of all scores together
    epsilon: float  # what the stabiliser keeps


def relevance_of(
    score: Callable[[Tensor], Tensor],
    inputs: Tensor,
    network: object,
    composite: Mapping[Layer, Rule],
    *,
    epsilon: float = 1e-6,
    opens_attention: bool = False,
) -> Conserved:
    """The relevance of inputs (N, ...) for their (N,) scores, by a composite of rules.

    ``opens_attention`` says that the weights of attention take half of the relevance, and pass it on.

    Raises:
        NetworkError: an operation without a rule, which the message names, or one that cannot be seen.
    """
    source, dims = inputs.detach().requires_grad_(), tuple(range(1, inputs.dim()))
    low, high = inputs.detach().amin(dims, keepdim=True).clamp(max=0), inputs.detach().amax(dims, keepdim=True)
    mode = _Relevance(composite, epsilon, opens_attention)
    start = mode.mark(source.clone(), box=(low.expand_as(inputs), high.clamp(min=1).expand_as(inputs)))
    with mode:
        scores = score(start)
    check_seen(mode.method, scores, network)
    found = gradient(scores, source)
    return Conserved(found, scores.detach(), mode.kept["biases"], mode.kept["epsilon"])
