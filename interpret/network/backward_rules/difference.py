"""DeepLIFT's multipliers: two passes, of a baseline and of a picture, and the way back."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..autograd import gradient
from .rescale import Baseline, Difference
from .reveal_cancel import RevealBaseline, RevealDifference
from .unseen import check_seen


def difference_gradient(
    score: Callable[[Tensor], Tensor], inputs: Tensor, baseline: Tensor, network: object, *, reveal_cancel: bool = False
) -> Tensor:
    """Multipliers (N, ...): times ``inputs - baseline`` they add up to the difference of the (N,) scores.

    Raises:
        NetworkError: an operation without a rule, which the message names, or one that cannot be seen.
    """
    recording = RevealBaseline() if reveal_cancel else Baseline()
    # Nobody goes back through this pass, so what its calls would keep for that is dropped at once.
    with torch.autograd.graph.saved_tensors_hooks(lambda _: None, lambda _: None), recording:
        score(baseline.detach().requires_grad_().clone())
    source = inputs.detach().requires_grad_()
    mode = RevealDifference(recording.kept) if reveal_cancel else Difference(recording.kept)
    with mode:
        scores = score(source.clone())
    mode.check_end()
    check_seen(mode.method, scores, network)
    return gradient(scores, source)
