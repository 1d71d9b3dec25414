"""DeepLIFT's rules: the reference of every call is what it got in a pass of the baseline."""

from collections.abc import Callable

import torch
from torch import Tensor

from ...errors import NetworkError
from ..autograd import gradient
from .calls import Call
from .propagation import Propagation
from .unseen import check_seen


class _Baseline(Propagation):
    """A pass of the baseline, which keeps what the calls that are not linear get."""

    method = "DeepLIFT"

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, list[Tensor]]] = []

    def reference(self, call: Call) -> None:
        """Keep the inputs; they are cloned, since a later call may change them in place."""
        self.kept.append((call.name, [z.detach().clone() for z in call.dependents]))


class _Difference(Propagation):
    """A pass of the picture beside that of its baseline."""

    method = "DeepLIFT"

    def __init__(self, kept: list[tuple[str, list[Tensor]]]) -> None:
        super().__init__()
        self.waiting = list(reversed(kept))

    def reference(self, call: Call) -> list[Tensor]:
        """What the same call got in the pass of the baseline."""
        name, references = self.waiting.pop() if self.waiting else ("", [])
        shapes = [z.shape for z in call.dependents]
        if name != call.name or [z0.shape for z0 in references] != shapes:
            raise NetworkError(
                "DeepLIFT compares a picture with a baseline call by call, and this network makes other calls for the "
                "one than for the other; integrated gradients take any network"
            )
        return references


def difference_gradient(
    score: Callable[[Tensor], Tensor], inputs: Tensor, baseline: Tensor, network: object, *, reveal_cancel: bool = False
) -> Tensor:
    """Multipliers (N, ...): times ``inputs - baseline`` they add up to the difference of the (N,) scores.

    Raises:
        NetworkError: an operation without a rule, which the message names, or one that cannot be seen.
    """
    recording = _Baseline()
    # Nobody goes back through this pass, so what its calls would keep for that is dropped at once.
    with torch.autograd.graph.saved_tensors_hooks(lambda _: None, lambda _: None), recording:
        score(baseline.detach().requires_grad_())
    source = inputs.detach().requires_grad_()
    with _Difference(recording.kept) as mode:
        scores = score(source)
    check_seen(mode.method, scores, network)
    return gradient(scores, source)
