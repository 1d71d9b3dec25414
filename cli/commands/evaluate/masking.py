"""`interp evaluate masking`."""

import json
from typing import TYPE_CHECKING

import click

from interpret.datasets.folders import LabelledFile
from interpret.errors import InterpretError

from ...options.messages import Messages, message_options
from ...options.model import ModelOptions, model_options
from ...options.output import json_option
from ...options.types import Radius, check_radius
from .labelled import DataOptions, LabelledPictures, data_options, open_data

if TYPE_CHECKING:
    from torch import Tensor


@click.command(short_help="Is the robustness real? Signs of masked gradients.")
@data_options
@click.option("--eps", type=Radius(), default="8/255", show_default=True, help="Radius of the Linf ball.")
@click.option("--queries", type=click.IntRange(1), default=500, show_default=True, help="Without gradients.")
@model_options
@json_option
@message_options
def masking(
    *, data: DataOptions, eps: float, queries: int, model: ModelOptions, as_json: bool, messages: Messages
) -> None:
    """Is the robustness real? Look for signs that gradients are masked, on a FOLDER of labelled pictures.

    NaN and vanished gradients, saturated logits, probabilities as outputs, randomness; attacks that
    find less the stronger they are; pictures that withstand an attack without bound; and attacks
    without gradients that find what gradients miss. Exits with status 3 where a sign is found.
    """
    from attacks.evaluation.gradient_masking import masking as look

    check_radius(eps)
    pictures = open_data(data, model.open(), messages)
    images, labels = _stacked(pictures)
    view = pictures.classifier.on_inputs()
    checks = look(view, images, labels, eps=eps, queries=queries, seed=data.seed)
    for check in checks:
        row = {"check": check.name, "fine": check.fine, "evidence": check.evidence}
        line = f"{'fine' if check.fine else 'SIGN':5} {check.name:14} {check.evidence}"
        click.echo(json.dumps(row) if as_json else line)
    if not all(check.fine for check in checks):
        messages.note("gradients may be masked: do not believe what gradient attacks leave standing")
        raise click.exceptions.Exit(3)
    if pictures.failed:
        raise click.exceptions.Exit(1)


def _stacked(pictures: LabelledPictures) -> "tuple[Tensor, Tensor]":
    """All pictures that the network takes, (N, C, h, w), and their labels (N,)."""
    import torch

    view = pictures.classifier.on_inputs()

    def usable(_: list[LabelledFile], images: "Tensor", labels: "Tensor") -> "list[tuple[Tensor, Tensor]]":
        view.predict(images)  # too small a picture fails here
        return list(zip(images.split(1), labels.split(1), strict=True))

    found = list(pictures.each(usable))
    if not found:
        raise InterpretError("none of the pictures could be looked at")
    if len({images.shape for images, _ in found}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    images, labels = zip(*found, strict=True)
    return torch.cat(images), torch.cat(labels)
