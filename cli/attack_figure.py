"""A picture before and after an attack, the change between them, and where the network looked, in one figure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

    from attacks.evaluation.verdicts import Verdict
    from interpret.classifier import Classifier


def attack_figure(classifier: "Classifier", image: "Tensor", adversarial: "Tensor", verdict: "Verdict") -> "Figure":
    """The clean picture, the change magnified around grey, the adversarial one, and the Grad-CAM of both.

    How far the map has moved with the answer is the rank correlation of the two where the network sees.

    Args:
        classifier: what was attacked.
        image: (1, 3, H, W) in [0, 1], the clean picture.
        adversarial: (1, 3, H, W), the attacked one.
        verdict: what the classifier sees in them.

    Returns:
        A matplotlib figure.
    """
    import torch

    import interpret
    from interpret.faithfulness.similarity import rank_correlation
    from interpret.figures.display import overlay, own_colours
    from interpret.images.files import to_pil

    change = (adversarial - image).cpu()
    largest = float(change.abs().max())
    before = interpret.gradcam(classifier, image, torch.tensor([verdict.before], device=image.device))
    after = interpret.gradcam(classifier, adversarial, torch.tensor([verdict.after], device=image.device))
    seen = classifier.prepare(image)[1].seen()
    alike = float(rank_correlation(before[..., seen][:, None], after[..., seen][:, None]))
    names = classifier.name(verdict.before), classifier.name(verdict.after)
    panels = [
        (to_pil(image.cpu()), f"{names[0]}\n{verdict.before_probability:.1%}"),
        (own_colours(change), _size(largest)),
        (to_pil(adversarial.cpu()), f"{names[1]}\n{verdict.after_probability:.1%}"),
        (overlay(image.cpu(), before.cpu(), seen=seen), f"Grad-CAM before\n{names[0]}"),
        (overlay(adversarial.cpu(), after.cpu(), seen=seen), f"Grad-CAM after (rank corr. {alike:.2f})\n{names[1]}"),
    ]
    return row_of(panels, image.shape[-2] / image.shape[-1], side=2.5, above=0.55, fontsize=10)


def row_of(
    panels: "Sequence[tuple[Image, str]]", shape: float, *, side: float, above: float, fontsize: int
) -> "Figure":
    """Pictures side by side, each under its title.

    Args:
        panels: Pillow pictures of one size, and their titles.
        shape: their height divided by their width.
        side: inches that each is wide.
        above: inches for the titles.
        fontsize: of the titles.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(len(panels) * side, side * min(max(shape, 0.4), 2) + above), layout="constrained")
    for axes, (picture, title) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        axes.imshow(picture)
        axes.set_title(title, fontsize=fontsize)
        axes.set_axis_off()
    return figure


def _size(largest: float) -> str:
    """What the second panel shows: the change, and how much larger than it is."""
    if not largest:
        return "the change\nnone"
    return f"the change x {0.5 / largest:.0f}\nat most {largest * 255:.3g} of 255 levels"
