"""The peak of memory of one command on large photos, beside that of the bare job.

    python -m tests.benchmarks.photo_memory

The bare job imports PyTorch, loads squeezenet1_1, decodes the photo to 8-bit levels and runs the network forward and
backward once on its input. Every number is the peak of a process of its own, of resident memory.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from interpret.bundled import samples
from tests.benchmarks.support.table import Asked, Row, alone

MODEL = ("-m", "squeezenet1_1", "--threads", "1")
SIZES = {"25 megapixels": (6000, 4170), "108 megapixels": (12000, 9000)}
BARE = """
import sys, numpy, torch
from PIL import Image
import interpret
classifier = interpret.load("squeezenet1_1")
Image.MAX_IMAGE_PIXELS = None
levels = numpy.asarray(Image.open(sys.argv[1]).convert("RGB"))
images = torch.rand(1, 3, 224, 224, requires_grad=True)
classifier.on_inputs()(images)[0, 0].backward()
"""


def peak(*words: object) -> float:
    """Bytes that a process holds at most; it must end well."""
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, words))[:200]}: {process.stderr.read().decode()[-300:]}")
    process.stderr.close()
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def command_peak(*words: object) -> float:
    """Bytes that a command of the shell holds at most."""
    return peak(sys.executable, "-m", "cli", *words)


def photo(path: Path, size: tuple[int, int]) -> Path:
    """A photo of so many pixels, coarse as an enlarged one."""
    coarse = np.random.default_rng(0).integers(0, 256, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size).save(path)
    return path


def rows(asked: Asked) -> Iterator[Row]:
    """One photo of each size, a folder of the smaller one, and the one-pixel attack on a usual photo."""
    cat = samples()["cat"]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, size in SIZES.items():
            file = photo(home / f"{size[0]}.jpg", size)
            bare = peak(sys.executable, "-c", BARE, file)
            found = command_peak("gradcam", file, *MODEL, "-o", home / "map.png")
            yield _row(f"gradcam of {name}", found, bare, 1.35)
            if size is SIZES["25 megapixels"]:
                several = home / "several"
                several.mkdir()
                for number in range(4):
                    (several / f"{number}.jpg").symlink_to(file)
                together = command_peak("gradcam", several, *MODEL, "-o", home / "maps")
                yield _row("gradcam of a folder of four of them, beside one", together, found, 1.2)
        bare = peak(sys.executable, "-c", BARE, cat)
        words = ("attack", "one-pixel", cat, *MODEL, "--steps", 2, "--no-figure", "-o", home / "pixel.png")
        yield _row("one-pixel on 451 x 300", command_peak(*words), bare, 1.25)


def _row(what: str, found: float, bare: float, bound: float | None = None) -> Row:
    return Row(what, (found / bare, 0.0), bound, remark=f"{found / 1e9:.2f} GB, beside {bare / 1e9:.2f}")


if __name__ == "__main__":
    alone(rows, __doc__)
