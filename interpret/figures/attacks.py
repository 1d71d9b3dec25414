"""Figures of attacks: a picture before and after, the change between them, and where the network looks."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..classifier import Classifier
from ..errors import shortened
from ..explainers import explainer_named, title_of
from ..faithfulness.similarity import rank_correlation
from ..images.files import to_pil
from ..network.hooks import left_as_found
from .display import overlay, own_colours
from .panels import Panel, panel_figure
from .plain_text import plain_text

MOST = 4  # pictures in the figure of a shared change


@plain_text
def attack_figure(classifier: Classifier, image: Tensor, adversarial: Tensor) -> Figure:
    """The clean picture, the change magnified around grey, the adversarial one, and the Grad-CAM of both.

    How far the map has moved with the answer is the rank correlation of the two where the network sees.

    Args:
        classifier: what was attacked.
        image: (1, 3, H, W) in [0, 1], the clean picture.
        adversarial: (1, 3, H, W), the attacked one.
    """
    photos, names, maps, seen = [], [], [], classifier.prepare(image)[1].seen()
    for picture in (image, adversarial):
        probability, label = _probabilities(classifier, picture).max(1)
        names.append(shortened(classifier.name(int(label))))
        photos.append(Panel(to_pil(picture.cpu()), f"{names[-1]}\n{float(probability):.1%}"))
        maps.append(explainer_named("gradcam")(classifier, picture, label).cpu())
    correlation = float(rank_correlation(*(values[..., seen][:, None] for values in maps)))
    change = (adversarial - image).cpu()
    largest = float(change.abs().max())
    size = f" x {0.5 / largest:.0f}\nat most {largest * 255:.3g} of 255 levels" if largest else "\nnone"
    panels = [
        photos[0],
        Panel(own_colours(change), f"the change{size}"),
        photos[1],
        Panel(overlay(image.cpu(), maps[0], seen=seen), f"Grad-CAM before\n{names[0]}"),
        Panel(
            overlay(adversarial.cpu(), maps[1], seen=seen), f"Grad-CAM after (rank corr. {correlation:.2f})\n{names[1]}"
        ),
    ]
    return _row(panels, side=2.5, above=0.55, fontsize=10)


@plain_text
def explanation_figure(
    classifier: Classifier, image: Tensor, adversarial: Tensor, *, method: str = "gradcam", layer: str | None = None
) -> Figure:
    """A picture before and after an attack on its explanation, and what the method shows of each.

    Args:
        classifier: what was attacked.
        image: (1, 3, H, W) in [0, 1], the clean picture, whose predicted class is explained in both.
        adversarial: (1, 3, H, W), the attacked one.
        method: a name of the table EXPLAINERS whose maps are made from a layer.
        layer: the layer's name; the method's default otherwise.
    """
    label = _probabilities(classifier, image).argmax(1)
    name, seen = shortened(classifier.name(int(label))), classifier.prepare(image)[1].seen()
    panels = []
    for picture, when in ((image, "clean"), (adversarial, "attacked")):
        probability = float(_probabilities(classifier, picture)[0, label])
        attribution = explainer_named(method)(classifier, picture, label, layer=layer).cpu()
        panels.append(Panel(to_pil(picture.cpu()), f"{when}: {name} {probability:.0%}"))
        panels.append(Panel(overlay(picture.cpu(), attribution, seen=seen), f"{title_of(method)}, {when}"))
    return _row(panels, side=3, above=0.4, fontsize=11)


@plain_text
def shared_change_figure(
    classifier: Classifier, change: Image.Image, images: Tensor, changed: Tensor, *, title: str
) -> Figure:
    """A change made for all pictures, and a few pictures with it; their titles are the classes before and after it.

    Args:
        classifier: what was attacked.
        change: a picture of the change.
        images: (N, 3, H, W) in [0, 1], clean pictures; the first four are shown.
        changed: (N, 3, H, W), the same with the change.
        title: above the change.
    """
    before, after = (_probabilities(classifier, batch[:MOST]).max(1) for batch in (images, changed))
    panels = [Panel(change, f"{title}\n")]
    for number, picture in enumerate(changed[:MOST].cpu().split(1)):
        names = [shortened(classifier.name(int(top.indices[number]))) for top in (before, after)]
        classes = f"{names[0]}\n-> {names[1]} {float(after.values[number]):.0%}"
        panels.append(Panel(to_pil(picture.expand(-1, 3, -1, -1)), classes))
    return panel_figure([panels], (2.6 * len(panels), 3.1))


def _row(panels: Sequence[Panel], *, side: float, above: float, fontsize: int) -> Figure:
    """Pictures of one size in a row; ``side`` is their width and ``above`` the room for their titles, in inches."""
    width, height = panels[0].picture.size
    size = len(panels) * side, side * min(max(height / width, 0.4), 2) + above
    return panel_figure([panels], size, title={"fontsize": fontsize})


def _probabilities(classifier: Classifier, images: Tensor) -> Tensor:
    with left_as_found(classifier, images.device), torch.no_grad():
        return classifier.probabilities(classifier(images))
