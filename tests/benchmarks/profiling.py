"""Where the time of a folder run and of a cold start goes, in CPU milliseconds.

    python -m tests.benchmarks.profiling [FOLDER]

The parts of `interp gradcam -r FOLDER`, one after the other on one thread, and what a bare loop needs of
them; then a process that starts, part by part. What it printed stands in PROFILE.md.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

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


def folder(files: list[Path]) -> dict[str, float]:
    """The parts of a picture's way: CPU milliseconds each, means over all pictures."""
    import torch

    import interpret
    from cli.memory import keep_freed_memory
    from interpret.explainers import explainer_named
    from interpret.explainers.aggregation import combined
    from interpret.explainers.contract import shared_logits
    from interpret.explainers.sharing import shared_passes
    from interpret.figures.display import limit_of, overlay
    from interpret.images import files as pictures
    from interpret.images.files import pixels_hash
    from interpret.layer_outputs import layer_of
    from interpret.network.hooks import left_as_found

    keep_freed_memory()
    classifier = interpret.load()
    view, explain = classifier.on_inputs(), explainer_named("gradcam")
    spent: dict[str, float] = {}

    def part(name: str, run: Callable[[], object]) -> object:
        made = []
        spent[name] = spent.get(name, 0.0) + timed(lambda: made.append(run()))
        return made[0]

    for first in range(0, len(files), BATCH):
        photos = [part("read and decode", lambda file=file: pictures.read(file)) for file in files[first:][:BATCH]]
        for photo in photos:
            part("hash of the pixels", lambda photo=photo: pixels_hash(photo))
        laid = [part("resize and crop", lambda photo=photo: classifier.prepare(photo)) for photo in photos]
        inputs = torch.cat([one for one, _ in laid])
        with left_as_found(view, inputs.device), shared_passes():
            layer = layer_of(view, inputs, None)
            logits = part("forward", lambda inputs=inputs, layer=layer: shared_logits(explain, view, inputs, layer))
            top = logits.argmax(1)
            maps = part(
                "backward to the layer, weights, sum",
                lambda inputs=inputs, top=top, layer=layer: explain.__wrapped__(view, inputs, top, layer=layer),
            ).detach()
        for photo, (_, geometry), one in zip(photos, laid, maps.split(1), strict=True):
            attribution = part("lay the map on the picture", lambda geometry=geometry, one=one: geometry.undo(one))
            seen = part("what was seen", geometry.seen)
            limit = part(
                "the strongest value", lambda given=attribution, seen=seen: limit_of(combined(given)[..., seen])
            )
            drawn = part(
                "overlay",
                lambda photo=photo, given=attribution, limit=limit, seen=seen: overlay(
                    photo, given, limit=limit, seen=seen
                ),
            )
            part("encode PNG", lambda drawn=drawn: pictures.encode(drawn, ".png", metadata={"interp": "x" * 900}))
    return {name: value / len(files) for name, value in spent.items()}


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
