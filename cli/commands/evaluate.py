"""`interp evaluate`: how often a network is right, how easily it is fooled, and whether that can be believed."""

import json
from typing import Any

import click

from interpret.errors import InterpretError

from .. import options
from ..batches import batch_option
from ..evaluating import data_argument, fail_option, leave, limit_option, open_data, said, seed_option, share_of
from ..hints import HintingGroup
from ..inputs import Source
from ..together import together
from .evaluate_explanations import faithfulness, sanity
from .evaluate_robustness import robustness


@click.group(cls=HintingGroup, short_help="Measure a network on a folder of labelled pictures.")
def evaluate() -> None:
    """Measure a network on a FOLDER of labelled pictures.

    Labels come from a labels.csv in the folder (columns file,label), from the names of the folders
    inside, or from files' names that begin with the class's number (0470_candle.jpg).
    """


evaluate.add_command(faithfulness)
evaluate.add_command(sanity)
evaluate.add_command(robustness)


@evaluate.command(short_help="The share of pictures that are classified right.")
@data_argument
@limit_option
@batch_option
@fail_option
@seed_option
@options.fold_option
@options.model_options
@options.json_option
@options.message_options
def accuracy(data: str, **settings: Any) -> None:
    """The share of a FOLDER's pictures that are classified right, with its 95 % interval."""
    from attacks import distributed
    from attacks.core.labels import predictions

    with together(settings) as speaks:
        classifier = options.open_classifier(settings)
        pictures = open_data(data, classifier, settings, settings["seed"])
        pictures.known = distributed.own(pictures.known)
        view = classifier.on_inputs()
        right = list(pictures.each(lambda _, images, labels: (predictions(view, images) == labels).tolist()))
        counted = sum(right), len(right), pictures.failed
        right, count, failed = map(sum, zip(*distributed.gathered(counted), strict=True))
        result = share_of(right, count)
        if speaks:
            click.echo(json.dumps(result) if settings["as_json"] else f"top-1 {said(result)}")
        leave(failed, settings["fail_under"], result["share"])


@evaluate.command(short_help="Is the robustness real? Signs of masked gradients.")
@data_argument
@click.option("--eps", type=options.Radius(), default="8/255", show_default=True, help="Radius of the Linf ball.")
@click.option("--queries", type=click.IntRange(1), default=500, show_default=True, help="Without gradients.")
@limit_option
@batch_option
@seed_option
@options.model_options
@options.json_option
@options.message_options
def masking(data: str, eps: float, queries: int, **settings: Any) -> None:
    """Is the robustness real? Look for signs that gradients are masked, on a FOLDER of labelled pictures.

    NaN and vanished gradients, saturated logits, probabilities as outputs, randomness; attacks that
    find less the stronger they are; pictures that withstand an attack without bound; and attacks
    without gradients that find what gradients miss. Exits with status 3 where a sign is found.
    """
    import torch

    from attacks.core.labels import predictions
    from attacks.evaluation.gradient_masking import masking_checks

    classifier = options.open_classifier(settings)
    pictures = open_data(data, classifier, settings, settings["seed"])
    view = classifier.on_inputs()

    def usable(_: list[Source], images: torch.Tensor, labels: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        predictions(view, images)  # too small a picture fails here
        return list(zip(images.split(1), labels.split(1), strict=True))

    found = list(pictures.each(usable))
    if not found:
        raise InterpretError("none of the pictures could be looked at")
    if len({images.shape for images, _ in found}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    images, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
    checks = masking_checks(view, images, labels, eps=eps, queries=queries, seed=settings["seed"])
    for check in checks:
        row = {"check": check.name, "fine": check.fine, "evidence": check.evidence}
        click.echo(
            json.dumps(row)
            if settings["as_json"]
            else f"{'fine' if check.fine else 'SIGN':5} {check.name:14} {check.evidence}"
        )
    if not all(check.fine for check in checks):
        options.note("gradients may be masked: do not believe what gradient attacks leave standing", settings["quiet"])
        raise click.exceptions.Exit(3)
    if pictures.failed:
        raise click.exceptions.Exit(1)
