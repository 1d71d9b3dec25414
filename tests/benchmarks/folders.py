"""A folder of pictures of mixed size through `interp gradcam`, beside a bare loop that does no more than it must.

    python -m tests.benchmarks.folders [FOLDER] [--images 1000]

The bare loop decodes the same files, resizes them, runs the network forward in batches and encodes the same PNG
files, reading and writing in threads beside the network. Each run is a process of its own: CPU seconds and peak
memory are the system's, start-up included; the bare loop's are its CPU seconds without drawing its results.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from tests.benchmarks.support.measure import Cost, process
from tests.benchmarks.support.table import Asked, Row, alone

SCALES = (0.5, 0.75, 1.0, 1.0, 1.5)
BATCH, WORKERS = 8, 2
IMAGES = 200


def mixed(files: Sequence[Path], images: int, folder: Path) -> None:
    """So many pictures of different sizes, made from these files, none larger than 500 pixels x 1.5."""
    draw = random.Random(0)
    folder.mkdir()
    for number in range(images):
        with Image.open(files[number % len(files)]) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((500, 500))
        scale = draw.choice(SCALES)
        size = round(picture.width * scale), round(picture.height * scale)
        picture.resize(size).save(folder / f"{number:05d}.jpg", quality=90)


def print_bare(pictures: Path, drawn: Path, out: Path) -> None:
    """The least there is to do."""
    import io
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import torch
    import torch.nn.functional as F

    import interpret

    classifier = interpret.load()
    mean, std, (height, width) = classifier.mean, classifier.std, classifier.input_size

    def read(path: Path) -> torch.Tensor:
        with Image.open(path) as picture:
            levels = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
        return torch.from_numpy(levels).permute(2, 0, 1)[None]

    def prepare(image: torch.Tensor) -> torch.Tensor:
        short = min(image.shape[-2:])
        size = [int(classifier.resize * side / short) for side in image.shape[-2:]]
        resized = F.interpolate(image, size, mode="bicubic", antialias=True)
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        return (resized[..., top : top + height, left : left + width] - mean) / std

    def write(work: tuple[Path, np.ndarray]) -> None:
        content = io.BytesIO()
        Image.fromarray(work[1]).save(content, "PNG")
        (out / work[0].name).write_bytes(content.getvalue())

    started = time.process_time()
    results = {}  # what will be written is at hand before the clock goes on
    for path in sorted(drawn.rglob("*.png")):
        with Image.open(path) as picture:
            results[path.name.partition("_")[0]] = np.asarray(picture)
    out.mkdir()
    before = time.process_time()
    files = sorted(pictures.iterdir())
    with ThreadPoolExecutor(WORKERS) as readers, ThreadPoolExecutor(WORKERS) as writers, torch.inference_mode():
        batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
        coming = [readers.submit(read, path) for path in batches[0]]
        for number, batch in enumerate(batches):
            inputs = torch.cat([prepare(one.result()) for one in coming])
            coming = [readers.submit(read, path) for path in batches[number + 1]] if number + 1 < len(batches) else []
            classifier.network(inputs).argmax(1).tolist()
            list(writers.map(write, [(out / f"{path.stem}.png", results[path.stem]) for path in batch]))
    print(started + time.process_time() - before)


def rows(asked: Asked) -> Iterator[Row]:
    """CPU seconds beside the bare loop's, and peak memory beside that of a tenth of the pictures."""
    images = asked.images or IMAGES
    tenth = max(1, images // 10)
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        mixed(asked.files(), images, place / "in")
        mixed(asked.files(), tenth, place / "few")
        command = ("-m", "cli", "gradcam", "-q", "-r", "--workers", str(WORKERS), "--batch-size", str(BATCH))
        few = process(*command, str(place / "few"), "-o", str(place / "few-out"), threads=asked.threads)
        ours = process(*command, str(place / "in"), "-o", str(place / "out"), threads=asked.threads)
        folders = (str(place / each) for each in ("in", "out", "bare-out"))
        least = process("-m", "tests.benchmarks.folders", "--bare", *folders, threads=asked.threads)
    what, cost, bare = f"{images} pictures through `interp gradcam -r`", Cost(ours.cpu, ours.wall), float(least.printed)
    yield Row(f"{what}: CPU beside a bare loop", (ours.cpu / bare, 0.0), 1.2, cost=cost, remark=f"bare {bare:.1f} s")
    remark = f"{ours.peak:.0f} MB beside {few.peak:.0f} MB"
    yield Row(
        f"{what}: peak memory beside {tenth} pictures", (ours.peak / few.peak, 0.0), 1.2, cost=cost, remark=remark
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        print_bare(*map(Path, sys.argv[2:]))
    else:
        alone(rows, __doc__)
