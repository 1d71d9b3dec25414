"""Kernel SHAP (Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874), by captum."""

from typing import Any

import torch
from torch import Tensor, nn

from ..geometry import Geometry
from ..images.baselines import baseline_for
from ..images.superpixels import superpixels
from ..scores import Target
from .contract import check_pictures, explainer
from .from_captum import one_by_one, quietly, score_of_row, seeded


@explainer(Geometry.undo)
def kernel_shap(
    classifier: nn.Module,
    images: Tensor,
    target: Target,
    *,
    pieces: int = 50,
    samples: int = 500,
    baseline: str | float | Tensor = "grey",
    seed: int = 0,
    max_batch: int = 32,
) -> Tensor:
    """How much each piece of the picture adds to the score, from which pieces are shown at random.

    The picture is divided into pieces of similar colour. Random sets of them are shown, and the others
    are filled; a weighted linear fit of the scores estimates each piece's Shapley value (theorem 2).

    Args:
        classifier: the classifier to explain.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.
        pieces: about how many pieces.
        samples: how many random sets: several times the number of pieces.
        baseline: what hidden pieces are filled with: grey, black, white, mean, blur, uniform or a number.
        seed: of the sets.
        max_batch: how many passes are made at once.

    Returns:
        (N, 1, H, W) attribution, signed, in units of the logit, the same at each pixel of a piece.
    """
    from captum.attr import KernelShap

    check_pictures(images)
    fill = baseline_for(baseline, classifier, images, seed)

    def explain(image: Tensor, row: int) -> Tensor:
        method = KernelShap(score_of_row(classifier, target, row))
        method.interpretable_model = LeastSquares()
        mask = superpixels(image[0], pieces)[None, None].expand(1, image.shape[1], -1, -1)
        with seeded(seed), torch.no_grad():
            attribution = method.attribute(
                image,
                fill[row : row + 1],
                feature_mask=mask,
                n_samples=samples,
                perturbations_per_eval=max_batch,
            )
        return attribution[:, :1].to(image)  # captum keeps float32, though the fit is made in double precision

    with quietly():
        return one_by_one(explain, images)


class LeastSquares:
    """The weighted linear fit, with the interface that captum asks for; captum's own needs scikit-learn."""

    def fit(self, data: Any, **_: Any) -> dict[str, float]:
        """Fit to the (features, scores, weights) of a data loader."""
        features, scores, weights = (torch.cat(parts).double() for parts in zip(*data, strict=True))
        design = torch.cat([features, torch.ones_like(features[:, :1])], 1)
        root = weights.flatten().sqrt()[:, None]
        fitted = torch.linalg.lstsq(design * root, scores.view(-1, 1) * root, driver="gelsd").solution
        self.weights = fitted[:-1, 0]
        return {}

    def representation(self) -> Tensor:
        """The weight of each feature."""
        return self.weights
