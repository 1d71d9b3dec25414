"""The lines for the shell that repeat what a report shows."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import click

from interpret.explainers import DISPLAYS, EXPLAINERS

from ...job.sources import Source
from ...options.network import ModelOptions
from ...options.types import dashed
from ...own_code import networks_in
from .choices import ReportChoices

if TYPE_CHECKING:
    from interpret.labels.names import Labels
    from interpret.report.findings import Finding
    from interpret.report.network import SanityCheck


STEPS = 50  # of the attack
FIRST_STEPS = 20  # enough where they come down to one level, the least there is
CLEAR = 1.5  # levels
ELSEWHERE = ("device", "threads")  # what need not be the same
Lines = list[tuple[str, str]]  # what each repeats, and the line


@dataclass(frozen=True)
class ShellLines:
    """The choices of one report as words for the shell."""

    sources: Mapping[str, Source]  # by the name on the page
    choices: ReportChoices
    model: Sequence[str]  # the network's options

    @classmethod
    def of(cls, sources: Mapping[str, Source], choices: ReportChoices, model: ModelOptions) -> Self:
        """The words for some options of the command that runs now; what is as usual is left out."""
        return cls(sources, choices, model_words(model))

    @property
    def seed(self) -> list[str]:
        """The seed's option, where it is not the usual one."""
        return ["--seed", str(self.choices.seed)] if self.choices.seed else []

    def whole(self) -> str:
        """The command that makes the whole page."""
        chosen = [word for query in self.choices.classes for word in ("-c", query)]
        left = [f"--no-{name}" for name in ("attack", "sanity") if not getattr(self.choices, name)]
        methods = ["--methods", ",".join(map(dashed, self.choices.methods))]
        return self._line("report", *map(word_of, self.sources.values()), *methods, *chosen, *left, *self.seed)

    def of_picture(self, labels: "Labels", finding: "Finding") -> Lines:
        """What repeats each picture of one finding."""
        from interpret.explainers import title_of
        from interpret.report import findings

        file = word_of(self.sources[finding.name])
        found = [("The predictions", self._line("predict", file))]
        for part in finding.explained:
            chosen = ["-c", class_word(labels, part.seen.index), "--size", "model", *self.seed]
            for method in (found_map.method for found_map in part.maps if found_map.drawn):
                coloured = DISPLAYS[EXPLAINERS[method]]["aggregate"] == "colours"
                sizes = ["--aggregate", "max", "--absolute"] if coloured else []
                explain, what = (dashed(method), file, *chosen, "--view"), f"{title_of(method)} for {part.seen.name}"
                found += [(f"{what}, overlay", self._line(*explain, "overlay", *sizes))]
                found += [(f"{what}, heatmap", self._line(*explain, "heatmap"))]
        if not self.choices.classes:  # the command looks at top predictions
            measured = ",".join(dashed(found_map.method) for found_map in finding.explained[0].maps if found_map.areas)
            options = ["--methods", measured, "--metrics", "deletion,insertion", *self.seed]
            line = self._line("evaluate", "faithfulness", file, *options, "--steps", str(findings.STEPS))
            found.append(("The areas", line))
        if finding.change is not None:
            place = "" if finding.change.own else ", on the file's own pixels instead of the network's input"
            clear = not finding.change.trouble and finding.change.levels < CLEAR
            steps = str(FIRST_STEPS if clear else STEPS)
            line = self._line("attack", "fmn", file, "--norm", "Linf", "--steps", steps)
            found.append((f"The attack{place}", line))
        return found

    def of_checks(self, checks: "Sequence[SanityCheck]", findings: "Sequence[Finding]") -> Lines:
        """What repeats the sanity checks, by how many pictures they looked at; they explain top predictions."""
        if self.choices.classes:
            return []
        found = []
        for count in sorted({check.pictures for check in checks if check.passed is not None}, reverse=True):
            methods = [dashed(check.method) for check in checks if check.pictures == count]
            files = [word_of(self.sources[finding.name]) for finding in findings[:count]]
            options = ["--methods", ",".join(methods), "--depths", "1", *self.seed]
            pictures = "one picture" if count == 1 else f"{count} pictures"
            found.append((f"The check on {pictures}", self._line("evaluate", "sanity", *files, *options)))
        return found

    def _line(self, *words: str) -> str:
        return shlex.join(["interp", *words, *self.model])


def model_words(model: ModelOptions) -> list[str]:
    """The network's options of the command that runs now as words; what is as usual is left out, but for its name."""
    usual = {parameter.name: parameter.default for parameter in click.get_current_context().command.params}
    chosen = {name: value for name, value in asdict(model).items() if name not in ELSEWHERE}
    unusual = {name: value for name, value in chosen.items() if value not in (None, usual[name]) or name == "model"}
    return [word for name, value in unusual.items() for word in _option(name, value)]


def _option(name: str, value: Any) -> list[str]:
    if name == "model":
        return [word for one in networks_in(value) for word in ("-m", one)]
    numbers = value if isinstance(value, list | tuple) else [value]
    joined = ("x" if name == "input_size" else ",").join(
        f"{number:.12g}" if isinstance(number, float) else str(number) for number in numbers
    )
    return [f"--{dashed(name)}", joined]


def word_of(source: Source) -> str:
    """A picture as the shell takes it."""
    return "-" if source.waits() else source.shown


def class_word(labels: "Labels", index: int) -> str:
    """A name that means this class alone, or else its index."""
    return labels[index] if index < len(labels) and labels.find(labels[index]).indices == (index,) else str(index)
