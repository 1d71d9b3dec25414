"""`interp evaluate robustness`: how often a network is still right under attack, and how that falls."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.datasets.folders import LabelledFile
from interpret.errors import InterpretError, did_you_mean

from ...job.processes import is_first, joined
from ...job.provenance import digest, provenance
from ...job.results import slug, write_result
from ...options.messages import Messages, tell
from ...options.network import ModelOptions, network_name
from ...options.output import folder_option, json_option
from ...options.radius import RADII, NormName, check_radius
from ...options.record import command, option
from ...options.safety import NetworkName
from ...options.signature import attack_methods
from ...options.types import COUNT
from ...plug_ins import ATTACKS
from .labelled import (
    FolderOptions,
    LabelledPictures,
    fail_option,
    leave,
    open_data,
    share_in_words,
    share_of,
    verdicts_of,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RobustnessOptions:
    """The attack, its sizes, and those of its options that were given."""

    attack: str = option("The attack; `interp attack --help` lists them.", default="pgd", metavar="NAME")
    eps: list[float] = option(
        "The sizes of the change, with commas between them.", default="0,1lv,2lv,4lv,8lv", type=RADII
    )
    norm: str | None = option(
        "The norm that sizes are measured in: Linf, L2, L1 or L0; by default the attack's own.", type=NormName()
    )
    steps: int | None = option("How many steps the attack takes; by default as many as in `interp attack`.", type=COUNT)
    restarts: int | None = option("How often the attack starts anew, for those that can; by default once.", type=COUNT)
    loss: str | None = option(
        "What the attack raises: cross_entropy, margin or dlr; by default its own.", metavar="LOSS"
    )
    queries: int | None = option(
        "How often an attack without gradients asks the network, such as square, hopskipjump or autoattack.", type=COUNT
    )

    @property
    def name(self) -> str:
        """The attack's name in the table."""
        return self.attack.replace("-", "_")

    @property
    def sizes(self) -> list[float]:
        """The sizes, each once, the smallest first."""
        return sorted(set(self.eps))

    def chosen(self, seed: int) -> dict[str, Any]:
        """The attack's own options; an InterpretError where it has none of that name."""
        usable = {method.name: method for method in attack_methods() if ATTACKS[method.name] in ("eps", "minimum_norm")}
        if self.name not in usable:
            raise InterpretError(f"no attack {self.name!r} to evaluate with{did_you_mean(self.name, usable)}")
        known = {option.name for option in usable[self.name].options}
        given = {name: value for name, value in asdict(self).items() if name not in ("attack", "eps")}
        chosen = {name: value for name, value in given.items() if value is not None}
        for name in chosen:
            if name not in known:
                raise InterpretError(f"{self.name} has no --{name}")
        if ATTACKS[self.name] == "minimum_norm" and "norm" in known:
            chosen.setdefault("norm", "L2")
        return chosen | ({"seed": seed} if "seed" in known else {})


@command(short_help="Accuracy under attack, as a curve over the attack's size.")
def robustness(
    *,
    data: FolderOptions,
    attack: RobustnessOptions,
    compare: tuple[str, ...] = option(
        "Another network whose curve is drawn beside it, such as run/best.pt; may be repeated.",
        type=NetworkName(),
        metavar="NAME|FILE",
    ),
    fail_under: float | None = fail_option(),
    output: str = folder_option(),
    no_clobber: bool = option("Go on with the table of an earlier run."),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Accuracy under attack on a FOLDER, as a curve over the attack's size with 95 % intervals.

    Pictures are attacked on the network's own input grid. What fools at one size fools at every larger
    one, so that the whole curve costs little more than its last point. The verdicts are written
    picture by picture; --no-clobber goes on where an interrupted run stopped. --compare draws the
    curves of other networks beside it. --fail-under looks at the largest size, and at -m alone.
    Several processes share the pictures.

    \b
    python -m torch.distributed.run --nproc-per-node=2 \\
        -m cli evaluate robustness FOLDER
    """
    chosen = attack.chosen(data.seed)
    norm = chosen.get("norm", "Linf")
    for size in attack.sizes:
        check_radius(size, norm)
    models = list(dict.fromkeys([model.model, *compare]))
    for name in models:
        model.named(name).check_name()
    curves, failed, about = {}, 0, {}
    with joined(model.device, messages) as messages:
        from attacks import distributed

        for name in models:
            shown, one = network_name(name, models), model.named(name)
            path = Path(output) / f"robustness_{attack.name}{f'_{slug(shown)}' if len(models) > 1 else ''}.csv"
            pictures = open_data(data, one.open(), messages)
            curves[shown] = _curve_of(pictures, attack, chosen, path, no_clobber)
            failed += sum(distributed.gathered(pictures.failed))
            told = {"attack": attack.name, "options": chosen, "data": data.data}
            about[shown] = provenance("evaluate robustness", one, pictures.classifier, **told)
            if is_first():
                title = f"{shown:24} " if len(models) > 1 else ""
                _tell(curves[shown], {"model": shown, "attack": attack.name}, title, norm, as_json)
            messages.note(str(path))
        if is_first():
            from interpret.figures.line_plots import robustness_curve

            picture = Path(output) / f"robustness_{attack.name}.png"
            figure = robustness_curve(curves, attack.name, norm)
            write_result(picture, figure, {**next(iter(about.values())), "curves": curves})
            messages.note(str(picture))
        leave(failed, fail_under, next(iter(curves.values()))[-1]["share"])


def _tell(points: list[dict[str, Any]], about: dict[str, str], title: str, norm: str, as_json: bool) -> None:
    for point in points:
        eps = f"{point['eps'] * 255:.4g}/255" if norm == "Linf" else f"{point['eps']:.4g}"
        line = f"{title}eps {eps:>9}  {share_in_words(point)}"
        tell(json.dumps({**about, **point}) if as_json else line)


def _curve_of(
    pictures: LabelledPictures, attack: RobustnessOptions, chosen: dict[str, Any], path: Path, resume: bool
) -> list[dict[str, Any]]:
    """The points of one network's curve; see `verdicts_of`."""
    import torch

    from attacks.evaluation.robust_accuracy import robust_at

    eps, view = attack.sizes, pictures.classifier.on_inputs()

    def robust(_: list[LabelledFile], images: "Tensor", labels: "Tensor") -> "Tensor":
        return robust_at(view, images, labels, attack.name, eps, **chosen)

    columns = [f"{size:.6g}" for size in eps]
    run = digest(pictures.classifier, attack=attack.name, eps=eps, options=chosen)
    found = verdicts_of(pictures, path, columns, robust, run=run, resume=resume)
    held = torch.tensor(list(found.values()))
    return [{"eps": size, **share_of(int(column.sum()), len(held))} for size, column in zip(eps, held.T, strict=True)]
