"""Speed of the explainers, beside their peers and beside the least work PyTorch can do for the job.

    python -m tests.benchmarks.explainers [--rounds 15] [--threads 1]

The limit is the network frozen, in evaluation mode, one forward pass and the backward pass that is
needed, times the number of passes for the methods that need many.
"""

import argparse
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision import models

import interpret
from interpret import recorded
from tests.benchmarks.measure import header, interleaved, ratio

Ways = dict[str, Callable[[], object]]
LAYER = "layer4"


def fresh_network() -> nn.Module:
    """ResNet-18; a new one for each job, because peers leave hooks behind."""
    torch.manual_seed(0)
    return models.resnet18().eval().requires_grad_(False)


def limit(network: nn.Module, images: Tensor, times: int = 1) -> Callable[[], object]:
    """Forward and backward to the images, several times."""

    def run() -> None:
        for _ in range(times):
            source = images.clone().requires_grad_()
            score = network(source)[:, 0].sum()
            torch.autograd.grad(score, source)

    return run


def limit_above_layer(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """Forward, and backward to one layer."""

    def run() -> None:
        with recorded(network, LAYER, cut=True) as recording:
            score = network(images)[:, 0].sum()
        torch.autograd.grad(score, recording[LAYER])

    return run


def limit_forward(network: nn.Module, images: Tensor, times: int) -> Callable[[], object]:
    """Forward alone, several times."""

    def run() -> None:
        with torch.no_grad():
            for _ in range(times):
                network(images)

    return run


def gradcam(network: nn.Module, images: Tensor) -> Ways:
    """Grad-CAM at the last block."""
    target = torch.zeros(len(images), dtype=torch.long)
    ways: Ways = {
        "limit": limit_above_layer(network, images),
        "interp": lambda: interpret.gradcam(network, images, target, layer=LAYER),
    }
    from captum.attr import LayerAttribution, LayerGradCam

    method = LayerGradCam(network, network.get_submodule(LAYER))
    ways["captum"] = lambda: LayerAttribution.interpolate(
        method.attribute(images, target, relu_attributions=True), images.shape[2:], "bilinear"
    )
    try:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        trainable = fresh_network().requires_grad_()  # it raises on a frozen network
        peer = GradCAM(trainable, [trainable.get_submodule(LAYER)])
        targets = [ClassifierOutputTarget(0)] * len(images)
        ways["grad-cam"] = lambda: peer(images, targets)
    except ImportError:
        pass
    try:
        from torchcam.methods import GradCAM as TorchCam

        cam = TorchCam(network, LAYER)
        cam.disable_hooks()

        def with_torchcam() -> object:
            cam.enable_hooks()
            scores = network(images.clone().requires_grad_())
            maps = cam([0] * len(images), scores)
            cam.disable_hooks()
            return maps

        ways["torchcam"] = with_torchcam
    except ImportError:
        pass
    return ways


def from_captum(name: str, network: nn.Module, images: Tensor) -> Ways:
    """A method that captum has too; many-pass methods with 16 passes in chunks of 8."""
    from captum import attr

    target = torch.zeros(len(images), dtype=torch.long)
    passes = 16
    source = images.clone().requires_grad_()
    if name == "saliency":
        peer = attr.Saliency(network)
        return {
            "limit": limit(network, images),
            "interp": lambda: interpret.saliency(network, images, target),
            "captum": lambda: peer.attribute(source, target),
        }
    if name == "guided_backprop":
        guided = attr.GuidedBackprop(network)
        return {
            "limit": limit(network, images),
            "interp": lambda: interpret.guided_backprop(network, images, target),
            "captum": lambda: guided.attribute(source, target),
        }
    chunk = images.expand(8, -1, -1, -1)
    if name == "smoothgrad":
        tunnel = attr.NoiseTunnel(attr.Saliency(network))
        return {
            "limit": limit(network, chunk, passes // 8),
            "interp": lambda: interpret.smoothgrad(network, images, target, samples=passes, max_batch=8),
            "captum": lambda: tunnel.attribute(
                source, target=target, nt_samples=passes, nt_samples_batch_size=8, abs=False, stdevs=0.15
            ),
        }
    if name == "integrated_gradients":
        peer = attr.IntegratedGradients(network)
        return {
            "limit": limit(network, chunk, passes // 8),
            "interp": lambda: interpret.integrated_gradients(network, images, target, steps=passes, max_batch=8),
            "captum": lambda: peer.attribute(images, 0.0, target, n_steps=passes, internal_batch_size=8),
        }
    side = images.shape[-1] // 4
    peer = attr.Occlusion(network)
    return {
        "limit": limit_forward(network, chunk, 2),
        "interp": lambda: interpret.occlusion(network, images, target, window=side, stride=side, max_batch=8),
        "captum": lambda: peer.attribute(
            images, (3, side, side), (3, side, side), 0.5, target, perturbations_per_eval=8
        ),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    print(f"ResNet-18, 224 px; {header()}; medians of {options.rounds} rounds, as multiples of the limit\n")
    print("| method | batch | limit, ms | interp | captum | grad-cam | torchcam |\n|---|---|---|---|---|---|---|")
    many = ("smoothgrad", "integrated_gradients", "occlusion")
    for name in ("gradcam", "saliency", "guided_backprop", *many):
        for batch in (1,) if name in many else (1, 8):
            network, images = fresh_network(), torch.rand(batch, 3, 224, 224)
            ways = gradcam(network, images) if name == "gradcam" else from_captum(name, network, images)
            times = interleaved(ways, options.rounds)
            cells = []
            for peer in ("interp", "captum", "grad-cam", "torchcam"):
                cells.append("{:.2f} ± {:.2f}".format(*ratio(times, peer, "limit")) if peer in times else "")
            least = sorted(times["limit"])[len(times["limit"]) // 2] * 1000
            print(f"| {name} | {batch} | {least:.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
