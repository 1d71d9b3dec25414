"""Methods that need many passes, as multiples of the passes alone.

    python -m tests.benchmarks.passes [--rounds 9]

ResNet-18 at 224 pixels, passes in chunks of 8: 16 for smoothgrad, integrated gradients (which take two
more for the completeness gap) and occlusion, 32 masks of RISE, the 64 channels of an early layer for
Score-CAM.
"""

import contextlib
import functools
import io
from collections.abc import Iterator

import torch
from torch import Tensor, nn

import interpret
from tests.benchmarks.support.limits import Run, fresh_network, limit, limit_forward, zeros
from tests.benchmarks.support.measure import installed, interleaved
from tests.benchmarks.support.table import Asked, Row, alone, compared

CHUNK = 8
EARLY = "layer1"
WINDOW = 56
# Method to its options and to how many passes they make.
METHODS = {
    "smoothgrad": ({"samples": 16}, 16),
    "integrated_gradients": ({"steps": 16}, 16),
    "occlusion": ({"window": WINDOW, "stride": WINDOW}, 16),
    "rise": ({"masks": 32}, 32),
    "scorecam": ({"layer": EARLY}, 64),
}
DIFFERENTIATE = ("smoothgrad", "integrated_gradients")


def captum_smoothgrad(network: nn.Module, images: Tensor) -> Run:
    """captum's noise tunnel."""
    from captum.attr import NoiseTunnel, Saliency

    tunnel, source = NoiseTunnel(Saliency(network)), images.clone().requires_grad_()
    settings = {"nt_samples": 16, "nt_samples_batch_size": CHUNK, "stdevs": 0.15}
    return lambda: tunnel.attribute(source, target=zeros(images), abs=False, **settings)


def captum_integrated_gradients(network: nn.Module, images: Tensor) -> Run:
    """captum's."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(network)
    return lambda: method.attribute(images, 0.0, zeros(images), n_steps=16, internal_batch_size=CHUNK)


def captum_occlusion(network: nn.Module, images: Tensor) -> Run:
    """captum's."""
    from captum.attr import Occlusion

    method, place = Occlusion(network), (3, WINDOW, WINDOW)
    return lambda: method.attribute(images, place, place, 0.5, zeros(images), perturbations_per_eval=CHUNK)


def grad_cam_scorecam(network: nn.Module, images: Tensor) -> Run:
    """grad-cam's."""
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    own = fresh_network()
    method = ScoreCAM(own, [own.get_submodule(EARLY)])
    method.batch_size = CHUNK

    def run() -> object:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            return method(images, [ClassifierOutputTarget(0)])

    return run


def torchcam_scorecam(network: nn.Module, images: Tensor) -> Run:
    """torchcam's."""
    from torchcam.methods import ScoreCAM

    own = fresh_network()
    method = ScoreCAM(own, EARLY, batch_size=CHUNK)

    def run() -> object:
        with torch.no_grad():
            return method(0, own(images))

    return run


PEERS = {
    "smoothgrad": {"captum": captum_smoothgrad},
    "integrated_gradients": {"captum": captum_integrated_gradients},
    "occlusion": {"captum": captum_occlusion},
    "scorecam": {"grad-cam": grad_cam_scorecam, "torchcam": torchcam_scorecam},
}


def rows(asked: Asked) -> Iterator[Row]:
    """Each method."""
    for name, (options, passes) in METHODS.items():
        network, images = fresh_network(), torch.rand(1, 3, 224, 224)
        makers = PEERS.get(name, {})
        least = limit if name in DIFFERENTIATE else limit_forward
        explain = getattr(interpret, name)
        ways = {
            "limit": least(network, images.repeat(CHUNK, 1, 1, 1), passes // CHUNK),
            "interp": functools.partial(explain, network, images, zeros(images), max_batch=CHUNK, **options),
            **installed(makers, network, images),
        }
        yield compared(f"{name}, {passes} passes", interleaved(ways, min(asked.rounds, 5)), 1.10, list(makers))


if __name__ == "__main__":
    alone(rows, __doc__)
