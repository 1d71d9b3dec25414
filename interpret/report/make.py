"""One HTML file on what a network sees in some pictures: they are examined one by one, then the page is made."""

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
from ..images.files import read
from ..progress import progress_bar, without_bars
from .findings import Finding, ReportOptions, found_in
from .network import PICTURES, Network, SanityCheck, checks
from .render import Report, page
from .smallest_change import Attack

METHODS = ("gradcam", "layercam", "guided_gradcam", "guided_backprop", "saliency", "integrated_gradients")

Watch = Callable[[Finding, list[str]], Any]
Picture = Tensor | str | os.PathLike | Callable[[], Tensor]  # (1, 3, H, W) in [0, 1], a file, or a function to read it


@dataclass
class Findings:
    """What was found in some pictures."""

    found: list[Finding] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # the names of the other pictures, and the reasons
    checks: dict[str, SanityCheck] = field(default_factory=dict)  # by method
    inputs: list[Tensor] = field(default_factory=list)  # (1, 3, h, w) of the pictures for the checks
    targets: list[int] = field(default_factory=list)  # the class explained in each of them

    def add(self, finding: Finding, image: Tensor, classifier: Classifier) -> None:
        """Add what was found in a picture; the first few pictures, of one shape, are kept for the sanity checks."""
        self.found.append(finding)
        if len(self.inputs) < PICTURES:
            inputs = classifier.prepare(image.to(classifier.mean.device))[0].clamp(0, 1)
            if not self.inputs or inputs.shape == self.inputs[0].shape:
                self.inputs.append(inputs)
                self.targets.append(finding.explained[0].prediction.index)


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
    """What a network sees in some pictures, and how far its maps can be trusted, as one HTML file.

    Args:
        classifier: the network to explain.
        images: (1, 3, H, W) in [0, 1] by name, or files and samples.
        methods: names of the table EXPLAINERS.
        classes: names, groups or indices to explain; by default the top prediction of each picture.
        attack: looks for a small change that alters the prediction, such as
            ``interpret.report.smallest_change.Attack(functools.partial(attacks.fmn, quantize=True), "FMN")``; by
            default none is looked for.
        check: whether the sanity check of each method is made.
        name: of the network.
        seed: of everything random.

    Returns:
        The page, which needs no other file and no connection.

    Raises:
        InterpretError: a method or a class that does not exist, or no picture that can be shown. Single pictures that
            cannot be read, or that the network fails on, are listed on the page beside the others.
    """
    _check_names(classifier, methods, classes)
    named = list(images.items()) if isinstance(images, Mapping) else [(_name_of(str(file)), file) for file in images]
    results = examine(classifier, named, ReportOptions(methods, classes, attack, seed), check=check)
    if not results.found:
        reason = results.failed[0][1] if results.failed else "there are none"
        raise InterpretError(f"none of the pictures can be shown: {reason}")
    network = Network.of(classifier, name or type(classifier.network).__name__, results.inputs[0])
    return page(Report(network, results.found, results.checks, results.failed, versions=_versions(), seed=seed))


def examine(
    classifier: Classifier,
    pictures: Sequence[tuple[str, Picture]],
    options: ReportOptions,
    *,
    check: bool = True,
    watch: Watch | None = None,
    failed: Callable[[str, Exception], Any] = lambda name, error: None,
) -> Findings:
    """What is found in named pictures, one by one, and by the sanity checks of the methods.

    The checks are made on the first class of the first pictures. ``watch`` is called with each finding and the warnings
    that Python gave meanwhile; without it these are shown as usual. ``failed`` is called with the name of each picture
    that cannot be read or that the network fails on, and the error; such pictures are skipped.
    """
    results = Findings()
    with progress_bar(1, "report", "piece") as bar, without_bars():
        options = replace(options, done=bar.update)
        bar.total = len(pictures) * options.pieces() + len(options.methods) * check
        for number, (name, picture) in enumerate(pictures, 1):
            try:
                image = _image(picture)
                results.add(_watched(watch, name, image, classifier, options), image, classifier)
            except (PictureError, NetworkError, RuntimeError) as error:
                failed(name, error)
                results.failed.append((name, error_line(error)))
            bar.update(number * options.pieces() - bar.n)
        if check and results.found:
            given = results.inputs, results.targets, options.methods
            found = checks(classifier, *given, seed=options.seed, done=options.done)
            results.checks = {one.method: one for one in found}
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


def _name_of(file: str) -> str:
    return file if file.startswith("sample:") else Path(file).name


def _versions() -> dict[str, str]:
    from .. import __version__

    return {"interp": __version__, "torch": torch.__version__}
