"""Grad-CAM of torchvision's segmentation and detection networks, beside pytorch-grad-cam's with its own targets."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import detection, segmentation

from interpret import box, gradcam, hirescam, pixels
from tests.own_networks import classifier

pytestmark = pytest.mark.slow  # networks of many layers, with random weights

SIZE = (64, 96)
SEGMENTS = {"fcn_resnet50": "backbone.layer4", "deeplabv3_mobilenet_v3_large": "backbone.16"}
DETECTS = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("backbone.fpn.layer_blocks.0", {"box_score_thresh": 0.0}),
    "ssdlite320_mobilenet_v3_large": ("backbone.features.1", {"score_thresh": 0.001}),
}


def awake(network: nn.Module) -> nn.Module:
    """A network of random weights whose signals neither vanish nor explode: normalised by what its backbone sees."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network.backbone.train()(torch.rand(2, 3, 128, 128))
    if isinstance(network, detection.FasterRCNN):
        with torch.no_grad():
            predictor = network.roi_heads.box_predictor
            for layer in (predictor.cls_score, predictor.bbox_pred, network.rpn.head.bbox_pred):
                layer.weight *= 0.02
                layer.bias.zero_()
    return network.eval()


@functools.cache
def segments(name: str) -> nn.Module:
    torch.manual_seed(0)
    return awake(getattr(segmentation, name)(weights=None, weights_backbone=None))


@functools.cache
def detects(name: str) -> nn.Module:
    torch.manual_seed(0)
    build = getattr(detection, name)
    return awake(build(weights=None, weights_backbone=None, **DETECTS[name][1]))


def theirs(method: str, network: nn.Module, layer: str, image: torch.Tensor, target: object) -> torch.Tensor:
    """Their map before it is stretched to [0, 1], cut at zero where ours is, and laid on the picture as ours."""
    import pytorch_grad_cam

    kept = []

    class Kept(getattr(pytorch_grad_cam, method)):
        def get_cam_image(self, *given, **options):
            kept.append(super().get_cam_image(*given, **options))
            return kept[-1]

    with Kept(network, [dict(network.named_modules())[layer]]) as explain:
        explain(image, [target])
    maps = torch.from_numpy(kept[0])[None]
    maps = torch.relu(maps) if method == "GradCAM" else maps
    return F.interpolate(maps, image.shape[2:], mode="bilinear")


class Out(nn.Module):
    """A segmentation network that returns its map alone, as their target wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)["out"]


def picture() -> torch.Tensor:
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(5))


def assert_same(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert expected.max() > 0
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize(("ours", "method"), [(gradcam, "GradCAM"), (hirescam, "HiResCAM")])
@pytest.mark.parametrize("name", SEGMENTS)
def test_pixels_of_a_segmentation(name, ours, method):
    from pytorch_grad_cam.utils.model_targets import SemanticSegmentationTarget

    network, layer, image = segments(name), SEGMENTS[name], picture()
    mask = torch.zeros(SIZE)
    mask[10:40, 20:70] = 1
    expected = theirs(method, Out(network), f"network.{layer}", image, SemanticSegmentationTarget(3, mask.numpy()))
    found = ours(classifier(network), image, pixels(3, mask), layer=layer)
    assert_same(found, expected)
    assert gradcam(classifier(network), image, pixels(3, mask)).max() > 0  # at the layer that is looked at by default


@pytest.mark.parametrize("name", DETECTS)
def test_a_box_of_a_detection(name):
    from pytorch_grad_cam.utils.model_targets import FasterRCNNBoxScoreTarget

    network, (layer, _), image = detects(name), DETECTS[name], picture()
    found = network(image)[0]
    near, label = found["boxes"][0].detach() + torch.tensor([0.5, 0, 0.5, 0]), int(found["labels"][0])
    target = FasterRCNNBoxScoreTarget([label], [near.numpy()])
    torch.testing.assert_close(box(label, near)([found]), target(found))
    assert_same(
        gradcam(classifier(network), image, box(label, near), layer=layer),
        theirs("GradCAM", network, layer, image, target),
    )
