"""An attack command at work: attack, write the file, read it back, and judge what the network sees in it."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interpret.errors import InterpretError, PictureError

from ...job.results import Outputs, encoded, write_content, write_result
from ...job.resume import made_before
from ...job.sources import Source, one_picture
from ...options.messages import Messages, tell
from ...options.signature import Method
from .choices import AttackOptions
from .judges import Judges
from .verdict import VerdictTable, sentence, verdict_row

if TYPE_CHECKING:
    from torch import Tensor

    from attacks.evaluation.verdicts import Verdict
    from interpret.classifier import Classifier

PHOTOGRAPHS = 20  # that are simulated to see how many an attack survives


class Attempt(NamedTuple):
    """One attack on one picture."""

    adversarial: "Tensor"  # (1, C, H, W)
    labels: "Tensor"  # (1,) what it worked on
    targeted: bool
    passes: dict[str, int]
    seconds: float


@dataclass
class Attacking:
    """One attack command at work on its pictures."""

    method: Method
    classifier: "Classifier"
    outputs: Outputs
    chosen: dict[str, Any]  # the attack's own options
    attack: AttackOptions
    about: dict[str, Any]
    transforms: list[tuple[str, float]]  # that are tried on what was found
    figure: bool
    as_json: bool
    no_clobber: bool
    messages: Messages
    judges: Judges
    table: VerdictTable | None = None  # of the verdicts
    failed: int = 0
    withstood: int = 0
    subject: "Classifier" = field(init=False)  # what is attacked: the classifier, or one label of it

    def __post_init__(self) -> None:
        self.subject = self.classifier

    def run(self, work: Sequence[tuple[Source, Path]]) -> None:
        """Attack pictures, whose results have the given names; one that fails is reported and passed over."""
        skipped = 0
        for source, stem in work:
            try:
                row = self.on(source, stem)
                skipped += row is None
                if row is not None and self.table:
                    self.table.add(row)
            except (PictureError, RuntimeError) as error:
                self.failed += 1
                self.messages.failure(source.shown, error)
        if len(work) > 1:
            self.messages.summary(len(work) - skipped - self.failed, skipped, self.failed)

    def on(self, source: Source, stem: Path) -> dict[str, Any] | None:
        """Attack one picture and say what came of it; None where an earlier run has done so."""
        image = source.read().to(self.classifier.mean.device)
        path = self.place(stem)
        about = self.about_picture(source, image)
        if self._is_done(path, about):
            return None
        attempt = self.attempt(image)
        write_content(path, self.content(attempt, about))
        found = self._read_back(path, attempt.adversarial)
        row = self.judged(source, image, found, attempt, path)
        self.withstood += row["right"] and not row["success"]
        if path is not None:
            write_content(path, self.content(attempt, about, row))  # once more, so that the file speaks for itself
            self._tell(row, path)
            if self.figure:
                self._draw(path, image, found, about)
        return row

    def place(self, stem: Path) -> Path | None:
        """Where the result of a picture goes."""
        return self.outputs.place(stem, self.method.name, *([self.attack.target] if self.attack.target else []))

    def about_picture(self, source: Source, image: "Tensor") -> dict[str, Any]:
        """What made the result of a picture."""
        from interpret.images.files import pixels_hash

        return {**self.about, "picture": source.shown, "picture_hash": pixels_hash(image)}

    def attempt(self, image: "Tensor") -> Attempt:
        """Attack one picture."""
        labels, targeted = self._labels(image)
        begun = time.process_time()
        adversarial, passes = self._attacked(image, labels, targeted)
        return Attempt(adversarial, labels, targeted, passes, time.process_time() - begun)

    def judged(
        self, source: Source, image: "Tensor", found: "Tensor", attempt: Attempt, path: Path | None
    ) -> dict[str, Any]:
        """What came of an attempt, by what its file holds."""
        from attacks.evaluation.verdicts import judge

        labels, targeted = attempt.labels, attempt.targeted
        verdict = judge(self.subject, image, found, labels, targeted=targeted)[0]
        row = verdict_row(self.subject, self.method.name, verdict, source.shown, path)
        row |= {**attempt.passes, "cpu_seconds": round(attempt.seconds, 3), "seed": self.attack.seed}
        if self.method.name == "physical":  # in every row, since a table has one header
            row["destruction_rate"] = self._destruction_rate(image, found, verdict) if verdict.success else None
        row["survives"] = {name: self._after(found, name, strength) for name, strength in self.transforms}
        row["judges"] = self.judges.on(image, found, labels, targeted)
        return row

    def content(self, attempt: Attempt, about: dict[str, Any], row: dict[str, Any] | None = None) -> bytes:
        """The file of an attempt, once it is known with what came of it."""
        from interpret.images.files import to_pil

        if row is not None:
            # Nothing of when or where it was found, so that the same attack gives the same bytes.
            known = {name: value for name, value in row.items() if name not in ("cpu_seconds", "path")}
            about = {**about, "verdict": known}
        return encoded(".png", to_pil(attempt.adversarial.cpu()), about)

    def _labels(self, image: "Tensor") -> tuple["Tensor", bool]:
        """The label (1,) that the attack works on, and whether it is the class wanted; and what is attacked.

        Of several labels, it is one of them that is to hold or not to hold: the one named, or the highest.
        """
        from interpret.single_label import of_top_label, one_label

        named = self.attack.target or self.attack.label
        self.subject = of_top_label(self.classifier, image)
        if named and self.subject is not self.classifier:
            self.subject, named = one_label(self.classifier, named), 1
        found = self.subject.find(named, image) if named else self.subject.predict(image)
        return found, bool(self.attack.target)

    def _attacked(self, image: "Tensor", labels: "Tensor", targeted: bool) -> tuple["Tensor", dict[str, int]]:
        """The adversarial picture, and how many passes it took."""
        from attacks import attack_named
        from attacks.core.losses import is_fooled
        from attacks.core.model import logits_of
        from attacks.evaluation.verdicts import CountedModel

        counted = CountedModel(self.subject)
        if bool(is_fooled(logits_of(self.subject, image), labels, targeted)):
            return image, {"forwards": 0, "backwards": 0}
        with self.messages.noting_warnings():
            found = attack_named(self.method.name)(counted, image, labels, **self._options(image, targeted))
        return found, {"forwards": counted.forwards, "backwards": counted.backwards}

    def _options(self, image: "Tensor", targeted: bool) -> dict[str, Any]:
        """The options of the attack, of those given to the command."""
        known = {option.name for option in self.method.options}
        if targeted and "targeted" not in known:
            raise InterpretError(f"{self.method.command} has no --target")
        if self.attack.start and "start" not in known:
            raise InterpretError(f"{self.method.command} has no --start")
        every = {
            **self.chosen,
            "targeted": targeted,
            "quantize": self.attack.quantize,
            "stop_when_fooled": not self.attack.all_steps,
            "seed": self.attack.seed,
            **({"start": self._start(image)} if self.attack.start else {}),
        }
        return {name: value for name, value in every.items() if name in known}

    def _start(self, image: "Tensor") -> "Tensor":
        """The picture to begin from, in the size of the picture that is attacked."""
        from interpret.datasets.dataset import resized

        start = one_picture(self.attack.start).read()
        return resized(start, tuple(image.shape[-2:])).clamp(0, 1).to(image)

    def _read_back(self, path: Path | None, adversarial: "Tensor") -> "Tensor":
        """What is in the file that was written."""
        from interpret.images.files import read

        return (adversarial if path is None else read(path)).to(adversarial)

    def _after(self, found: "Tensor", name: str, strength: float) -> dict[str, Any]:
        """What the network sees after a transform."""
        import torch

        from attacks.transforms.robust_to import robust_to

        with torch.no_grad():
            logits = self.subject(robust_to(found, name, strength, seed=self.attack.seed))
            top = self.subject.probabilities(logits).max(1)
        return {"strength": strength, "class": int(top.indices), "probability": round(float(top.values), 4)}

    def _destruction_rate(self, image: "Tensor", found: "Tensor", verdict: "Verdict") -> float:
        """In how many of some simulated photographs of the print the network is right again (Kurakin et al.)."""
        import torch

        from attacks import PRINT_AND_PHOTOGRAPH, destruction_rate

        truth = torch.tensor([verdict.before], device=image.device)
        drawn = {"draws": PHOTOGRAPHS, "seed": self.attack.seed + 1}
        return destruction_rate(self.subject, image, found, truth, PRINT_AND_PHOTOGRAPH, **drawn)

    def _tell(self, row: dict[str, Any], path: Path) -> None:
        if self.as_json:
            tell(json.dumps(row))
            return
        self.messages.note(*sentence(row, self.subject, PHOTOGRAPHS).splitlines())
        tell(str(path))

    def _draw(self, path: Path, image: "Tensor", found: "Tensor", about: dict[str, Any]) -> None:
        from interpret.figures.attacks import attack_figure

        drawn = path.with_name(f"{path.stem}_figure.png")
        write_result(drawn, attack_figure(self.subject, image, found), about)
        if not self.as_json:
            tell(str(drawn))

    def _is_done(self, path: Path | None, about: dict[str, Any]) -> bool:
        """Whether an earlier run attacked this picture in this way; one made in another way is an error."""
        if not self.no_clobber or path is None or not path.exists():
            return False
        before = made_before(path, about)
        if before is None or "verdict" not in before:
            return False
        if not self.judges.take_up(before["verdict"].get("judges", {})):
            return False
        self.withstood += before["verdict"]["right"] and not before["verdict"]["success"]
        return True
