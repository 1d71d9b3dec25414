"""The log of a training run for TensorBoard: the numbers of every epoch, and pictures every few epochs."""

import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

if TYPE_CHECKING:
    from torch import Tensor

    from attacks.training.run import Run
    from interpret.datasets.dataset import Dataset

PICTURES = 8  # of the validation data, the same all the way
TIMES = 10  # at most so often in a run, besides after its first and its last epoch
SIDE = 112  # pixels at the least, which small pictures are enlarged to
STEPS = 10  # of PGD


class TensorBoardLog:
    """Writes what becomes of a run into a folder, once there is something."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InterpretError(
                "--log tensorboard needs the package tensorboard: pip install 'interp[tensorboard]'"
            ) from error
        self.folder, self.open, self.writer = folder, SummaryWriter, None

    def epoch(self, row: dict[str, Any], names: Iterable[str], run: "Run", validation: "Dataset") -> None:
        """The numbers of an epoch by these names, and after some epochs the pictures."""
        number = row["epoch"]
        if self.writer is None:  # what a killed run has logged after its last checkpoint counts no more
            self.writer = self.open(str(self.folder), purge_step=number)
        for name in names:
            self.writer.add_scalar(name, row[name], number)
        epochs = run.settings.epochs
        if number in (1, epochs) or number % math.ceil(epochs / TIMES) == 0:
            for name, images in pictures(run, validation).items():
                self.writer.add_images(name, images, number)

    def close(self) -> None:
        """Write what is left."""
        if self.writer is not None:
            self.writer.close()


def pictures(run: "Run", validation: "Dataset") -> "dict[str, Tensor]":
    """The same pictures as they are, attacked, and with what the network reacts to: each (n, C, H, W) in [0, 1]."""
    import torch

    import attacks
    from attacks import GradientWarning
    from attacks.training.weights import in_place_of
    from interpret import Classifier, overlay, saliency
    from interpret.explainers.aggregation import combined

    images, labels = (part.to(run.device) for part in validation.batch(torch.arange(min(PICTURES, len(validation)))))
    mean, std = (values.flatten().tolist() for values in (run.mean, run.std))
    with in_place_of(run.network, run.average), warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        eps = run.settings.eps
        found = attacks.pgd(run.evaluated, images, labels, eps=eps, steps=STEPS, random_start=False)
        classifier = Classifier(run.network, mean=mean, std=std, task="classification")
        maps = combined(saliency(classifier, images, labels), "max", absolute=True)
    overlays = [
        torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(picture.height, picture.width, 3)
        for picture in (overlay(*pair) for pair in zip(images[:, None], maps[:, None], strict=True))
    ]
    drawn = torch.stack(overlays).permute(0, 3, 1, 2) / 255
    return {name: _enlarged(each) for name, each in (("clean", images), ("adversarial", found), ("saliency", drawn))}


def _enlarged(images: "Tensor") -> "Tensor":
    """Each pixel as a square of several."""
    times = math.ceil(SIDE / max(images.shape[-2:]))
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)
