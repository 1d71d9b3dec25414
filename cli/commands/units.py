"""`interp units`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from interpret.errors import InterpretError, NetworkError

from ..job.ledger import write_table
from ..job.provenance import provenance
from ..job.results import RAW, Outputs, write_result
from ..job.sources import Source, output_stems, sources_of
from ..options.classes import ClassOptions
from ..options.messages import Messages, tell
from ..options.network import ModelOptions
from ..options.output import json_option
from ..options.pictures import PictureOptions
from ..options.record import command, option
from ..options.safety import Written
from ..options.types import COUNT
from .explain.output_targets import output_scores_of
from .explain.targets import NotForThisPicture, Score, results_a_picture, scores_of

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared


@dataclass(frozen=True)
class RankingOptions:
    """How units are ranked, and how many are listed."""

    layer: str | None = option(
        "The layer, as `interp layers` names it; by default the last feature map.", metavar="LAYER"
    )
    method: Literal["conductance", "input-x-gradient", "integrated-gradients"] = option(
        "How it is measured what a unit adds. conductance: how far the unit moves on the way from the baseline, times "
        "its gradient there; input-x-gradient: its activation times its gradient; integrated-gradients: its "
        "activation times its mean gradient on the way.",
        default="conductance",
    )
    baseline: str = option(
        "Where the way begins: black, white, grey, mean, blur, uniform or a number.",
        default="black",
        metavar="NAME|NUMBER",
    )
    steps: int = option("How many points there are on the way.", default=50)
    top: int = option("How many units to list.", default=10, type=COUNT)


@command(short_help="Unit contributions: what the channels of a layer add to a class.")
def units(
    *,
    pictures: PictureOptions,
    classes: ClassOptions,
    ranking: RankingOptions,
    csv: str | None = option("Also write the table of all units to this file.", type=Written(dir_okay=False)),
    output: str | None = option(
        "Also draw where the units add to the class, to a file (png, jpg, webp, pdf, svg; npy and npz hold the "
        "numbers) or a folder.",
        "-o",
        "--output",
        type=Written(),
    ),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Rank the units of a layer by what they add to a class in each PICTURE.

    Each is named as --unit takes it, at the place where it adds most: `interp guided-backprop PICTURE --unit UNIT` then
    shows by which pixels it was excited, and `interp visualize UNIT` what excites it most.
    """
    sources = sources_of(pictures)
    if output == "-":
        raise InterpretError("the table goes to standard output; give -o a file or a folder for the picture")
    outputs = Outputs(output, sources) if output else None
    model.check_classes(*classes.classes, classes.versus)
    with messages.of_the_library():
        classifier = model.open()
        job = _Ranking(classifier, classes, ranking, outputs, provenance("units", model, classifier), as_json)
        if outputs:
            outputs.expect(len(sources) * results_a_picture(classifier, classes))
        failed = _ranked(job, sources, messages)
    if csv and job.rows:
        write_table(Path(csv), job.rows)
        messages.note(csv)
    if failed:
        raise click.exceptions.Exit(1)


def _ranked(job: "_Ranking", sources: list[Source], messages: Messages) -> int:
    """Rank the units for every picture; how many pictures failed."""
    from interpret.datasets.batches import batches

    failures: list[Source] = []

    def failed(item: tuple[Source, Path], error: Exception) -> None:
        failures.append(item[0])
        messages.failure(item[0].shown, error)

    reading = {"read": lambda item: item[0].read(), "waits": lambda item: item[0].waits(), "batch_size": 1}
    items = list(zip(sources, output_stems(sources), strict=True))
    for (picture,) in batches(items, job.classifier, failed, bar=len(sources) > 1, **reading):
        try:
            job.rank(picture, messages)
        except NetworkError:
            raise  # no picture can be explained then
        except (RuntimeError, NotForThisPicture) as error:
            failed(picture.item, error)
    return len(failures)


@dataclass
class _Ranking:
    """One run of the command."""

    classifier: "Classifier"
    classes: ClassOptions
    ranking: RankingOptions
    outputs: Outputs | None
    about: dict[str, Any]
    as_json: bool

    def __post_init__(self) -> None:
        from interpret.network.hooks import find_layer

        if self.ranking.layer is not None:
            find_layer(self.classifier.network, self.ranking.layer)
        self.rows: list[dict[str, Any]] = []  # of the table of all units
        choose = output_scores_of if self.classes.of_output else scores_of
        self.choose = choose(self.classifier, self.classes)

    def rank(self, picture: "Prepared", messages: Messages) -> None:
        """Rank the units for each score of a picture."""
        import torch

        from interpret.layer_outputs import layer_of
        from interpret.scores import score_of
        from interpret.units.contributions import unit_contributions

        view, inputs, chosen = self.classifier.on_inputs(), picture.inputs, self.ranking
        seen = picture
        with torch.no_grad():
            if not self.classes.of_output:
                seen = view(inputs)[0]
            layer = layer_of(view, inputs, chosen.layer)
        for score in self.choose(seen):
            for line in score.notes:
                messages.note(f"{picture.item[0].shown}: {line}")
            options = {"method": chosen.method, "baseline": chosen.baseline, "steps": chosen.steps}
            added = unit_contributions(view, inputs, score.target, layer=layer, **options)[0].cpu()
            with torch.no_grad():
                value = float(score_of(view, inputs, score.target)[0])
            self._tell(picture, score, layer, value, added)

    def _tell(self, picture: "Prepared", score: Score, layer: str, value: float, added: "Tensor") -> None:
        totals = added.sum((1, 2))
        order = totals.argsort(descending=True, stable=True).tolist()
        listed = [_unit(layer, channel, added[channel]) for channel in order]
        shown, source = listed[: self.ranking.top], picture.item[0].shown
        about = {"picture": source, "explained": score.about, "layer": layer, "score": value}
        summed = {"units": len(listed), "sum": float(totals.sum())}
        self.rows += [{"picture": source, "class": score.label, "rank": i, **row} for i, row in enumerate(listed, 1)]
        path = self._drawn(picture, score, layer, added[order[: self.ranking.top]], shown)
        if self.as_json:
            where = {} if path is None else {"path": str(path)}
            tell(json.dumps({**about, **summed, "method": self.ranking.method, "top": shown, **where}))
            return
        tell(f"{source}: {score.unit} {value:.4g}; the {len(listed)} units of {layer} add {summed['sum']:.4g}")
        for rank, row in enumerate(shown, 1):
            tell(f"  {rank:3}  {row['added']:9.4g}  {row['unit']}")
        if path is not None:
            tell(str(path))

    def _drawn(
        self, picture: "Prepared", score: Score, layer: str, added: "Tensor", shown: list[dict[str, Any]]
    ) -> Path | None:
        if self.outputs is None:
            return None
        from interpret.figures.units import contributions_figure

        path = self.outputs.place(picture.item[1], "units", layer, score.label)
        about = {**self.about, "picture": picture.item[0].shown, "explained": score.about, "layer": layer}
        if self.outputs.suffix in RAW:
            write_result(path, {"added": added.numpy(), "units": [row["channel"] for row in shown]}, about)
            return path
        names = [f"{row['unit'].partition('@')[0].rpartition(':')[2]}: {row['added']:.3g}" for row in shown]
        title = f"{layer}: what its units add to the {score.unit}"
        write_result(path, contributions_figure(added, image=picture.inputs, names=names, title=title), about)
        return path


def _unit(layer: str, channel: int, added: "Tensor") -> dict[str, Any]:
    """A unit, where it adds most, and how much it adds in all places together."""
    row, column = divmod(int(added.argmax()), added.shape[1])
    place = f"@{row},{column}" if added.numel() > 1 else ""
    return {"unit": f"{layer}:{channel}{place}", "channel": channel, "added": float(added.sum())}
