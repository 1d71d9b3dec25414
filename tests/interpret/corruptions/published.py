"""The published corruptions, from the package imagecorruptions where it is installed, with this package's numbers.

    python -m tests.interpret.corruptions.published

prints the means that are written down in the test. Needs ``pip install --no-deps imagecorruptions scikit-image
lazy_loader scipy opencv-python-headless`` and a setuptools that has pkg_resources.
"""

import importlib.util
import warnings
from unittest import mock

import numpy as np
import torch

from interpret.corruptions import CORRUPTIONS, SEVERITIES
from interpret.corruptions.corrupt import draws_for

INSTALLED = all(map(importlib.util.find_spec, ("imagecorruptions", "skimage", "cv2", "scipy", "pkg_resources")))
REPEATED = [name for name in CORRUPTIONS if name != "impulse_noise"]  # those whose random numbers can be handed over


def picture() -> torch.Tensor:
    """(1, 3, 40, 48) on the levels of a file: waves, an edge, and a black corner."""
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(48.0), indexing="ij")
    waves = [torch.sin(rows / 3 + columns / (4 + channel)) * 0.3 + 0.5 for channel in range(3)]
    image = torch.stack(waves)
    image[0, :, 24:] += 0.2
    image[:, :5, :7] = 0
    return (image[None].clamp(0, 1) * 255).round() / 255


class _Numbers:
    """Stands for ``numpy.random``, and gives the numbers that this package draws."""

    def __init__(self, name: str, severity: int, seed: int, size: tuple[int, int]) -> None:
        self.draws, self.size = draws_for(name, severity, [seed]), size
        self.places: list[np.ndarray] = []

    def normal(self, loc=0.0, scale=1.0, size=None):
        size = (1, *size) if len(size) == 2 else (size[2], *size[:2])
        return loc + scale * np.moveaxis(self.draws.normal(*size)[0].double().numpy(), 0, -1).squeeze()

    def uniform(self, low, high, size=()):
        return self.draws.uniform(low, high, *size)[0].double().numpy()

    def poisson(self, rates):
        moved = torch.from_numpy(np.moveaxis(rates, -1, 0).copy()).float()
        return np.moveaxis(self.draws.poisson(moved[None])[0].double().numpy(), 0, -1)

    def randint(self, low, high=None, size=None):
        if size is not None:
            return self._neighbour(low, high)
        if high is None:  # which photograph of frost; where to cut it comes next
            number = int(self.draws.integers(0, low)[0])
            self.places = self.draws.uniform(0, 1, 2)[0].tolist()
            return number
        return int(self.places.pop(0) * high)

    def _neighbour(self, low, high):
        """Offsets across and down, from the last pixel to the first, as the loop of the published glass blur goes."""
        if not self.places:
            drawn = self.draws.integers(low, high, 2, *self.size)[0].numpy()
            rows, columns = (range(side - high, high, -1) for side in self.size)
            self.places = [drawn[:, row, column] for row in rows for column in columns][::-1]
        return self.places.pop()


def published(levels: np.ndarray, name: str, severity: int, seed: int) -> np.ndarray:
    """(H, W, 3) levels after a corruption; today's numpy and scikit-image lack two names that the package uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import skimage.filters
        from imagecorruptions import corruptions

        def gaussian(image, sigma, multichannel=False, **more):
            return skimage.filters.gaussian(image, sigma, channel_axis=-1 if multichannel else None, **more)

        from PIL import Image

        np.float_ = np.float64
        numbers = _Numbers(name, severity, seed, levels.shape[:2]) if name in REPEATED else np.random
        with mock.patch.object(np, "random", numbers), mock.patch.object(corruptions, "gaussian", gaussian):
            return np.uint8(getattr(corruptions, name)(Image.fromarray(levels), severity))


def means(name: str) -> list[float]:
    """The mean level of the published result, for each severity."""
    levels = (picture()[0] * 255).round().byte().permute(1, 2, 0).numpy()
    return [round(float(published(levels, name, severity, 7).mean()), 2) for severity in SEVERITIES]


if __name__ == "__main__":
    for one in CORRUPTIONS:
        print(f'    "{one}": {tuple(means(one))},')
