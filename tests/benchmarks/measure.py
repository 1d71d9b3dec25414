"""Side by side: several ways to do one job, interleaved in one process, compared by medians of ratios."""

import gc
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch


def interleaved(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Wall seconds of each way, once a round, in a different order each round, after one warm-up.

    Args:
        ways: name to what is to be timed.
        rounds: how often.

    Returns:
        Name to one time a round.
    """
    for run in ways.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    gc.disable()  # a collection would be charged to whoever happens to run
    try:
        for turn in range(rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                start = time.perf_counter()
                ways[name]()
                times[name].append(time.perf_counter() - start)
            gc.collect()
    finally:
        gc.enable()
    return times


def ratio(times: dict[str, list[float]], name: str, to: str) -> tuple[float, float]:
    """The median over rounds of one way's time divided by another's, and half the distance of its quartiles."""
    ratios = [one / other for one, other in zip(times[name], times[to], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return middle, (high - low) / 2


def header() -> str:
    """The machine, the versions and the number of threads."""
    packages = ("torch", "torchvision", "captum", "grad-cam", "torchcam")
    found = [f"{package} {version(package)}" for package in packages]
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}; {', '.join(found)}"
    )


def version(package: str) -> str:
    """A package's version, or that it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
