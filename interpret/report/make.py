"""One HTML file on what a network sees in some pictures: findings picture by picture, then the page."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, NetworkError, PictureError, did_you_mean, error_line
from ..explainers import EXPLAINERS
from ..figures.cache import MapStore
from ..images.files import read
from ..progress import progress_bar, without_bars
from .findings import Finding, ReportOptions, found_in
from .network import PICTURES, Network, SanityCheck, checks
from .render import Report, page
from .smallest_change import Attack

METHODS = ("gradcam", "layercam", "guided_gradcam", "guided_backprop", "saliency", "integrated_gradients")

Watch = Callable[[Finding, list[str]], Any]
Picture = Tensor | str | os.PathLike | Callable[[], Tensor]  # (1, 3, H, W) in [0, 1], its file, or what reads it


@dataclass
class Findings:
    """What was found in some pictures."""

    found: list[Finding] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # the names of the other pictures, and why
    checks: dict[str, SanityCheck] = field(default_factory=dict)  # by method
    inputs: list[Tensor] = field(default_factory=list)  # (1, 3, h, w) of the pictures for the checks
    targets: list[int] = field(default_factory=list)  # the class explained in each of them

    def add(self, finding: Finding, image: Tensor, classifier: Classifier) -> None:
        """Add the finding of a picture, which also serves for the checks if it is one of the first of one shape."""
        self.found.append(finding)
        if len(self.inputs) < PICTURES:
            inputs = classifier.prepare(image.to(classifier.mean.device))[0].clamp(0, 1)
            if not self.inputs or inputs.shape == self.inputs[0].shape:
                self.inputs.append(inputs)
                self.targets.append(finding.explained[0].seen.index)


def report_page(
    classifier: Classifier,
    images: Mapping[str, Tensor] | Sequence[str | os.PathLike],
    *,
    methods: Sequence[str] = METHODS,
    classes: Sequence[str | int] = (),
    attack: Attack | None = None,
    check: bool = True,
    name: str = "",
    seed: int = 0,
) -> str:
    """What a network sees in some pictures, and how far to believe the maps of it, as one HTML file.

    Args:
        classifier: the network to explain.
        images: (1, 3, H, W) in [0, 1] by name, or files and samples.
        methods: names of the table of explainers.
        classes: names, groups or indices to explain; the top prediction of each picture by default.
        attack: what looks for a small change that alters the answer, such as
            ``interpret.report.smallest_change.Attack(functools.partial(attacks.fmn, quantize=True), "FMN")``; None
            looks for none.
        check: whether each method's sanity check is made.
        name: of the network.
        seed: of everything random.

    Returns:
        The page, which needs no other file and no connection.

    Raises:
        InterpretError: a method or a class that does not exist, or no picture that can be shown. A picture
            that cannot be read, or that the network fails on, is listed on the page beside the others.
    """
    from .. import __version__

    _check_names(classifier, methods, classes)
    if isinstance(images, Mapping):
        named = list(images.items())
    else:
        named = [(str(file) if str(file).startswith("sample:") else Path(file).name, file) for file in images]
    results = examine(classifier, named, ReportOptions(methods, classes, attack, seed), check=check)
    if not results.found:
        reason = results.failed[0][1] if results.failed else "there are none"
        raise InterpretError(f"none of the pictures can be shown: {reason}")
    network = Network.of(classifier, name or type(classifier.network).__name__, results.inputs[0])
    versions = {"interp": __version__, "torch": torch.__version__}
    return page(Report(network, results.found, results.checks, results.failed, versions=versions, seed=seed))


def examine(
    classifier: Classifier,
    pictures: Sequence[tuple[str, Picture]],
    options: ReportOptions,
    *,
    check: bool = True,
    store: MapStore | None = None,
    watch: Watch | None = None,
    failed: Callable[[str, Exception], Any] = lambda name, error: None,
) -> Findings:
    """Explain pictures one by one, and check the methods; a picture that fails does not end the run.

    Args:
        classifier: the network to explain.
        pictures: names, and images (1, 3, H, W) in [0, 1], their files, or functions that read them.
        options: what to show of each.
        check: whether each method's sanity check is made, on the first pictures and the first class of each.
        store: what keeps the checks, so that another report of the same network and pictures does not repeat them.
        watch: called with each finding and the warnings that Python had for it; without it they are shown as usual.
        failed: called with the name of each picture that cannot be read or that the network fails on, and the error.

    Returns:
        The findings, the names of the pictures that failed, and the checks.
    """
    results = Findings()
    with progress_bar(1, "report", "piece") as bar, without_bars():
        options = replace(options, done=bar.update)

        def beginning(of: str) -> Callable[[str], None]:
            return lambda what: bar.set_description(f"{of}: {what}")

        bar.total = len(pictures) * options.pieces() + len(options.methods) * check
        for number, (name, picture) in enumerate(pictures, 1):
            try:
                image = _image(picture)
                told = replace(options, begin=beginning(name))
                results.add(_watched(watch, name, image, classifier, told), image, classifier)
            except (PictureError, NetworkError, RuntimeError) as error:
                failed(name, error)
                results.failed.append((name, error_line(error)))
            bar.update(number * options.pieces() - bar.n)
        if check and results.found:
            subjects = results.inputs, results.targets, options.methods
            steps = {"begin": beginning("sanity check"), "done": options.done}
            made = checks(classifier, *subjects, seed=options.seed, store=store, **steps)
            results.checks = {check.method: check for check in made}
    return results


def _image(picture: Picture) -> Tensor:
    if isinstance(picture, Tensor):
        return picture
    return picture() if callable(picture) else read(picture)


def _watched(watch: Watch | None, name: str, image: Tensor, classifier: Classifier, options: ReportOptions) -> Finding:
    if watch is None:
        return found_in(name, image, classifier, options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        finding = found_in(name, image, classifier, options)
    watch(finding, [str(warning.message) for warning in caught])
    return finding


def _check_names(classifier: Classifier, methods: Sequence[str], classes: Sequence[str | int]) -> None:
    """Refuse methods that do not exist and classes that the network lacks, before any work."""
    for method in methods:
        if method not in EXPLAINERS:
            raise InterpretError(f"no method {method!r}{did_you_mean(method, EXPLAINERS)}")
    if not methods:
        raise InterpretError("a report needs at least one method")
    for query in classes:
        if classifier.labels is not None:
            classifier.labels.find(query)
