"""Figures of attacks: pictures before and after, the change between them, and what explains the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..explainers import explainer_named
from ..explainers.gradcam import gradcam
from ..faithfulness.similarity import rank_correlation
from ..images.files import to_pil
from ..network.hooks import left_as_found
from .display import overlay, own_colours
from .panels import Panel, panel_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 4  # pictures in the figure of a shared change


def attack_figure(classifier: Classifier, image: Tensor, adversarial: Tensor) -> Figure:
    """The clean picture, the change magnified around grey, the adversarial one, and the Grad-CAM of both.

    The rank correlation of the two maps, inside the part that the network sees, says how far the map has moved.

    Args:
        classifier: the classifier that was attacked.
        image: (1, 3, H, W) in [0, 1], the clean picture.
        adversarial: (1, 3, H, W) in [0, 1], the attacked one.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    before, after = (_prediction(classifier, images) for images in (image, adversarial))
    maps = [gradcam(classifier, image, before[1]), gradcam(classifier, adversarial, after[1])]
    seen = classifier.prepare(image)[1].seen()
    alike = float(rank_correlation(*(found[..., seen][:, None] for found in maps)))
    change = (adversarial - image).cpu()
    largest = float(change.abs().max())
    size = f" x {0.5 / largest:.0f}\nat most {largest * 255:.3g} of 255 levels" if largest else "\nnone"
    clean, changed = (
        overlay(images.cpu(), found.cpu(), seen=seen) for images, found in zip((image, adversarial), maps, strict=True)
    )
    panels = [
        Panel(to_pil(image.cpu()), f"{before[0]}\n{before[2]:.1%}"),
        Panel(own_colours(change), f"the change{size}"),
        Panel(to_pil(adversarial.cpu()), f"{after[0]}\n{after[2]:.1%}"),
        Panel(clean, f"Grad-CAM before\n{before[0]}"),
        Panel(changed, f"Grad-CAM after (rank corr. {alike:.2f})\n{after[0]}"),
    ]
    return _row(panels, side=2.5, above=0.55, fontsize=10)


def explanation_figure(
    classifier: Classifier, image: Tensor, adversarial: Tensor, *, method: str = "gradcam", layer: str | None = None
) -> Figure:
    """A picture before and after an attack on its explanation, and what the method shows of each.

    Args:
        classifier: the classifier that was attacked.
        image: (1, 3, H, W) in [0, 1], the clean picture, whose predicted class is explained in both.
        adversarial: (1, 3, H, W) in [0, 1], the attacked one.
        method: a name of the table EXPLAINERS, of a method that looks at a layer.
        layer: the layer; the method's default by default.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    name, label, _ = _prediction(classifier, image)
    seen, explain = classifier.prepare(image)[1].seen(), explainer_named(method)
    panels = []
    for images, when in ((image, "clean"), (adversarial, "attacked")):
        found = explain(classifier, images, label, layer=layer).cpu()
        probability = float(_probabilities(classifier, images)[0, label])
        panels.append(Panel(to_pil(images.cpu()), f"{when}: {name} {probability:.0%}"))
        panels.append(Panel(overlay(images.cpu(), found, seen=seen), f"{method.replace('_', '-')}, {when}"))
    return _row(panels, side=3, above=0.4, fontsize=11)


def shared_change_figure(classifier: Classifier, change: Any, images: Tensor, changed: Tensor, *, title: str) -> Figure:
    """One change made for all pictures, and some pictures with it, under their predictions before and after.

    Args:
        classifier: the classifier that was attacked.
        change: the change as a Pillow picture.
        images: (N, 3, H, W) in [0, 1], clean pictures, of which the first four are shown.
        changed: (N, 3, H, W) in [0, 1], the same with the change.
        title: stands above the change.

    Returns:
        A matplotlib Figure that is not known to pyplot.
    """
    before, after = (_probabilities(classifier, batch[:MOST]).max(1) for batch in (images, changed))
    panels = [Panel(change, f"{title}\n")]
    for number, picture in enumerate(changed[:MOST].cpu().split(1)):
        first, then = (classifier.name(int(top.indices[number])) for top in (before, after))
        words = f"{first}\n-> {then} {float(after.values[number]):.0%}"
        panels.append(Panel(to_pil(picture.expand(-1, 3, -1, -1)), words))
    return panel_figure([panels], (2.6 * len(panels), 3.1))


def _row(panels: Sequence[Panel], *, side: float, above: float, fontsize: int) -> Figure:
    """Pictures of one size beside each other, each ``side`` inches wide, with room above them for their titles."""
    width, height = panels[0].picture.size
    size = len(panels) * side, side * min(max(height / width, 0.4), 2) + above
    return panel_figure([panels], size, title={"fontsize": fontsize})


def _probabilities(classifier: Classifier, images: Tensor) -> Tensor:
    with left_as_found(classifier, images.device), torch.no_grad():
        return classifier(images).softmax(1)


def _prediction(classifier: Classifier, images: Tensor) -> tuple[str, Tensor, float]:
    """The name of the class predicted for one picture, its index (1,), and its probability."""
    top = _probabilities(classifier, images).max(1)
    return classifier.name(int(top.indices)), top.indices, float(top.values)
