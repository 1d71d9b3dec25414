"""A folder of pictures of mixed size through `interp gradcam`, beside a bare loop that does no more than it must.

    python -m tests.benchmarks.folders FOLDER [--images 1000]

The bare loop decodes the same files, resizes them, runs the network forward in batches and encodes the same PNG
files, reading and writing in threads beside the network. Each run is a process of its own: CPU seconds and peak
memory are the system's, start-up included.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from tests.benchmarks.measure import header

SCALES = (0.5, 0.75, 1.0, 1.0, 1.5)
BATCH, WORKERS = 8, 2


def mixed(source: Path, images: int, folder: Path) -> None:
    """So many pictures of different sizes, made from those of a folder, none larger than 500 pixels x 1.5."""
    draw = random.Random(0)
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    folder.mkdir()
    for number in range(images):
        with Image.open(files[number % len(files)]) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((500, 500))
        scale = draw.choice(SCALES)
        size = round(picture.width * scale), round(picture.height * scale)
        picture.resize(size).save(folder / f"{number:05d}.jpg", quality=90)


def bare(pictures: Path, drawn: Path, out: Path) -> None:
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


def measured(*words: str) -> tuple[float, float, float, str]:
    """CPU seconds, wall seconds and peak memory in MB of a process, and what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, env=environment, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed")
    wall = time.perf_counter() - began
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of pictures")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--bare", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        bare(given.folder, *given.bare)
        return
    print(header())
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        mixed(given.folder, given.images, place / "in")
        mixed(given.folder, max(1, given.images // 10), place / "few")
        command = ("cli", "gradcam", "-q", "-r", "--workers", str(WORKERS), "--batch-size", str(BATCH))
        few = measured(*command, str(place / "few"), "-o", str(place / "few-out"))
        ours = measured(*command, str(place / "in"), "-o", str(place / "out"))
        folder = (str(place / "in"), "--bare", str(place / "out"), str(place / "bare-out"))
        least = measured("tests.benchmarks.folders", *folder)
    alone = float(least[3])
    print(f"\n| {given.images} pictures | CPU s | wall s | peak MB |\n|---|---|---|---|")
    print(f"| interp gradcam -r | {ours[0]:.1f} | {ours[1]:.1f} | {ours[2]:.0f} |")
    print(f"| the same, a tenth of the pictures | {few[0]:.1f} | {few[1]:.1f} | {few[2]:.0f} |")
    print(f"| bare loop | {alone:.1f} | | |")
    print(f"\nCPU {ours[0] / alone:.2f} x the bare loop's; peak memory {ours[2] / few[2]:.2f} x that of a tenth")


if __name__ == "__main__":
    main()
