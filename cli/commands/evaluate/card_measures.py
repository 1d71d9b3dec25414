"""The measurements of a robustness card, each with the command that gives it again."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.corruptions import CORRUPTIONS, SEVERITIES

from ...job.provenance import provenance
from ...options.messages import Messages
from ...options.network import ModelOptions
from ...options.radius import Radius
from ...options.record import option
from ...options.types import COUNT, dashed
from ...own_code import networks_in
from .corruptions import CorruptionOptions, table
from .labelled import FolderOptions, share_of

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.calibration_error import Calibration
    from interpret.classifier import Classifier
    from interpret.report.card import Card, Measure


@dataclass(frozen=True)
class CardOptions:
    """How strong the attacks of a card are."""

    eps: float = option("The largest change of a value that the attacks may make.", default="4/255", type=Radius())
    steps: int = option("How many steps PGD takes.", default=20, type=COUNT)
    auto_steps: int = option("How many steps AutoAttack's attacks take; the standard is 100.", default=100, type=COUNT)
    auto_queries: int = option("How often its Square asks the network; the standard is 5000.", default=5000, type=COUNT)
    queries: int = option("How often the check for masked gradients asks the network.", default=200, type=COUNT)


@dataclass
class CardWork:
    """The measurements of one card, all on the network's input grid."""

    classifier: "Classifier"
    images: "Tensor"  # (N, C, h, w) in [0, 1]
    labels: "Tensor"  # (N,)
    data: FolderOptions
    strength: CardOptions
    which: CorruptionOptions
    model: ModelOptions

    @property
    def radius(self) -> list[str]:
        """The attacks' radius as words for the shell."""
        return ["--eps", f"{self.strength.eps * 255:.6g}lv"]

    def line(self, *words: str, seeded: bool = True) -> str:
        """A command on the same pictures and network."""
        usual, options = ModelOptions(), []
        for known in fields(ModelOptions):
            value = getattr(self.model, known.name)
            if known.name != "model" and value not in (None, getattr(usual, known.name)):
                parts = value if isinstance(value, list | tuple) else [value]
                between = "x" if known.name == "input_size" else ","
                options += [f"--{dashed(known.name)}", between.join(map(str, parts))]
        names = [word for name in networks_in(self.model.model) for word in ("-m", name)]
        few = ["--limit", str(self.data.limit)] if self.data.limit else []
        seed = ["--seed", str(self.data.seed)] if seeded else []
        return shlex.join(["interp", "evaluate", words[0], self.data.data, *words[1:], *few, *seed, *names, *options])

    def whole(self, path: Path) -> str:
        """The command of the whole card."""
        usual = CardOptions()
        chosen = [
            word
            for known in fields(CardOptions)
            if known.name != "eps" and getattr(self.strength, known.name) != getattr(usual, known.name)
            for word in (f"--{dashed(known.name)}", str(getattr(self.strength, known.name)))
        ]
        return self.line("card", "-o", str(path), *self.radius, *chosen, *self._corruptions())

    def card(self, wrong: Callable[[], dict[str, list[int]]], path: Path, messages: Messages) -> "Card":
        """All measurements; ``wrong`` gives the errors under corruptions, and ``path`` is where the page goes."""
        from interpret.report.card import Card

        measures, found = self.clean()
        messages.note("clean pictures done; PGD and AutoAttack next")
        measures += [self.attacked("pgd"), self.attacked("autoattack")]
        messages.note("attacks done; corruptions next")
        rows = list(table(wrong(), None, self.which, self.data.seed))
        measures.append(self.corrupted(rows[-1]))
        return Card(
            network=self.model.model,
            data=Path(self.data.data).resolve().name,
            identity=self.classifier.identity(),
            measures=measures,
            calibration=found,
            corruptions=rows,
            checks=self.checks(),
            checks_command=self.line("masking", "--queries", str(self.strength.queries), *self.radius),
            made_by=self.whole(path),
            versions=provenance("evaluate card", self.model, self.classifier)["versions"],
            severities=self.which.severities,
        )

    def clean(self) -> "tuple[list[Measure], Calibration]":
        """Accuracy and calibration on the pictures as they are."""
        import torch

        from interpret.calibration_error import calibration
        from interpret.report.card import Measure

        view, size = self.classifier.on_inputs(), self.data.batch_size
        with torch.no_grad():
            probabilities = torch.cat([view(part) for part in self.images.split(size)]).softmax(1)
        right = int((probabilities.argmax(1) == self.labels).sum())
        found = calibration(probabilities.cpu(), self.labels.cpu(), seed=self.data.seed)
        line = self.line("accuracy")
        error = Measure(
            name="expected calibration error",
            value=found.error,
            low=found.low,
            high=found.high,
            pictures=len(self.labels),
            seed=self.data.seed,
            command=self.whole(Path("card.html")),
            better="lower",
            note="mean distance of probability and accuracy, in 15 bins",
        )
        return [self._share("accuracy, clean", right, line, "share of top predictions that are right"), error], found

    def attacked(self, attack: str) -> "Measure":
        """Accuracy under an attack."""
        from attacks.evaluation.robust_accuracy import robust_at

        options, words = self._options(attack)
        sized = {"batch_size": self.data.batch_size, "seed": self.data.seed, **options}
        view, eps = self.classifier.on_inputs(), [self.strength.eps]
        right = int(robust_at(view, self.images, self.labels, attack, eps, **sized).sum())
        line = self.line("robustness", "--attack", attack, *self.radius, *words)
        title = {"pgd": f"PGD-{self.strength.steps}", "autoattack": "AutoAttack"}[attack]
        note = f"share that stays right within Linf {self.strength.eps * 255:.4g}/255"
        return self._share(f"accuracy under {title}", right, line, note)

    def _options(self, attack: str) -> tuple[dict[str, int], list[str]]:
        """An attack's own options, and as words for the shell; those that are standard are left out there."""
        from attacks.autoattack import STANDARD

        if attack == "pgd":
            return {"steps": self.strength.steps}, ["--steps", str(self.strength.steps)]
        chosen = {"steps": self.strength.auto_steps, "queries": self.strength.auto_queries}
        unusual = {name: value for name, value in chosen.items() if value != STANDARD[name]}
        return chosen, [word for name, value in unusual.items() for word in (f"--{name}", str(value))]

    def _corruptions(self) -> list[str]:
        """Which corruptions, as words for the shell; where it is all of them they are left out."""
        some = self.which.corruptions != list(CORRUPTIONS)
        names = ["--corruptions", ",".join(map(dashed, self.which.corruptions))] if some else []
        fewer = tuple(self.which.severities) != SEVERITIES
        return names + (["--severities", ",".join(map(str, self.which.severities))] if fewer else [])

    def corrupted(self, mean: dict[str, Any]) -> "Measure":
        """The mean error under corruptions."""
        from interpret.report.card import Measure

        return Measure(
            name="error under corruptions",
            value=mean["error"],
            low=mean["error_low"],
            high=mean["error_high"],
            pictures=mean["pictures"],
            seed=self.data.seed,
            command=self.line("corruptions", *self._corruptions()),
            better="lower",
            note=f"mean over {len(self.which.corruptions)} corruptions and severities "
            f"{', '.join(map(str, self.which.severities))}",
        )

    def checks(self) -> list[dict[str, Any]]:
        """The signs of masked gradients that were looked for; where nothing is right there is nothing to mask."""
        from attacks.errors import AttackError
        from attacks.evaluation.gradient_masking import masking_checks

        sized = {"batch_size": self.data.batch_size, "seed": self.data.seed}
        chosen = {"eps": self.strength.eps, "queries": self.strength.queries, **sized}
        try:
            checks = masking_checks(self.classifier.on_inputs(), self.images, self.labels, **chosen)
        except AttackError as error:
            return [{"name": "gradients", "fine": False, "evidence": str(error)}]
        return [{"name": check.name, "fine": check.fine, "evidence": check.evidence} for check in checks]

    def _share(self, name: str, right: int, line: str, note: str) -> "Measure":
        from interpret.report.card import Measure

        found = share_of(right, len(self.labels))
        ends = {"low": found["low"], "high": found["high"], "pictures": found["count"]}
        return Measure(name, found["share"], **ends, seed=self.data.seed, command=line, better="higher", note=note)
