"""`interp evaluate robustness`: how often a network is still right under attack, and how that falls."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attacks import ATTACKS
from interpret.errors import InterpretError, did_you_mean

from .. import options
from ..batches import batch_option
from ..drawn import about_run
from ..evaluating import (
    Pictures,
    data_argument,
    fail_option,
    leave,
    limit_option,
    open_data,
    run_hash,
    said,
    seed_option,
    share_of,
)
from ..inputs import Source
from ..outputs import RESULTS, slug, write_result
from ..shared_ledger import SharedLedger
from ..signatures import attack_methods
from ..together import together

if TYPE_CHECKING:
    from interpret.classifier import Classifier


@click.command(short_help="Accuracy under attack, as a curve over the attack's size.")
@data_argument
@click.option("--attack", default="pgd", show_default=True, metavar="NAME", help="`interp attack --help` lists them.")
@click.option("--eps", type=options.Radii(), default="0,1lv,2lv,4lv,8lv", show_default=True, help="The sizes.")
@click.option("--norm", help="Of the size; the attack's own by default.")
@click.option("--steps", type=click.IntRange(1), help="Of the attack; its own default otherwise.")
@click.option("--restarts", type=click.IntRange(1), help="Of the attack.")
@click.option("--loss", help="Of the attack.")
@limit_option
@batch_option
@click.option(
    "--compare",
    multiple=True,
    metavar="NAME|FILE",
    help="Another network for the same picture, such as run/best.pt; may be repeated.",
)
@fail_option
@seed_option
@click.option("-o", "--output", type=click.Path(), default=RESULTS, show_default=True, help="A folder.")
@click.option("--no-clobber", is_flag=True, help="Go on with the table of an earlier run.")
@options.model_options
@options.json_option
@options.message_options
def robustness(
    data: str, attack: str, eps: list[float], compare: tuple[str, ...], output: str, no_clobber: bool, **settings: Any
) -> None:
    """Accuracy under attack on a FOLDER, as a curve over the attack's size with 95 % intervals.

    Pictures are attacked on the network's own input grid. What fools at one size fools at every larger
    one, so that the whole curve costs little more than its last point. The verdicts are written
    picture by picture; --no-clobber goes on where an interrupted run stopped. --compare draws the
    curves of other networks beside it. --fail-under looks at the largest size, and at -m alone.
    Processes that torchrun starts share the pictures.

    \b
    torchrun --nproc-per-node=2 -m cli evaluate robustness FOLDER
    """
    from attacks import distributed
    from interpret.figures import robustness_curve

    attack = attack.replace("-", "_")
    chosen = _attack_options(attack, settings)
    norm, eps = chosen.get("norm", "Linf"), sorted(set(eps))
    models = list(dict.fromkeys([settings["model"], *compare]))
    curves, failed, about = {}, 0, {}
    with together(settings) as speaks:
        for model in models:
            shown = options.network_name(model, models)
            path = Path(output) / f"robustness_{attack}{f'_{slug(shown)}' if len(models) > 1 else ''}.csv"
            named = {**settings, "model": model}
            classifier = options.open_classifier(own := dict(named))
            pictures = open_data(data, classifier, own, settings["seed"])
            curves[shown] = _curve_of(classifier, pictures, attack, eps, chosen, path, no_clobber)
            failed += sum(distributed.gathered(pictures.failed))
            about[shown] = about_run("evaluate robustness", named, classifier, attack=attack, options=chosen, data=data)
            if speaks:
                name = f"{shown:24} " if len(models) > 1 else ""
                _tell(curves[shown], {"model": shown, "attack": attack}, name, norm, settings["as_json"])
            options.note(str(path), settings["quiet"])
        if speaks:
            picture = Path(output) / f"robustness_{attack}.png"
            write_result(
                picture, robustness_curve(curves, attack, norm), {**next(iter(about.values())), "curves": curves}
            )
            options.note(str(picture), settings["quiet"])
        leave(failed, settings["fail_under"], next(iter(curves.values()))[-1]["share"])


def _tell(points: list[dict[str, Any]], about: dict[str, str], name: str, norm: str, as_json: bool) -> None:
    for point in points:
        row = json.dumps({**about, **point})
        click.echo(row if as_json else f"{name}eps {_levels(point['eps'], norm):>9}  {said(point)}")


def _curve_of(
    classifier: "Classifier",
    pictures: Pictures,
    attack: str,
    eps: list[float],
    chosen: dict[str, Any],
    path: Path,
    resume: bool,
) -> list[dict[str, Any]]:
    """The points of one network's curve; the verdicts of its pictures are written as they come.

    Of several processes, each looks at its share of the pictures, and all get the whole curve.
    """
    import torch

    from attacks import distributed
    from attacks.evaluation.robust_accuracy import standing

    sizes, run = [f"{size:.6g}" for size in eps], run_hash(classifier, attack, eps, sorted(chosen.items()))
    labels = {source.shown: str(label) for source, label in pictures.known}
    ledger = SharedLedger(path, ["file", "label", *sizes, "run"], resume, run, labels)
    left = [(source, label) for source, label in pictures.known if source.shown not in ledger.done]
    pictures.known = distributed.own(left)
    view = classifier.on_inputs()

    def judged(sources: list[Source], images: torch.Tensor, labels: torch.Tensor) -> Iterator[dict[str, Any]]:
        stands = standing(view, images, labels, attack, eps, **chosen).long().tolist()
        for source, label, row in zip(sources, labels.tolist(), stands, strict=True):
            yield {"file": source.shown, "label": label, **dict(zip(sizes, row, strict=True)), "run": run}

    for row in pictures.each(judged):
        ledger.add([row])
    rows = [row for row in ledger.whole() if row["file"] in labels]
    if not rows:
        raise InterpretError("none of the pictures could be looked at")
    held = torch.tensor([[int(row[size]) for size in sizes] for row in rows])
    return [{"eps": size, **share_of(int(column.sum()), len(held))} for size, column in zip(eps, held.T, strict=True)]


def _attack_options(attack: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The attack's options among a command's parameters; an error where it has none of that name."""
    usable = {method.name: method for method in attack_methods() if ATTACKS[method.name] in ("eps", "least")}
    if attack not in usable:
        raise InterpretError(f"no attack {attack!r} to evaluate with{did_you_mean(attack, usable)}")
    known = {option.name for option in usable[attack].options}
    chosen = {name: settings.pop(name) for name in ("norm", "steps", "restarts", "loss")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    for name in chosen:
        if name not in known:
            raise InterpretError(f"{attack} has no --{name}")
    if ATTACKS[attack] == "least" and "norm" in known:
        chosen.setdefault("norm", "L2")
    return chosen | ({"seed": settings["seed"]} if "seed" in known else {})


def _levels(eps: float, norm: str) -> str:
    return f"{eps * 255:.4g}/255" if norm == "Linf" else f"{eps:.4g}"
