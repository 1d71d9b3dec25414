"""One HTML file on what a network sees in some pictures, from Python."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, NetworkError, PictureError, did_you_mean
from ..explainers import EXPLAINERS
from ..images.files import read
from ..progress import progress_bar, without_bars
from .findings import Finding, Wanted, found_in
from .network import Check, Network, checks
from .page import Report, page
from .smallest_change import Attack, error_line

METHODS = ("gradcam", "layercam", "guided_gradcam", "guided_backprop", "saliency", "integrated_gradients")


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
    check_names(classifier, methods, classes)
    named = list(images.items()) if isinstance(images, Mapping) else [(_shown(str(file)), file) for file in images]
    with progress_bar(1, "report", "piece") as bar, without_bars():
        wanted = Wanted(methods, classes, attack, seed, bar.update)
        bar.total = len(named) * wanted.pieces() + len(methods) * check
        findings, failed, kept = [], [], []
        for title, given in named:
            try:
                image = given if isinstance(given, Tensor) else read(given)
                findings.append(found_in(title, image, classifier, wanted))
                kept.append(image)
            except (PictureError, NetworkError, RuntimeError) as error:
                failed.append((title, error_line(error)))
        if not findings:
            raise InterpretError(f"none of the pictures can be shown: {failed[0][1] if failed else 'there are none'}")
        checked = checked_methods(classifier, kept, findings, wanted) if check else {}
    network = Network.of(classifier, name or type(classifier.network).__name__, kept[0])
    return page(Report(network, findings, checked, failed, versions=versions(), seed=seed))


def check_names(classifier: Classifier, methods: Sequence[str], classes: Sequence[str | int]) -> None:
    """Refuse methods that do not exist and classes that the network lacks, before any work."""
    for method in methods:
        if method not in EXPLAINERS:
            raise InterpretError(f"no method {method!r}{did_you_mean(method, EXPLAINERS)}")
    if not methods:
        raise InterpretError("a report needs at least one method")
    for query in classes:
        if classifier.labels is not None:
            classifier.labels.find(query)


def checked_methods(
    classifier: Classifier, images: Sequence[Tensor], findings: Sequence[Finding], wanted: Wanted
) -> dict[str, Check]:
    """The sanity check of each method, for the first class explained of the first pictures."""
    device = classifier.mean.device
    inputs = [classifier.prepare(image.to(device))[0].clamp(0, 1) for image in images]
    targets = [finding.explained[0].seen.index for finding in findings]
    found = checks(classifier, inputs, targets, wanted.methods, seed=wanted.seed, done=wanted.done)
    return {check.method: check for check in found}


def versions() -> dict[str, str]:
    """What made the page."""
    from .. import __version__

    return {"interp": __version__, "torch": torch.__version__}


def _shown(file: str) -> str:
    return file if file.startswith("sample:") else Path(file).name
