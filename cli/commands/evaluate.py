"""`interp evaluate`: how often a network is right, how easily it is fooled, and whether that can be believed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attacks import ATTACKS
from interpret.errors import InterpretError, did_you_mean

from .. import options
from ..drawn import about_run
from ..evaluating import Ledger, Pictures, batch_option, data_argument, limit_option, open_data
from ..hints import HintingGroup
from ..outputs import RESULTS, slug, write_result
from ..signatures import attack_methods
from .evaluate_explanations import faithfulness, sanity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from interpret.classifier import Classifier

fail_option = click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with status 3 below this accuracy."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")


@click.group(cls=HintingGroup, short_help="Measure a network on a folder of labelled pictures.")
def evaluate() -> None:
    """Measure a network on a FOLDER of labelled pictures.

    Labels come from a labels.csv in the folder (columns file,label), from the names of the folders
    inside, or from files' names that begin with the class's number (0470_candle.jpg).
    """


evaluate.add_command(faithfulness)
evaluate.add_command(sanity)


@evaluate.command(short_help="The share of pictures that are classified right.")
@data_argument
@limit_option
@batch_option
@fail_option
@seed_option
@options.model_options
@options.json_option
@options.message_options
def accuracy(data: str, **settings: Any) -> None:
    """The share of a FOLDER's pictures that are classified right, with its 95 % interval."""
    from attacks.labels import predictions

    classifier = options.open_classifier(settings)
    pictures = open_data(data, classifier, settings, settings["seed"])
    view, right, count = classifier.on_inputs(), 0, 0
    for _, images, labels in pictures.batches():
        right += int((predictions(view, images) == labels).sum())
        count += len(labels)
    result = _share(right, count)
    click.echo(json.dumps(result) if settings["as_json"] else f"top-1 {_said(result)}")
    _leave(pictures.failed, settings["fail_under"], result["share"])


@evaluate.command(short_help="Accuracy under attack, as a curve over the attack's size.")
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
    """
    attack = attack.replace("-", "_")
    chosen = _attack_options(attack, settings)
    norm, eps = chosen.get("norm", "Linf"), sorted(set(eps))
    models = list(dict.fromkeys([settings["model"], *compare]))
    curves, failed, about = {}, 0, {}
    for model in models:
        shown = options.network_name(model, models)
        path = Path(output) / f"robustness_{attack}{f'_{slug(shown)}' if len(models) > 1 else ''}.csv"
        named = {**settings, "model": model}
        classifier = options.open_classifier(own := dict(named))
        pictures = open_data(data, classifier, own, settings["seed"])
        curves[shown] = _curve_of(classifier, pictures, attack, eps, chosen, path, no_clobber)
        failed += pictures.failed
        for point in curves[shown]:
            row = json.dumps({"model": shown, "attack": attack, **point})
            name = f"{shown:24} " if len(models) > 1 else ""
            click.echo(row if settings["as_json"] else f"{name}eps {_levels(point['eps'], norm):>9}  {_said(point)}")
        about[shown] = about_run("evaluate robustness", named, classifier, attack=attack, options=chosen, data=data)
        options.note(str(path), settings["quiet"])
    picture = Path(output) / f"robustness_{attack}.png"
    write_result(picture, _curve(curves, attack, norm), {**next(iter(about.values())), "curves": curves})
    options.note(str(picture), settings["quiet"])
    _leave(failed, settings["fail_under"], next(iter(curves.values()))[-1]["share"])


def _curve_of(
    classifier: "Classifier",
    pictures: Pictures,
    attack: str,
    eps: list[float],
    chosen: dict[str, Any],
    path: Path,
    resume: bool,
) -> list[dict[str, Any]]:
    """The points of one network's curve; the verdicts of its pictures are written as they come."""
    import torch

    from attacks.evaluation import standing

    columns = ["file", "label", *(f"{size:.6g}" for size in eps)]
    ledger = Ledger(path, columns, resume)
    pictures.known = [(source, label) for source, label in pictures.known if source.shown not in ledger.rows]
    view = classifier.on_inputs()
    for sources, images, labels in pictures.batches():
        stands = standing(view, images, labels, attack, eps, **chosen)
        rows = zip(sources, labels.tolist(), stands.long().tolist(), strict=True)
        ledger.add([dict(zip(columns, [source.shown, label, *row], strict=True)) for source, label, row in rows])
    held = torch.tensor([[int(row[name]) for name in columns[2:]] for row in ledger.rows.values()])
    if not len(held):
        raise InterpretError("none of the pictures could be read")
    return [{"eps": size, **_share(int(column.sum()), len(held))} for size, column in zip(eps, held.T, strict=True)]


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

    from attacks.masking import masking as look

    classifier = options.open_classifier(settings)
    pictures = open_data(data, classifier, settings, settings["seed"])
    found = [(images, labels) for _, images, labels in pictures.batches()]
    if len({images.shape[1:] for images, _ in found}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    images, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
    checks = look(classifier.on_inputs(), images, labels, eps=eps, queries=queries, seed=settings["seed"])
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


def _share(right: int, count: int) -> dict[str, Any]:
    from attacks.evaluation import interval

    if not count:
        raise InterpretError("none of the pictures could be read")
    low, high = interval(right, count)
    return {"share": right / count, "low": low, "high": high, "right": right, "count": count}


def _said(result: dict[str, Any]) -> str:
    interval = f"{100 * result['low']:.1f}-{100 * result['high']:.1f} %"
    return f"{100 * result['share']:5.1f} % ({result['right']} of {result['count']}, 95 % interval {interval})"


def _levels(eps: float, norm: str) -> str:
    return f"{eps * 255:.4g}/255" if norm == "Linf" else f"{eps:.4g}"


def _leave(failed: int, fail_under: float | None, share: float) -> None:
    if fail_under is not None and 100 * share < fail_under:
        raise click.exceptions.Exit(3)
    if failed:
        raise click.exceptions.Exit(1)


def _curve(curves: dict[str, list[dict[str, Any]]], attack: str, norm: str) -> "Figure":
    from matplotlib.figure import Figure

    scale = 255 if norm == "Linf" else 1
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        sizes = [point["eps"] * scale for point in curve]
        axes.fill_between(sizes, *([100 * point[end] for point in curve] for end in ("low", "high")), alpha=0.2, lw=0)
        axes.plot(sizes, [100 * point["share"] for point in curve], marker="o", label=name)
    axes.set(
        xlabel=f"{norm} {'in levels of 255' if norm == 'Linf' else ''}".strip(),
        ylabel="still right, %",
        ylim=(0, 101),
        title=f"{attack} on {curve[0]['count']} pictures, with 95 % intervals",
    )
    axes.title.set_fontsize(10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if len(curves) > 1:
        axes.legend(frameon=False)
    return figure
