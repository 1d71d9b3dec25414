"""`interp tcav`."""

import json
from pathlib import Path
from typing import Any

import click

from interpret.bundled import samples
from interpret.errors import InterpretError

from ..job.ledger import write_table
from ..job.provenance import provenance
from ..job.sources import find_pictures, sources_of
from ..options.classes import class_option
from ..options.messages import Messages, tell
from ..options.network import ModelOptions
from ..options.output import json_option
from ..options.pictures import PictureOptions, seed_option
from ..options.record import command, option
from ..options.safety import Written
from .concepts import class_target, read_pictures


@command(short_help="Test whether a class depends on concepts of one's own.")
def tcav(
    *,
    pictures: PictureOptions,
    class_name: str = class_option("The class, or a group such as dog, whose pictures these are.", "-c", "--class"),
    concept: tuple[str, ...] = option(
        "A folder of pictures of a concept; may be repeated.", required=True, metavar="FOLDER"
    ),
    random: str | None = option("A folder of pictures of anything; by default the bundled photos.", metavar="FOLDER"),
    layer: str | None = option(
        "The layer, as `interp layers` names it; by default the last feature map.", metavar="LAYER"
    ),
    runs: int = option("How many directions are tried for each concept, and for chance.", default=30),
    csv: str | None = option("Also write the table to this file.", type=Written(dir_okay=False)),
    seed: int = seed_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Test whether a class's score rises along concepts of your own, in PICTURES of the class.

    A concept is a folder of pictures of it. Its direction in a layer is what tells them from random pictures, and
    its TCAV score is the share of the PICTURES whose score rises along it, over many runs; beside it is the
    share along directions between random pictures, and whether the two differ by a two-sided t-test at 5 % for
    all concepts together (Bonferroni). TCAV (Kim et al. 2018): https://arxiv.org/abs/1711.11279
    """
    from interpret.concepts.tcav import tcav as tested

    if class_name is None:
        raise click.UsageError("which class? say -c CLASS")
    sources = sources_of(pictures)
    places = {Path(name).name or name: find_pictures([name], recursive=False) for name in concept}
    if len(places) < len(concept):
        raise InterpretError("two concepts have the same name; rename a folder")
    others = find_pictures([random] if random else [f"sample:{name}" for name in samples()], recursive=True)
    model.check_classes(class_name)
    classifier = model.open()
    _, images, failed = read_pictures(sources, classifier, messages)
    _, target = class_target(classifier, images, class_name)
    groups = {}
    for name, found in places.items():
        _, groups[name], wrong = read_pictures(found, classifier, messages)
        failed += wrong
    _, around, wrong = read_pictures(others, classifier, messages)
    options = {"layer": layer, "runs": runs, "seed": seed}
    tests = tested(classifier, images, target, groups, around, **options)
    rows = [_row(name, test) for name, test in tests.items()]
    _tell(rows, provenance("tcav", model, classifier, **{**options, "class": class_name}), as_json)
    if csv:
        write_table(Path(csv), rows)
        messages.note(csv)
    if failed + wrong:
        raise click.exceptions.Exit(1)


def _row(name: str, test: Any) -> dict[str, Any]:
    return {
        "concept": name,
        "layer": test.layer,
        "share": round(test.share, 6),
        "by_chance": round(sum(test.by_chance) / len(test.by_chance), 6),
        "p": test.p,
        "significant": test.significant,
    }


def _tell(rows: list[dict[str, Any]], about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        for row in rows:
            tell(json.dumps({**row, **about, "layer": row["layer"]}))
        return
    width = max(len(row["concept"]) for row in rows)
    for row in rows:
        way = "speaks for it" if row["share"] > row["by_chance"] else "speaks against it"
        said = way if row["significant"] else "no more than chance"
        shares = f"{row['share']:6.1%}  by chance {row['by_chance']:6.1%}"
        tell(f"{row['concept']:{width}}  {shares}  p = {row['p']:.2g}  {said}")
