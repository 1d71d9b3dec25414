"""Finer-CAM (Zhang et al. 2025, https://arxiv.org/abs/2501.11309)."""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from ..class_indices import class_indices
from ..errors import InterpretError
from ..geometry import Geometry
from ..network.autograd import gradient
from ..scores import Target, target_of
from .contract import activations_and_score, explainer, weighted_map


@dataclass(frozen=True)
class _Difference:
    """How far a class's logit is above those of the classes with the nearest logits."""

    target: Target
    strength: float
    similar: int

    def __call__(self, logits: Tensor) -> Tensor:
        if logits.shape[1] < 2:
            raise InterpretError("Finer-CAM compares a class with similar ones, and this network has a single output")
        chosen = class_indices(logits, self.target)[:, None]
        own = logits.gather(1, chosen)
        apart = (logits - own).detach().abs().scatter(1, chosen, -1)
        theirs = logits.gather(1, apart.argsort(dim=1, stable=True)[:, 1 : 1 + self.similar])
        return (theirs.softmax(1) * (own - self.strength * theirs)).sum(1)

    def of_rows(self, rows: Tensor) -> "_Difference":
        """The same score for the images with these numbers."""
        return replace(self, target=target_of(self.target, rows))

    def of_task(self, task: str) -> "_Difference":
        """The same score, whatever the task."""
        return self


@explainer(Geometry.undo)
def finercam(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    layer: str | None = None,
    strength: float = 1.0,
    similar: int = 3,
    relu: bool = True,
) -> Tensor:
    """Where the features are that tell the class from those it is most easily taken for.

    Grad-CAM of how far the class's logit is above those of similar classes: the ones whose logits are nearest to its
    own, each with a weight in proportion to its probability. What they share cancels.

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image.
        layer: name of the layer to look at; the last feature map by default.
        strength: by what the similar classes' logits are multiplied; at 0 it is Grad-CAM.
        similar: how many similar classes.
        relu: cut the map at zero, as the paper does; without it, what speaks for the others is negative.

    Returns:
        (N, 1, H, W) attribution, at least zero with relu, in units of the logit.

    Raises:
        InterpretError: a score that is no class, or a network with a single output.
        NetworkError: the network has no feature map.
    """
    if callable(target):
        raise InterpretError("Finer-CAM compares a class with similar ones, so it explains classes and no other score")
    activations, score = activations_and_score(classifier, images, _Difference(target, strength, similar), layer)
    weights = gradient(score, activations).mean((2, 3), keepdim=True)
    return weighted_map(activations, weights, relu)
