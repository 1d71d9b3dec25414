"""An attack command at work: attack, write the file, read it back, and say what the network sees in it."""

import csv
import json
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from . import options
from .drawn import about_run
from .inputs import Source, find_pictures, output_stems, picture_hash
from .outputs import Outputs, stored_about, write_result
from .signatures import Method
from .survival import parse

if TYPE_CHECKING:
    from torch import Tensor

    from attacks.evaluation.verdicts import Verdict
    from interpret.classifier import Classifier

LOSSLESS = (".png",)
PHOTOGRAPHS = 20  # that are simulated to see how many an attack survives


@dataclass
class Run:
    """One attack command at work on its pictures."""

    method: Method
    classifier: "Classifier"
    outputs: Outputs
    attack_options: dict[str, Any]
    settings: dict[str, Any]
    about: dict[str, Any]
    through: list[tuple[str, float]]
    figure: bool
    failed: int = 0
    withstood: int = 0

    def on(self, source: Source, stem: Path) -> dict[str, Any] | None:
        """Attack one picture and say what came of it; None where an earlier run has done so."""
        image = source.read().to(self.classifier.mean.device)
        path = self.outputs.place(
            stem, self.method.name, *([self.settings["target"]] if self.settings["target"] else [])
        )
        about = {**self.about, "picture": source.shown, "picture_hash": picture_hash(image)}
        if self._done(path, about):
            return None
        labels, targeted = self._wanted(image)
        begun = time.process_time()
        adversarial, asked = self._attacked(image, labels, targeted)
        spent = time.process_time() - begun
        found = self._read_back(path, adversarial, about)
        verdict = self._judged(image, found, labels, targeted)
        row = self._row(source, path, verdict, asked, spent)
        if self.method.name == "physical":  # in every row, since a table has one header
            row["destruction_rate"] = self._destroyed(image, found, verdict) if verdict.success else None
        row["survives"] = {name: self._survives(found, name, strength) for name, strength in self.through}
        if path is not None:
            # Once more, with what came of it, so that the file speaks for itself.
            self._write(path, adversarial, {**about, "verdict": row})
            self._tell(row, path)
        self.withstood += verdict.right and not verdict.success
        if self.figure and path is not None:
            self._draw(path, image, found, verdict, about)
        return row

    def _wanted(self, image: "Tensor") -> tuple["Tensor", bool]:
        """The label (1,) that the attack works on, and whether it is the class wanted."""
        from attacks.core.labels import predictions

        if self.settings["target"]:
            return self.classifier.find(self.settings["target"], image), True
        if self.settings["label"]:
            return self.classifier.find(self.settings["label"], image), False
        return predictions(self.classifier, image), False

    def _attacked(self, image: "Tensor", labels: "Tensor", targeted: bool) -> tuple["Tensor", dict[str, int]]:
        """The adversarial picture, and how often the network was asked."""
        from attacks import attack_named
        from attacks.core.losses import is_fooled
        from attacks.core.model import logits_of
        from attacks.evaluation.verdicts import CountedModel

        counted = CountedModel(self.classifier)
        if bool(is_fooled(logits_of(self.classifier, image), labels, targeted)):
            return image, {"forwards": 0, "backwards": 0}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = attack_named(self.method.name)(counted, image, labels, **self._chosen(targeted))
        for warning in {str(warning.message) for warning in caught}:
            options.note(warning, self.settings["quiet"])
        return found, {"forwards": counted.forwards, "backwards": counted.backwards}

    def _chosen(self, targeted: bool) -> dict[str, Any]:
        known = {option.name for option in self.method.options}
        every = {
            **self.attack_options,
            "targeted": targeted,
            "quantize": self.settings["quantize"],
            "stop_when_fooled": not self.settings["all_steps"],
            "seed": self.settings["seed"],
        }
        if targeted and "targeted" not in known:
            raise InterpretError(f"{self.method.command} has no --target")
        return {name: value for name, value in every.items() if name in known}

    def _read_back(self, path: Path | None, adversarial: "Tensor", about: dict[str, Any]) -> "Tensor":
        """What is in the file, once it is written."""
        from interpret.images.files import read

        self._write(path, adversarial, about)
        return (adversarial if path is None else read(path)).to(adversarial)

    def _write(self, path: Path | None, adversarial: "Tensor", about: dict[str, Any]) -> None:
        from interpret.images.files import to_pil

        write_result(path, to_pil(adversarial.cpu()), about)

    def _judged(self, image: "Tensor", found: "Tensor", labels: "Tensor", targeted: bool) -> "Verdict":
        from attacks.evaluation.verdicts import judge

        return judge(self.classifier, image, found, labels, targeted=targeted)[0]

    def _survives(self, found: "Tensor", name: str, strength: float) -> dict[str, Any]:
        import torch

        from attacks.transforms.robust_to import robust_to

        with torch.no_grad():
            top = self.classifier(robust_to(found, name, strength, seed=self.settings["seed"])).softmax(1).max(1)
        return {"strength": strength, "class": int(top.indices), "probability": round(float(top.values), 4)}

    def _destroyed(self, image: "Tensor", found: "Tensor", verdict: "Verdict") -> float:
        """In how many of some simulated photographs of the print the network is right again (Kurakin et al.)."""
        import torch

        from attacks import PRINT_AND_PHOTOGRAPH, destruction_rate

        truth = torch.tensor([verdict.before], device=image.device)
        asked = {"draws": PHOTOGRAPHS, "seed": self.settings["seed"] + 1}
        return destruction_rate(self.classifier, image, found, truth, PRINT_AND_PHOTOGRAPH, **asked)

    def _row(
        self, source: Source, path: Path | None, verdict: "Verdict", asked: dict[str, int], spent: float
    ) -> dict[str, Any]:
        """One line of the table."""
        name = self.classifier.name
        return {
            "picture": source.shown,
            "path": None if path is None else str(path),
            "attack": self.method.name,
            **asdict(verdict),
            "levels": round(verdict.levels, 4),
            "label_name": name(verdict.label),
            "before_name": name(verdict.before),
            "after_name": name(verdict.after),
            **asked,
            "cpu_seconds": round(spent, 3),
            "seed": self.settings["seed"],
        }

    def _tell(self, row: dict[str, Any], path: Path) -> None:
        if self.settings["as_json"]:
            options.tell(json.dumps(row, ensure_ascii=False))
            return
        options.note(sentence(row, self.classifier), self.settings["quiet"])
        options.tell(str(path))

    def _draw(self, path: Path, image: "Tensor", found: "Tensor", verdict: "Verdict", about: dict[str, Any]) -> None:
        from .attack_figure import attack_figure

        drawn = path.with_name(f"{path.stem}_figure.png")
        write_result(drawn, attack_figure(self.classifier, image, found, verdict), about)
        if not self.settings["as_json"]:
            options.tell(str(drawn))

    def _done(self, path: Path | None, about: dict[str, Any]) -> bool:
        """Whether an earlier run attacked this picture in this way; one made in another way is an error."""
        if not self.settings["no_clobber"] or path is None or not path.exists():
            return False
        before = stored_about(path)
        if before is None or "verdict" not in before:
            return False
        differs = [key for key, value in json.loads(json.dumps(about)).items() if before.get(key) != value]
        if differs:
            raise InterpretError(f"{path} was made with other {', '.join(differs)}; choose another folder with -o")
        self.withstood += before["verdict"]["right"] and not before["verdict"]["success"]
        return True


def sentence(row: dict[str, Any], classifier: "Classifier") -> str:
    """What came of one picture: fooled, withstood or wrong before, and what shows it."""
    seen = f"{row['before_name']} {row['before_probability']:.2f} -> {row['after_name']} {row['after_probability']:.2f}"
    if not row["right"]:
        already = "already" if row["label"] == row["before"] else f"before, not {row['label_name']}"
        return f"{row['picture']}: not attacked: the network sees {row['before_name']} {already}"
    passes = f"{row['forwards']} forward and {row['backwards']} backward passes"
    size = f"Linf {row['levels']:.4g}/255, L2 {row['l2']:.3g}, {passes}"
    place = "" if row["path"] is None else f", read back from {row['path']}"
    survived = "".join(
        f"\n  through {name}:{way['strength']:g}: {classifier.name(way['class'])} {way['probability']:.2f}, "
        + ("still fooled" if still_fooled(row, way["class"]) else "fooled no more")
        for name, way in row.get("survives", {}).items()
        if row["success"]
    )
    rate = row.get("destruction_rate")
    destroyed = (
        "" if rate is None else f"\n  destroyed in {rate:.0%} of {PHOTOGRAPHS} simulated photographs of its print"
    )
    return f"{'fooled' if row['success'] else 'withstood'}: {seen}, {size}{place}{destroyed}{survived}"


def still_fooled(row: dict[str, Any], seen: int) -> bool:
    """Whether a class seen later still counts as fooled, by what the attack was after."""
    targeted = row["label"] != row["before"]
    return (seen == row["label"]) == targeted


def attack_pictures(method: Method, settings: dict[str, Any]) -> None:
    """Attack every picture, write and judge the results.

    Args:
        method: the attack.
        settings: the command's parameters.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; with 3, where one withstood and
            that is not allowed.
    """
    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    outputs = Outputs(settings.pop("output"), sources)
    if outputs.suffix not in LOSSLESS:
        raise InterpretError(
            f"{outputs.suffix} would change what was found; write .png, and ask --jpeg 90 whether it survives"
        )
    run = _prepared(method, sources, outputs, settings)
    table = Path(settings["csv"]) if settings["csv"] else None
    for source, stem in zip(sources, output_stems(sources), strict=True):
        try:
            row = run.on(source, stem)
            if row is not None and table is not None:
                _append(table, row)
        except (PictureError, RuntimeError) as error:
            run.failed += 1
            options.note_failure(source.shown, error, settings["verbose"])
    if run.failed:
        raise click.exceptions.Exit(1)
    if settings["require_success"] and run.withstood:
        options.note(f"{run.withstood} of {len(sources)} pictures withstood", settings["quiet"])
        raise click.exceptions.Exit(3)


def _prepared(method: Method, sources: list[Source], outputs: Outputs, settings: dict[str, Any]) -> Run:
    """Everything that can be wrong before the first picture is looked at, looked at."""
    attack_options = {option.name: settings[option.name] for option in method.options if option.name in settings}
    attack_options.pop("seed", None)
    attack_options.pop("quantize", None)
    eps = attack_options.get("eps")
    if eps is not None and eps > 1 and attack_options.get("norm", "Linf") == "Linf":
        raise InterpretError(f"pixels lie in [0, 1], so an eps of {eps:g} is no bound; did you mean {eps:g}/255?")
    if settings["target"] and settings["label"]:
        raise InterpretError("give --label or --target; with a target, the label is anything else")
    through = parse(settings["through"], settings["jpeg"])
    named = dict(settings)
    classifier = options.open_classifier(settings)
    figure = len(sources) == 1 and not settings["as_json"] if settings["figure"] is None else settings["figure"]
    shared = {name: settings[name] for name in ("label", "target", "quantize", "all_steps", "seed")}
    about = about_run(f"attack {method.command}", named, classifier, options={**attack_options, **shared})
    return Run(method, classifier, outputs, attack_options, settings, about, through, figure)


def _append(path: Path, row: dict[str, Any]) -> None:
    """Add a line to a table of verdicts, which begins with the names of its columns."""
    flat = {**row, "survives": json.dumps(row["survives"], ensure_ascii=False)}
    try:
        new = not path.exists() or not path.stat().st_size
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, flat)
            if new:
                writer.writeheader()
            writer.writerow(flat)
    except OSError as error:
        raise InterpretError(f"cannot write {path}: {error.strerror or error}") from error
