"""The command `interp report`: its options, and where the page goes."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from ...job.provenance import provenance
from ...job.results import Outputs
from ...job.sources import Source, sources_of
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.output import json_option
from ...options.pictures import PictureOptions
from ...options.record import command, option
from ...options.safety import Written
from .choices import ReportChoices
from .job import findings_of, page_of, short_names
from .shell_lines import ShellLines

if TYPE_CHECKING:
    from interpret.report.make import Findings

SUFFIXES = (".html", ".htm")


@command(short_help="Report: one HTML file with predictions, maps and how far to believe them, a change that fools.")
def report(
    *,
    pictures: PictureOptions,
    choices: ReportChoices,
    output: str = option(
        "An .html file, a folder, or - for standard output.", "-o", "--output", default="report.html", type=Written()
    ),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """One HTML file on what a network sees in pictures, to keep or to send: it needs no other file.

    \b
    interp report sample:cat-and-dog -o report.html
    interp report photos/ --methods gradcam,occlusion,rise -c dog -m resnet50

    For each picture: what the network predicts, the maps of several methods with their deletion and insertion
    areas beside those of maps that know nothing, how small a change alters the answer, and the commands that
    repeat it all. For the network: which methods pass the sanity check.
    """
    if output == "-" and as_json:
        raise InterpretError("standard output takes the page or the JSON, not both; leave out -o - or --json")
    sources = sources_of(pictures)
    path = _place(output, sources)
    named = dict(zip(short_names(sources), sources, strict=True))
    lines = ShellLines.of(named, choices, model)
    with messages.of_the_library(quiet=not messages.verbose):
        model.check_classes(*choices.classes)
        classifier = model.open(tiles=True)
        for query in choices.classes:
            if note := classifier.labels.find(query).note:
                messages.note(note)
        findings = findings_of(named, classifier, choices, messages)
    if findings.found:
        about = provenance(
            "report", model, classifier, pictures=[source.shown for source in sources], **asdict(choices)
        )
        _write(path, page_of(findings, classifier, about, lines).encode())
        if path is not None:
            _tell(path, findings, about, as_json, messages)
    if findings.failed:
        raise click.exceptions.Exit(1)


def _place(output: str, sources: list[Source]) -> Path | None:
    """The file to write, None for standard output; what can be known to fail fails now."""
    outputs = Outputs("-" if output == "-" else None, sources[:1])
    outputs.inputs = {source.path.resolve() for source in sources if source.path is not None}
    folder = output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix
    outputs.file = Path(output) / "report.html" if folder else Path(output)
    if output != "-" and outputs.file.suffix.lower() not in SUFFIXES:
        raise InterpretError(f"a report is an .html file, not {output}")
    path = outputs.place(Path("report"))
    if path is not None and not os.access(path.parent, os.W_OK):
        raise PictureError(f"cannot write {path}: its folder is read-only; choose another with -o")
    return path


def _write(path: Path | None, content: bytes) -> None:
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        from interpret.images.files import write_bytes

        write_bytes(path, content)


def _tell(path: Path, findings: "Findings", about: dict[str, Any], as_json: bool, messages: Messages) -> None:
    if not as_json:
        messages.note(f"{path.stat().st_size / 1e6:.1f} MB, with everything inside")
        tell(str(path))
        return
    found = {
        "found": [_without_pictures(asdict(finding)) for finding in findings.found],
        "checks": [asdict(check) for check in findings.checks.values()],
        "failed": [{"picture": name, "reason": reason} for name, reason in findings.failed],
    }
    tell(json.dumps({"path": str(path), **about, **found}))


def _without_pictures(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_pictures(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    return [_without_pictures(inner) for inner in value] if isinstance(value, list | tuple) else value
