"""Where the time of a folder run and of a cold start goes, in CPU milliseconds.

    python -m tests.benchmarks.profiling [FOLDER]

The parts of `interp gradcam -r FOLDER`, one after the other on one thread, and what a bare loop needs of
them; then a process that starts, part by part. What it printed stands in PROFILE.md.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.geometry import Geometry

START = time.process_time()  # before PyTorch is imported

BATCH, PICTURES = 8, 40
NEEDED = ("read and decode", "resize and crop", "forward", "encode PNG")


def timed(run: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    start = time.process_time()
    run()
    return 1e3 * (time.process_time() - start)


def start() -> dict[str, float]:
    """The parts of a cold start: CPU milliseconds."""
    found = {"Python itself": 1e3 * START}
    found["import torch"] = timed(lambda: __import__("torch"))
    import torch

    torch.set_num_threads(1)
    modules = ("cli.commands", "cli.commands.explain.job")
    found["the command line and interpret"] = timed(lambda: [__import__(name) for name in modules])
    import interpret

    held = []
    found["the network: build and load"] = timed(lambda: held.append(interpret.load()))
    with torch.no_grad():
        found["first forward"] = timed(lambda: held[0](torch.rand(1, 3, 300, 400)))
    return found


class Parts:
    """What the parts of a picture's way take: CPU milliseconds, by name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def __call__(self, name: str, run: Callable[..., object], *given: object, **named: object) -> object:
        """What a function makes of what it is given, whose time counts for a part."""
        made = []
        self.spent[name] = self.spent.get(name, 0.0) + timed(lambda: made.append(run(*given, **named)))
        return made[0]


def folder(files: list[Path]) -> dict[str, float]:
    """The parts of a picture's way: CPU milliseconds each, means over all pictures."""
    import interpret
    from cli.memory import keep_freed_memory
    from interpret.images.files import pixels_hash, read

    keep_freed_memory()
    classifier, part = interpret.load(), Parts()
    for first in range(0, len(files), BATCH):
        photos = [part("read and decode", read, file) for file in files[first:][:BATCH]]
        for photo in photos:
            part("hash of the pixels", pixels_hash, photo)
        laid = [part("resize and crop", classifier.prepare, photo) for photo in photos]
        for photo, (_, geometry), one in zip(photos, laid, _maps(classifier, laid, part), strict=True):
            _drawn(photo, geometry, one, part)
    return {name: value / len(files) for name, value in part.spent.items()}


def _maps(classifier: "Classifier", laid: list[tuple], part: Parts) -> "tuple[Tensor, ...]":
    """The map of each input of a batch."""
    import torch

    from interpret.explainers import explainer_named
    from interpret.explainers.contract import shared_logits
    from interpret.explainers.sharing import shared_passes
    from interpret.layer_outputs import layer_of
    from interpret.network.hooks import left_as_found

    view, explain, inputs = classifier.on_inputs(), explainer_named("gradcam"), torch.cat([one for one, _ in laid])
    with left_as_found(view, inputs.device), shared_passes():
        layer = layer_of(view, inputs, None)
        top = part("forward", shared_logits, explain, view, inputs, layer).argmax(1)
        named = "backward to the layer, weights, sum"
        return part(named, explain.__wrapped__, view, inputs, top, layer=layer).detach().split(1)


def _drawn(photo: "Tensor", geometry: "Geometry", one: "Tensor", part: Parts) -> None:
    """A map laid on its picture, drawn and encoded."""
    from interpret.explainers.aggregation import combined
    from interpret.figures.display import limit_of, overlay
    from interpret.images.files import encode

    attribution = part("lay the map on the picture", geometry.undo, one)
    seen = part("what was seen", geometry.seen)
    limit = part("the strongest value", lambda: limit_of(combined(attribution)[..., seen]))
    drawn = part("overlay", overlay, photo, attribution, limit=limit, seen=seen)
    part("encode PNG", encode, drawn, ".png", metadata={"interp": "x" * 900})


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="of photos; the bundled samples by default")
    given = parser.parse_args()
    began = start()
    from interpret.bundled import samples

    files = sorted(given.folder.glob("*.jpg"))[:PICTURES] if given.folder else list(samples().values())
    folder(files[:BATCH])  # to warm up
    spent = folder(files)
    from tests.benchmarks.support.measure import header

    print(header(), end="\n\n")
    print(f"`interp gradcam -r`, a picture, mean of {len(files)}:\n")
    print("| part | CPU ms | a bare loop needs it |\n|---|---|---|")
    for name, value in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"| {name} | {value:.2f} | {'yes' if name in NEEDED else ''} |")
    whole, least = sum(spent.values()), sum(spent[name] for name in NEEDED)
    print(f"| all | {whole:.1f} | {least:.1f}, {whole / least:.2f} x |")
    print("\nA cold start:\n\n| part | CPU ms |\n|---|---|")
    for name, value in began.items():
        print(f"| {name} | {value:.0f} |")


if __name__ == "__main__":
    main()
