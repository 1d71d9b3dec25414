"""Grad-CAM, saliency and guided backprop, beside their peers and beside the least work for the job.

    python -m tests.benchmarks.explainers [--rounds 15] [--threads 1]

ResNet-18 at 224 pixels, alone and in a batch of 8. The limit is one forward pass and the backward pass
that is needed, of the frozen network in channels-last order.
"""

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

import interpret
from tests.benchmarks.support.limits import LAYER, Run, fresh_network, limit, limit_above_layer, zeros
from tests.benchmarks.support.measure import installed, interleaved
from tests.benchmarks.support.table import Asked, Row, alone, compared

# Method to its bound alone, and in a batch of 8.
BOUNDS = {"gradcam": (1.05, 1.05), "saliency": (1.15, 1.10), "guided_backprop": (1.15, 1.10)}


def captum_gradcam(network: nn.Module, images: Tensor) -> Run:
    """captum's."""
    from captum.attr import LayerAttribution, LayerGradCam

    method, target = LayerGradCam(network, network.get_submodule(LAYER)), zeros(images)
    return lambda: LayerAttribution.interpolate(
        method.attribute(images, target, relu_attributions=True), images.shape[2:], "bilinear"
    )


def grad_cam_gradcam(network: nn.Module, images: Tensor) -> Run:
    """grad-cam's, on a network that can be trained, because it raises on a frozen one."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    trainable = fresh_network().requires_grad_()
    peer = GradCAM(trainable, [trainable.get_submodule(LAYER)])
    targets = [ClassifierOutputTarget(0)] * len(images)
    return lambda: peer(images, targets)


def torchcam_gradcam(network: nn.Module, images: Tensor) -> Run:
    """torchcam's, whose hooks are off while others run."""
    from torchcam.methods import GradCAM

    peer = GradCAM(network, LAYER)
    peer.disable_hooks()

    def run() -> object:
        peer.enable_hooks()
        scores = network(images.clone().requires_grad_())
        maps = peer([0] * len(images), scores)
        peer.disable_hooks()
        return maps

    return run


def captum_gradient(name: str) -> Callable[[nn.Module, Tensor], Run]:
    """captum's method of this name, which differentiates by the images."""

    def make(network: nn.Module, images: Tensor) -> Run:
        from captum import attr

        method, source = getattr(attr, name)(network), images.clone().requires_grad_()
        return lambda: method.attribute(source, zeros(images))

    return make


PEERS = {
    "gradcam": {"captum": captum_gradcam, "grad-cam": grad_cam_gradcam, "torchcam": torchcam_gradcam},
    "saliency": {"captum": captum_gradient("Saliency")},
    "guided_backprop": {"captum": captum_gradient("GuidedBackprop")},
}


def rows(asked: Asked) -> Iterator[Row]:
    """Each method, alone and in a batch of 8."""
    for name, bounds in BOUNDS.items():
        for batch, bound in zip((1, 8), bounds, strict=True):
            network, images = fresh_network(), torch.rand(batch, 3, 224, 224)
            explain, least = getattr(interpret, name), limit_above_layer if name == "gradcam" else limit
            options = {"layer": LAYER} if name == "gradcam" else {}
            ways = {
                "limit": least(network, images),
                "interp": functools.partial(explain, network, images, zeros(images), **options),
                **installed(PEERS[name], network, images),
            }
            costs = interleaved(ways, asked.rounds)
            yield compared(f"{name}, batch {batch}", costs, bound, PEERS[name])


if __name__ == "__main__":
    alone(rows, __doc__)
