"""Hides drawn shapes from the detector beside this file, by a patch on their middle.

    python -m samples.shapes.hiding

trains the patch on 200 pictures, says how many shapes the detector misses in 100 others, with it and with a patch of
random colours in its place, and draws four of them.
"""

from pathlib import Path

import torch
from torch import Tensor

from attacks.detectors.hiding import SURE, hiding_patch_laid, missed, train_hiding_patch
from interpret.figures import Panel
from interpret.figures.panels import row_figure
from samples.shapes.drawn import Drawn, draw
from samples.shapes.networks import detector

FIGURE = Path(__file__).parents[1] / "figures" / "hiding.png"
SHARE = 0.25


def pictures(seeds: range) -> tuple[Tensor, list[Tensor]]:
    """Pictures (N, 3, 128, 128) and the boxes of their shapes."""
    drawn: list[Drawn] = [draw(seed) for seed in seeds]
    return torch.stack([one.image for one in drawn]), [one.boxes for one in drawn]


def main() -> None:
    """Train the patch, judge it and draw it at work."""
    network = detector().on_inputs()

    def found(images: Tensor) -> list[dict[str, Tensor]]:
        return network.answer(images, whole=True)

    patch = train_hiding_patch(found, *pictures(range(200)), share=SHARE, steps=150)
    images, boxes = pictures(range(10**6, 10**6 + 100))
    noise = torch.rand(patch.shape, generator=torch.Generator().manual_seed(0))
    laid = {"": images} | {
        name: hiding_patch_laid(images, boxes, own, share=SHARE)
        for name, own in ((" with random colours", noise), (" with the patch", patch))
    }
    rows = []
    for name, shown in laid.items():
        lost, there = missed(found, shown, boxes)
        print(f"{lost} of {there} shapes missed{name}")
        rows.append([_panel(image, found) for image in shown[:4]])
        rows[-1][0] = Panel(rows[-1][0].picture, f"{lost} of {there} shapes missed{name}")
    row_figure(rows, width=1.6).savefig(FIGURE, dpi=100)


def _panel(image: Tensor, found: object) -> Panel:
    """A picture with the boxes that the detector is sure of."""
    with torch.no_grad():
        seen = found(image[None])[0]
    shown = image.clone()
    for left, top, right, bottom in seen["boxes"][seen["scores"] > SURE].round().long().clamp(0, 127).tolist():
        amber = torch.tensor([1.0, 0.69, 0.0])[:, None]
        shown[:, [top, bottom], left : right + 1] = amber[..., None]
        shown[:, top : bottom + 1, [left, right]] = amber[..., None]
    return Panel(shown.clamp(0, 1).permute(1, 2, 0).numpy())


if __name__ == "__main__":
    main()
