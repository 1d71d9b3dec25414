"""`interp report` at work: findings picture by picture, and one page of all."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, printable

from ...job.sources import Source
from ...options.messages import Messages
from .choices import ReportChoices
from .shell_lines import CLEAR, FIRST_STEPS, STEPS, ShellLines

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.report.findings import Finding
    from interpret.report.make import Findings
    from interpret.report.smallest_change import Attack


def short_names(sources: Sequence[Source]) -> list[str]:
    """What the page calls the pictures: not the whole path, unless two would be called the same."""
    inside = [printable(str(source.inside)) for source in sources]
    short = [s.shown if s.shown.startswith("sample:") else name for s, name in zip(sources, inside, strict=True)]
    counts = Counter(short)
    names = [name if counts[name] == 1 else source.shown for name, source in zip(short, sources, strict=True)]
    # A whole path may be what another picture is called below its folder.
    return names if len(set(names)) == len(names) else [source.shown for source in sources]


def findings_of(
    sources: Mapping[str, Source], classifier: "Classifier", choices: ReportChoices, messages: Messages
) -> "Findings":
    """Look at every picture, and check the methods; a picture that fails is reported and passed over."""
    from interpret.figures.cache import MapStore, user_folder
    from interpret.report.findings import ReportOptions
    from interpret.report.make import examine

    def watch(finding: "Finding", warnings: list[str]) -> None:
        maps = [found for part in finding.explained for found in part.maps if found.trouble]
        troubles = [f"{found.method.replace('_', '-')}: {found.trouble}" for found in maps]
        for line in dict.fromkeys([*warnings, *troubles]):
            messages.note(f"{sources[finding.name].shown}: {line}")

    def failed(name: str, error: Exception) -> None:
        messages.failure(sources[name].shown, error)

    attack = _smallest_change() if choices.attack else None
    options = ReportOptions(choices.methods, choices.classes, attack, choices.seed)
    pictures = [(name, source.read) for name, source in sources.items()]
    store = MapStore(user_folder())
    return examine(classifier, pictures, options, check=choices.sanity, store=store, watch=watch, failed=failed)


def _smallest_change() -> "Attack":
    """What looks for a small change; its complaints are the library's."""
    from attacks import fmn
    from attacks.errors import AttackError
    from interpret.report.smallest_change import Attack

    @functools.wraps(fmn)
    def run(classifier: "Classifier", image: "Tensor", label: "Tensor") -> "Tensor":
        try:
            changed = fmn(classifier, image, label, norm="Linf", steps=FIRST_STEPS, quantize=True)
            if 0 < 255 * float((changed - image).abs().max()) < CLEAR:
                return changed
            return fmn(classifier, image, label, norm="Linf", steps=STEPS, quantize=True)
        except AttackError as error:
            raise InterpretError(str(error)) from error

    return Attack(run, f"the fast minimum-norm attack (L∞, at most {STEPS} steps)")


def page_of(findings: "Findings", classifier: "Classifier", about: dict[str, Any], lines: ShellLines) -> str:
    """The page of what was found, with the lines for the shell that repeat it."""
    from interpret.report.network import Network
    from interpret.report.render import Report, page

    return page(
        Report(
            network=Network.of(classifier, about["model"], findings.inputs[0]),
            findings=findings.found,
            checks=findings.checks,
            failed=findings.failed,
            commands=functools.partial(lines.of_picture, classifier.labels),
            check_commands=lines.of_checks(list(findings.checks.values()), findings.found),
            versions=about["versions"],
            seed=about["seed"],
            made_by=lines.whole(),
        )
    )
