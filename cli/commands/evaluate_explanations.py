"""`interp evaluate faithfulness` and `interp evaluate sanity`: which explanation to believe."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.bundled import samples
from interpret.errors import InterpretError
from interpret.faithfulness import METRICS, NEEDS_REGIONS

from .. import options
from ..drawn import about_run, seed_option
from ..evaluating import Ledger, limit_option, run_hash
from ..inputs import find_pictures
from ..outputs import RESULTS, write_result
from ..ranking import Comparison, Names, budget_option, drawn_at_random, methods_option, read_all
from ..ranking_table import sanity_rows, standing_row, table_lines, tell_sanity, write_table
from ..regions import regions_in

if TYPE_CHECKING:
    import torch

    from interpret.classifier import Classifier
    from interpret.faithfulness.sanity import Sanity

SAMPLES = ("cat", "giant-panda", "bison", "koala", "lemur")
folder_option = click.option(
    "-o", "--output", type=click.Path(), default=RESULTS, show_default=True, help="A folder for the results."
)


@click.command(short_help="Rank explainers by what their maps foretell.")
@options.pictures_argument
@options.recursive_option
@methods_option
@click.option(
    "--metrics",
    type=Names(METRICS, "metric"),
    default="insertion,deletion,average-drop,average-increase",
    show_default=True,
    metavar="NAME,NAME",
    help=f"What to measure; the first one ranks. There are {', '.join(METRICS).replace('_', '-')}; or all.",
)
@click.option(
    "--baselines",
    type=Names(("blur", "black", "mean"), "baseline"),
    default="blur",
    show_default=True,
    metavar="NAME,NAME",
    help="What hidden pixels turn into in insertion and deletion: blur, black, mean; a column for each.",
)
@click.option("--steps", type=click.IntRange(1), default=10, show_default=True, help="Points of each curve.")
@click.option(
    "--regions",
    type=click.Path(),
    metavar="FILE|FOLDER",
    help="Where the objects are, for the pointing game and the relevance mass: a JSON file with a box "
    "[left, top, right, bottom] for each picture's name, or a folder of masks called as the pictures.",
)
@budget_option
@limit_option
@seed_option
@folder_option
@click.option("--no-clobber", is_flag=True, help="Go on with the pictures' numbers of an earlier run.")
@options.model_options
@options.json_option
@options.message_options
def faithfulness(pictures: tuple[str, ...], recursive: bool, methods: list[str], **settings: Any) -> None:
    """Rank explainers by how well their maps foretell what the network does when parts of a picture are hidden.

    Each method explains the top prediction of every picture; labels are not needed. Insertion shows
    the highest places of a map first, and deletion hides them first; the number is the area below the
    class's probability. A random map and a hill in the middle of the picture are measured beside the
    methods, and ranks go by the gain over the random map on the same pictures. Intervals are 95 %
    bootstrap intervals of the mean. Writes the ranking and each picture's numbers and
    curves as CSV, and figures of both.
    """
    from interpret.faithfulness.ranking import Trial, standings
    from interpret.figures import ranking_curves, ranking_figure

    named = dict(settings)
    metrics = _usable_metrics(settings)
    sources = find_pictures(pictures, recursive)
    regions = regions_in(settings["regions"]) if settings["regions"] else None
    classifier = options.open_classifier(settings)
    trial = Trial(metrics, settings["baselines"], settings["steps"], settings["seed"])
    folder = Path(settings["output"])
    points = [f"{name}_curve" for name in trial.curves()]
    columns = ["file", "class", "method", "passes", *trial.columns(), *points, "run"]
    each = folder / "faithfulness_pictures.csv"
    ledger = Ledger(each, columns, settings["no_clobber"], key=("file", "method"))
    run = run_hash(classifier, trial, settings["regions"])
    messages = {"verbose": settings["verbose"], "quiet": settings["quiet"]}
    comparison = Comparison(classifier, methods, trial, settings["budget"], ledger, run, regions, **messages)
    comparison.run(drawn_at_random(sources, settings["limit"], settings["seed"]))
    by = trial.columns()[0]
    found = standings(comparison.results, comparison.passes, by, settings["seed"])
    numbers = iter(range(1, len(found) + 1))
    ranked = [(next(numbers) if standing.method in methods else None, standing) for standing in found]
    rows = [standing_row(rank, standing) for rank, standing in ranked]
    for line in map(json.dumps, rows) if settings["as_json"] else table_lines(ranked, by):
        click.echo(line)
    write_table(folder / "faithfulness.csv", rows)
    title = f"{named['model']}, {comparison.pictures} pictures: means with 95 % intervals; dotted: a random map"
    about = about_run("evaluate faithfulness", named, classifier, ranking=rows, seed=settings["seed"])
    write_result(folder / "faithfulness.png", ranking_figure(ranked, trial.columns(), title), about)
    made = [folder / "faithfulness.csv", each, folder / "faithfulness.png"]
    if trial.curves():
        made.append(folder / "faithfulness_curves.png")
        write_result(made[-1], ranking_curves(ranked, comparison.curves, trial.curves(), named["model"]), about)
    below = [standing.method.replace("_", "-") for rank, standing in ranked if rank and not standing.gains[by].mean > 0]
    if below:
        options.note(f"no better than a random map on {by.replace('_', '-')}: {', '.join(below)}", settings["quiet"])
    options.note(", ".join(map(str, made)), settings["quiet"])
    if comparison.failed:
        raise click.exceptions.Exit(1)


def _usable_metrics(settings: dict[str, Any]) -> list[str]:
    """The metrics asked for, and those that regions make possible; an error where these are missing."""
    metrics = settings["metrics"]
    if settings["regions"]:
        return [*metrics, *(name for name in NEEDS_REGIONS if name not in metrics)]
    if set(metrics) == set(METRICS):
        return [name for name in metrics if name not in NEEDS_REGIONS]
    for name in NEEDS_REGIONS:
        if name in metrics:
            raise InterpretError(f"{name.replace('_', '-')} needs to know where the objects are; give --regions")
    return metrics


@click.command(short_help="Do explanations depend on what the network has learnt?")
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...", shell_complete=options.complete_pictures)
@options.recursive_option
@methods_option
@click.option("--depths", type=click.IntRange(1), default=8, show_default=True, help="Steps from the top down.")
@budget_option
@limit_option
@seed_option
@folder_option
@options.model_options
@options.json_option
@options.message_options
def sanity(pictures: tuple[str, ...], recursive: bool, methods: list[str], **settings: Any) -> None:
    """Do explanations depend on what the network has learnt? Shuffle its weights, and look at the maps again.

    A copy of the network loses its weights from the top block down, and block by block; maps of the top
    prediction are compared with those of the network as it is, by the rank correlation of their sizes and
    by SSIM. A method whose maps keep a correlation of 0.8 or more when the top block is lost does not
    depend on the weights. How alike the maps of two networks are that are random throughout is the
    floor. Without PICTURES some bundled samples are taken. Methods that need many passes look at fewer
    pictures and depths.
    """
    from interpret.figures import sanity_figure
    from interpret.progress import without_bars

    named = dict(settings)
    known = samples()
    given = pictures or [f"sample:{name}" for name in SAMPLES if name in known]
    sources = drawn_at_random(find_pictures(given, recursive), settings["limit"], settings["seed"])
    classifier = options.open_classifier(settings)
    images, targets, failed = read_all(sources, classifier, settings["verbose"])
    checked = []
    with without_bars():
        for method in methods:
            found = _checked(classifier.on_inputs(), images, targets, method, settings)
            if found is not None:
                checked.append(found)
                tell_sanity(found, settings["as_json"], first=len(checked) == 1)
    if not checked:
        raise InterpretError("none of the methods can explain this network")
    folder = Path(settings["output"])
    write_table(folder / "sanity.csv", [row for found in checked for row in sanity_rows(found)])
    about = about_run("evaluate sanity", named, classifier, seed=settings["seed"])
    title = f"{named['model']}: rank correlation with the maps of the network as it is, when weights are lost"
    write_result(folder / "sanity.png", sanity_figure(checked, title), about)
    options.note(f"{folder / 'sanity.csv'}, {folder / 'sanity.png'}", settings["quiet"])
    if failed:
        raise click.exceptions.Exit(1)


def _checked(
    view: "Classifier", images: "torch.Tensor", targets: list[int], method: str, settings: dict[str, Any]
) -> "Sanity | None":
    """The check, as deep and on as many pictures as the budget goes; None where the method cannot be used."""
    from interpret.faithfulness.sanity import affordable, sanity

    name = method.replace("_", "-")
    try:
        count, depths, alone = affordable(
            view, images, targets, method, depths=settings["depths"], budget=settings["budget"]
        )
        if count < len(images) or not alone:
            what = f"{count} of {len(images)} pictures" + ("" if alone else f" at {depths} depths, cascading only")
            options.note(f"{name} takes many passes: {what} within --budget {settings['budget']}", settings["quiet"])
        chosen = {"depths": depths, "one_by_one": alone, "seed": settings["seed"]}
        return sanity(view, images[:count], targets[:count], method, **chosen)
    except InterpretError as error:
        options.note(f"{name} is left out: {error}", settings["quiet"])
        return None
