"""The lines for the shell that repeat what a report shows."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from interpret.explainers import DISPLAYS, EXPLAINERS

from .inputs import Source
from .options import MODEL_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpret.classifier import Classifier
    from interpret.labels.names import Labels
    from interpret.report.findings import Finding
    from interpret.report.network import SanityCheck

STEPS = 100  # of the attack
ELSEWHERE = ("device", "threads")  # what need not be the same
Lines = list[tuple[str, str]]


@dataclass
class Shell:
    """What was asked for, as words for the shell."""

    settings: dict[str, Any]
    sources: dict[str, Source]  # by the name on the page

    def __post_init__(self) -> None:
        self.settings = dict(self.settings)  # of which the model's are taken out later
        usual = {parameter.name: parameter.default for parameter in click.get_current_context().command.params}
        chosen = {name: self.settings[name] for name in MODEL_SETTINGS if name not in ELSEWHERE}
        unusual = {name: value for name, value in chosen.items() if value not in (None, usual[name]) or name == "model"}
        self.model = [word for name, value in unusual.items() for word in _option(name, value)]
        self.seed = ["--seed", str(self.settings["seed"])] if self.settings["seed"] else []

    def whole(self) -> str:
        """The command that makes the whole page."""
        chosen = [word for query in self.settings["classes"] for word in ("-c", query)]
        left = [f"--no-{name}" for name in ("attack", "sanity") if not self.settings[name]]
        methods = ["--methods", ",".join(map(_dashed, self.settings["methods"]))]
        return self._line("report", *map(_word, self.sources.values()), *methods, *chosen, *left, *self.seed)

    def of_picture(self, labels: "Labels", finding: "Finding") -> Lines:
        """What repeats each picture of one finding."""
        from interpret.explainers import title_of
        from interpret.report import findings

        file = _word(self.sources[finding.name])
        found = [("The predictions", self._line("predict", file))]
        for part in finding.explained:
            chosen = ["-c", _class(labels, part.seen.index), "--size", "model", *self.seed]
            for method in (found_map.method for found_map in part.maps if found_map.drawn):
                coloured = DISPLAYS[EXPLAINERS[method]]["aggregate"] == "colours"
                sizes = ["--aggregate", "max", "--absolute"] if coloured else []
                explain, what = (_dashed(method), file, *chosen, "--view"), f"{title_of(method)} for {part.seen.name}"
                found += [(f"{what}, overlay", self._line(*explain, "overlay", *sizes))]
                found += [(f"{what}, heatmap", self._line(*explain, "heatmap"))]
        if not self.settings["classes"]:  # which is about top predictions
            drawn = ",".join(_dashed(found_map.method) for found_map in finding.explained[0].maps if found_map.areas)
            asked = ["--methods", drawn, "--metrics", "deletion,insertion", *self.seed]
            asked += ["--steps", str(findings.STEPS)]
            line = self._line("evaluate", "faithfulness", file, *asked)
            found.append(("The areas", line))
        if finding.change is not None:
            place = "" if finding.change.own else ", on the file's own pixels instead of the network's input"
            line = self._line("attack", "fmn", file, "--norm", "Linf", "--steps", str(STEPS))
            found.append((f"The attack{place}", line))
        return found

    def of_checks(
        self, checks: "Sequence[SanityCheck]", findings: "Sequence[Finding]", classifier: "Classifier"
    ) -> Lines:
        """What repeats the sanity checks, by how many pictures they looked at; they explain top predictions."""
        if self.settings["classes"]:
            return []
        found = []
        for count in sorted({check.pictures for check in checks if check.passed is not None}, reverse=True):
            methods = [_dashed(check.method) for check in checks if check.pictures == count]
            files = [_word(self.sources[finding.name]) for finding in findings[:count]]
            asked = ["--methods", ",".join(methods), "--depths", "1", *self.seed]
            pictures = "one picture" if count == 1 else f"{count} pictures"
            found.append((f"The check on {pictures}", self._line("evaluate", "sanity", *files, *asked)))
        return found

    def _line(self, *words: str) -> str:
        return shlex.join(["interp", *words, *self.model])


def _option(name: str, value: Any) -> list[str]:
    if name == "model":
        return ["-m", value]
    numbers = value if isinstance(value, list | tuple) else [value]
    joined = ("x" if name == "input_size" else ",").join(
        f"{number:.12g}" if isinstance(number, float) else str(number) for number in numbers
    )
    return [f"--{_dashed(name)}", joined]


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _word(source: Source) -> str:
    return "-" if source.path is None else source.shown


def _class(labels: "Labels", index: int) -> str:
    """A name that means this class alone, or else its index."""
    return labels[index] if index < len(labels) and labels.find(labels[index]).indices == (index,) else str(index)
