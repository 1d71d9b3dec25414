"""Side by side: several ways to do one job, interleaved in one process or in processes of their own."""

import contextlib
import gc
import importlib.metadata
import io
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

PACKAGES = ("torch", "torchvision", "captum", "grad-cam", "torchcam")
PACKAGES += ("torchattacks", "foolbox", "adversarial-robustness-toolbox")


class Cost(NamedTuple):
    """What one run took."""

    cpu: float  # seconds
    wall: float  # seconds


class Process(NamedTuple):
    """What a process of its own took, start-up included, and what it printed."""

    cpu: float  # seconds
    wall: float  # seconds
    peak: float  # MB of memory
    printed: str


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Cost]]:
    """The cost of each way, once a round, in a different order each round, after one warm-up.

    Args:
        ways: name to what is to be timed.
        rounds: how often.

    Returns:
        Name to one cost a round.
    """
    for run in ways.values():
        run()
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    names = list(ways)
    gc.disable()  # a collection would be charged to whoever happens to run
    try:
        for turn in range(rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                wall, cpu = time.perf_counter(), time.process_time()
                ways[name]()
                costs[name].append(Cost(time.process_time() - cpu, time.perf_counter() - wall))
            gc.collect()
    finally:
        gc.enable()
    return costs


# A child's peak of memory begins with that of the process it was forked from, which is why a small one does it.
LAUNCHER = """
import os, resource, subprocess, sys
status = subprocess.call([sys.executable, *sys.argv[2:]])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
os.write(int(sys.argv[1]), f"{status} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}".encode())
"""


def process(*words: str, threads: int) -> Process:
    """Run Python with these words, alone: CPU and wall seconds, the peak of memory in MB, and what it prints."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    read, write = os.pipe()
    began = time.perf_counter()
    launched = [sys.executable, "-S", "-c", LAUNCHER, str(write), *words]
    with open(os.devnull) as nothing, os.fdopen(read) as measured:
        done = subprocess.run(
            launched, stdin=nothing, stdout=subprocess.PIPE, env=environment, text=True, pass_fds=[write]
        )
        wall = time.perf_counter() - began
        os.close(write)
        status, cpu, peak = map(float, measured.read().split())
    if status:
        raise SystemExit(f"python {' '.join(words)[:200]} failed with {status:.0f}")
    return Process(cpu, wall, peak, done.stdout)


def ratio(costs: Mapping[str, list[Cost]], name: str, to: str) -> tuple[float, float]:
    """The median over rounds of one way's CPU seconds divided by another's, and their spread."""
    return middle([one.cpu / other.cpu for one, other in zip(costs[name], costs[to], strict=True)])


def middle(values: list[float]) -> tuple[float, float]:
    """The median, and half the distance of the quartiles; of fewer than three values, that of all."""
    if len(values) < 3:
        return statistics.median(values), (max(values) - min(values)) / 2
    low, _, high = statistics.quantiles(values, n=4)
    return statistics.median(values), (high - low) / 2


def installed(makers: Mapping[str, Callable[..., Any]], *given: object) -> dict[str, Any]:
    """What makes a peer's way of doing a job, called for those peers that are installed."""
    found = {}
    for name, make in makers.items():
        with contextlib.suppress(ImportError), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            found[name] = make(*given)
    return found


def header() -> str:
    """The machine, the versions and the number of threads."""
    found = [f"{package} {version(package)}" for package in PACKAGES]
    return (
        f"{platform.machine()}, {processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}; {', '.join(found)}"
    )


def processor() -> str:
    """Its name, where the system tells."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def version(package: str) -> str:
    """A package's version, or that it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
