"""`interp evaluate faithfulness`: which explanation foretells best what the network does."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError
from interpret.faithfulness import METRICS, NEEDS_REGIONS

from ...job.ledger import Ledger, write_table
from ...job.provenance import digest, provenance
from ...job.results import write_result
from ...job.sources import Source, sources_of
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import folder_option, json_option
from ...options.pictures import PictureOptions
from ...options.record import command, option
from ...options.types import COUNT, Names, dashed
from .explanations import MethodOptions
from .tables import ranking_lines, ranking_row

if TYPE_CHECKING:
    from interpret.datasets.boxes import Regions
    from interpret.faithfulness.measures import Measurement, MetricSettings
    from interpret.faithfulness.ranking import Ranking


@dataclass(frozen=True)
class MetricOptions:
    """What the maps are measured by."""

    metrics: list[str] = option(
        f"What is measured; methods are ranked by the first. There are {', '.join(METRICS).replace('_', '-')}; or all.",
        default="insertion,deletion,average-drop,average-increase",
        type=Names(METRICS, "metric"),
        metavar="NAME,NAME",
    )
    baselines: list[str] = option(
        "What hidden pixels become in insertion and deletion: blur, black, mean, rise-blur; each has its columns.",
        default="blur",
        type=Names(("blur", "black", "mean", "rise-blur"), "baseline"),
        metavar="NAME,NAME",
    )
    steps: int = option("How many points each curve has.", default=10, type=COUNT)
    regions: str | None = option(
        "Where the objects are, for the pointing game and the relevance mass: a JSON file with a box "
        "[left, top, right, bottom] for each picture's name, or a folder of masks with the pictures' names.",
        type=click.Path(),
        metavar="FILE|FOLDER",
    )

    def usable(self) -> list[str]:
        """The metrics asked for, and those that regions make possible; an error where these are missing."""
        if self.regions:
            return [*self.metrics, *(name for name in NEEDS_REGIONS if name not in self.metrics)]
        if set(self.metrics) == set(METRICS):
            return [name for name in self.metrics if name not in NEEDS_REGIONS]
        for name in NEEDS_REGIONS:
            if name in self.metrics:
                raise InterpretError(f"{dashed(name)} needs to know where the objects are; give --regions")
        return self.metrics


@command(short_help="Rank explainers by what their maps foretell.")
def faithfulness(
    *,
    pictures: PictureOptions,
    methods: MethodOptions,
    metrics: MetricOptions,
    output: str = folder_option(),
    no_clobber: bool = option("Go on with the pictures' numbers of an earlier run."),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Rank explainers by how well their maps foretell what the network does when parts of a picture are hidden.

    Each method explains the top prediction of every picture; labels are not needed. Insertion shows
    the highest places of a map first, and deletion hides them first; the number is the area below the
    class's probability. A random map and a hill in the middle of the picture are measured beside the
    methods, and ranks go by the gain over the random map on the same pictures. Intervals are 95 %
    bootstrap intervals of the mean. Writes the ranking and each picture's numbers and
    curves as CSV, and figures of both.
    """
    from interpret.datasets.boxes import read_regions
    from interpret.faithfulness.measures import MetricSettings
    from interpret.faithfulness.ranking import Ranking

    wanted, sources = metrics.usable(), sources_of(pictures)
    regions = read_regions(Path(metrics.regions)) if metrics.regions else None
    classifier = model.open(tiles=True)
    settings = MetricSettings(wanted, metrics.baselines, metrics.steps, methods.seed)
    folder = Path(output)
    ledger = _ledger(folder, settings, no_clobber, digest(classifier, settings=vars(settings), regions=metrics.regions))
    work = _Work(Ranking(classifier, methods.methods, settings, methods.budget), ledger, regions, messages)
    work.run(methods.drawn(sources))
    about = provenance("evaluate faithfulness", model, classifier, seed=methods.seed)
    _write(work.ranking, folder, about, messages, as_json)
    if work.failed:
        raise click.exceptions.Exit(1)


def _ledger(folder: Path, settings: "MetricSettings", resume: bool, run: str) -> Ledger:
    points = [f"{name}_curve" for name in settings.curves()]
    columns = ["file", "class", "method", "passes", *settings.columns(), *points, "run"]
    return Ledger(folder / "faithfulness_pictures.csv", columns, resume=resume, run=run, key=("file", "method"))


@dataclass
class _Work:
    """A ranking at work; what is measured is written at once, so that a run can go on later."""

    ranking: "Ranking"
    ledger: Ledger
    regions: "Regions | None"
    messages: Messages
    failed: int = field(default=0)

    def run(self, sources: list[Source]) -> None:
        """Try every method on every picture, as far as its budget goes."""
        from tqdm import tqdm

        from interpret.progress import without_bars

        with without_bars():
            for source in tqdm(sources, disable=self.messages.quiet or None, leave=False, unit="picture"):
                try:
                    self._try_on(source)
                except (PictureError, RuntimeError) as error:  # an InterpretError is neither
                    self.failed += 1
                    self.messages.failure(source.shown, error)

    def _try_on(self, source: Source) -> None:
        """Try the methods that have passes left on one picture, but for what an earlier run has done."""
        from interpret.datasets.boxes import on_input
        from interpret.faithfulness.measures import Sample

        for method in list(self.ranking.results):
            if row := self.ledger.rows.get(f"{source.shown} {method}"):
                self.ranking.record(_read(row, self.ranking.settings))
        if not self.ranking.waiting(source.shown):
            return
        classifier, image = self.ranking.classifier, source.read()
        inputs, geometry = classifier.prepare(image)
        inputs = inputs.clamp(0, 1).to(classifier.mean.device)  # bicubic resizing overshoots; a picture does not
        region = self.regions(source.inside, image) if self.regions else None
        if region is not None:
            region = on_input(region, geometry).to(inputs.device)
        target = int(classifier.on_inputs().predict(inputs))
        for found in self.ranking.measure(Sample(source.shown, inputs, target, region), self._left_out):
            self.ledger.add([_row(found, classifier.name(target))])

    def _left_out(self, method: str, error: InterpretError) -> None:
        self.messages.note(f"{dashed(method)} is left out: {error}")


def _row(found: "Measurement", name: str) -> dict[str, Any]:
    """What was measured as a row of the table."""
    points = {f"{name}_curve": " ".join(map(repr, map(float, curve))) for name, curve in found.curves.items()}
    about = {"file": found.picture, "class": name, "method": found.method, "passes": found.passes}
    return about | found.values | points


def _read(row: dict[str, str], settings: "MetricSettings") -> "Measurement":
    """What was measured, from a row of the table."""
    from interpret.faithfulness.measures import Measurement

    curves = {name: list(map(float, row[f"{name}_curve"].split())) for name in settings.curves()}
    values = {name: float(row[name]) for name in settings.columns()}
    return Measurement(row["method"], row["file"], values, curves, int(row["passes"]))


def _write(ranking: "Ranking", folder: Path, about: dict[str, Any], messages: Messages, as_json: bool) -> None:
    """The table on standard output, and the files."""
    from interpret.figures.line_plots import ranking_curves
    from interpret.figures.method_ranking import ranking_figure

    methods, settings = ranking.ranked(), ranking.settings
    by = settings.columns()[0]
    _note_who_saw_fewer(ranking, messages)
    numbers = iter(range(1, len(methods) + 1))
    ranked = [(next(numbers) if method.name in ranking.methods else None, method) for method in methods]
    rows = [ranking_row(rank, method) for rank, method in ranked]
    for line in map(json.dumps, rows) if as_json else ranking_lines(ranked, by):
        tell(line)
    write_table(folder / "faithfulness.csv", rows)
    title = f"{about['model']}, {ranking.pictures} pictures: means with 95 % intervals; dotted: a random map"
    about = {**about, "ranking": rows}
    write_result(folder / "faithfulness.png", ranking_figure(ranked, settings.columns(), title), about)
    made = [folder / "faithfulness.csv", folder / "faithfulness_pictures.csv", folder / "faithfulness.png"]
    if settings.curves():
        made.append(folder / "faithfulness_curves.png")
        write_result(made[-1], ranking_curves(ranked, ranking.curves, settings.curves(), about["model"]), about)
    below = [dashed(method.name) for rank, method in ranked if rank and not method.gains[by].mean > 0]
    if below:
        messages.note(f"no better than a random map on {dashed(by)}: {', '.join(below)}")
    messages.note(", ".join(map(str, made)))


def _note_who_saw_fewer(ranking: "Ranking", messages: Messages) -> None:
    for method, rows in ranking.results.items():
        if rows and len(rows) < ranking.pictures:
            each = round(ranking.passes[method] / len(rows))
            messages.note(
                f"{dashed(method)} takes {each} passes a picture: {len(rows)} of {ranking.pictures} "
                f"pictures within --budget {ranking.budget}"
            )
