"""A small segmentation network and a small detector, trained on drawn shapes, as examples of networks of one's own.

    python -m samples.shapes.networks

trains both anew, in about twenty minutes on one core, and says how good they are on pictures that they have not seen.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.ops import box_iou

import interpret
from samples.shapes.drawn import SHAPES, SIZE, Drawn, draw

HERE = Path(__file__).parent
LABELS = ("background", *SHAPES)
WIDTH = 64


class Segmentation(nn.Module):
    """A fully convolutional network (Long et al. 2015): features of stride 8, a score for each class, made larger.

    Returns:
        {"out": (N, 5, H, W)} as torchvision's segmentation networks do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = _features()
        self.classifier = nn.Conv2d(WIDTH, len(LABELS), 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        scores = self.classifier(self.features(images))
        return {"out": F.interpolate(scores, images.shape[-2:], mode="bilinear")}


def segmentation() -> interpret.Classifier:
    """The trained segmentation network."""
    return _with_weights(Segmentation(), "segmentation")


def detector() -> interpret.Classifier:
    """The trained detector: torchvision's FCOS (Tian et al. 2019) on small features of one stride."""
    return _with_weights(_detector(), "detector")


def _detector() -> FCOS:
    features = _features()
    features.out_channels = WIDTH
    return FCOS(
        features,
        len(LABELS),
        min_size=SIZE,
        max_size=SIZE,
        image_mean=[0] * 3,
        image_std=[1] * 3,
        anchor_generator=AnchorGenerator(((16,),), ((1.0,),)),
        head=FCOSHead(WIDTH, 1, len(LABELS), num_convs=2),
    )


def _features() -> nn.Sequential:
    """Images (N, 3, H, W) to features (N, 64, H/8, W/8)."""
    layers, channels = [], 3
    for width in (16, 32, WIDTH):
        for stride in (2, 1):
            layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers, nn.Conv2d(WIDTH, WIDTH, 3, 1, 2, dilation=2), nn.BatchNorm2d(WIDTH), nn.ReLU())


def _with_weights(network: nn.Module, name: str) -> interpret.Classifier:
    network.load_state_dict(_cast(load_file(HERE / f"{name}.safetensors"), torch.float32))
    return interpret.Classifier(network.eval(), mean=[0.5] * 3, std=[0.25] * 3, labels=LABELS, input_size=SIZE)


def _cast(weights: dict[str, Tensor], kind: torch.dtype) -> dict[str, Tensor]:
    """Weights in another precision; counts stay whole numbers."""
    return {name: value.to(kind) if value.is_floating_point() else value for name, value in weights.items()}


def _train(network: nn.Module, loss: Callable[[nn.Module, list[Drawn]], Tensor], epochs: int) -> None:
    """Fit a network to 3,000 pictures."""
    torch.manual_seed(0)
    pictures = [draw(seed) for seed in range(3000)]
    steps = epochs * len(pictures) // 16
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    network.train()
    for step in range(steps):
        chosen = torch.randint(len(pictures), (16,)).tolist()
        found = loss(network, [pictures[i] for i in chosen])
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step} of {steps}: loss {float(found):.3f}", flush=True)
    network.eval()


def _normalized(pictures: list[Drawn]) -> Tensor:
    return (torch.stack([picture.image for picture in pictures]) - 0.5) / 0.25


def _segmentation_loss(network: nn.Module, pictures: list[Drawn]) -> Tensor:
    return F.cross_entropy(network(_normalized(pictures))["out"], torch.stack([picture.mask for picture in pictures]))


def _detection_loss(network: nn.Module, pictures: list[Drawn]) -> Tensor:
    targets = [{"boxes": picture.boxes, "labels": picture.labels} for picture in pictures]
    return sum(network(list(_normalized(pictures)), targets).values())


@torch.no_grad()
def _segmented(network: nn.Module, unseen: list[Drawn]) -> str:
    """How much of the shapes is right, as the mean of the classes' intersection over union."""
    said = network(_normalized(unseen))["out"].argmax(1)
    true = torch.stack([picture.mask for picture in unseen])
    both = [((said == k) & (true == k)).sum() / ((said == k) | (true == k)).sum() for k in range(len(LABELS))]
    return f"mean intersection over union {float(sum(both)) / len(both):.3f}"


@torch.no_grad()
def _detected(network: nn.Module, unseen: list[Drawn]) -> str:
    """How many of the shapes are found, with their class, by a box that overlaps by half and is sure by half."""
    right = wrong = 0
    for picture, found in zip(unseen, network(list(_normalized(unseen))), strict=True):
        sure = found["scores"] > 0.5
        overlap = box_iou(picture.boxes, found["boxes"][sure])
        fits = (overlap > 0.5) & (picture.labels[:, None] == found["labels"][sure])
        right += int(fits.any(1).sum())
        wrong += int((~fits.any(0)).sum())
    return f"{right} of {sum(len(picture.labels) for picture in unseen)} shapes found, {wrong} boxes where none is"


def main() -> None:
    """Train both, say how good they are, and keep their weights in half precision."""
    unseen = [draw(seed) for seed in range(10**6, 10**6 + 200)]
    jobs = (
        ("segmentation", Segmentation, _segmentation_loss, _segmented, 6),
        ("detector", _detector, _detection_loss, _detected, 8),
    )
    for name, build, loss, judge, epochs in jobs:
        torch.manual_seed(0)
        network = build()
        _train(network, loss, epochs)
        kept = _cast(network.state_dict(), torch.float16)
        save_file(kept, HERE / f"{name}.safetensors")
        network.load_state_dict(_cast(kept, torch.float32))
        print(f"{name}: {judge(network, unseen)}")


if __name__ == "__main__":
    main()
