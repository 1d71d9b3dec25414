"""`interp report` at work: findings picture by picture, and one page of all."""

import functools
import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from . import options
from .drawn import about_run
from .inputs import Source, find_pictures
from .outputs import Outputs
from .report_commands import STEPS, Shell

if TYPE_CHECKING:
    from interpret.classifier import Classifier
    from interpret.report.findings import Finding
    from interpret.report.make import Findings
    from interpret.report.smallest_change import Attack

DEFAULT_METHODS = "gradcam,layercam,guided-gradcam,guided-backprop,saliency,integrated-gradients"
SUFFIXES = (".html", ".htm")


def make_report(settings: dict[str, Any]) -> None:
    """Look at every picture, write the page and say where it is.

    Args:
        settings: the command's parameters.

    Raises:
        click.exceptions.Exit: with 1, where some picture failed; the page has the others.
    """
    if settings["output"] == "-" and settings["as_json"]:
        raise InterpretError("standard output takes the page or the JSON, not both; leave out -o - or --json")
    sources = find_pictures(settings.pop("pictures"), settings.pop("recursive"))
    path = _place(settings.pop("output"), sources)
    names = _names(sources)
    shell = Shell(settings, dict(zip(names, sources, strict=True)))
    given = {name: settings[name] for name in ("model", "weights")}
    with options.notes_of_the_library(not settings["verbose"]):
        classifier = options.open_classifier(settings)
        for query in settings["classes"]:
            if note := classifier.labels.find(query).note:
                options.note(note, settings["quiet"])
        looked = _look(dict(zip(names, sources, strict=True)), classifier, settings)
    if looked.found:
        choices = {name: settings[name] for name in ("methods", "classes", "attack", "sanity", "seed")}
        about = about_run("report", given, classifier, pictures=[source.shown for source in sources], **choices)
        _write(path, _page(looked, classifier, about, shell).encode())
        if path is not None:
            _tell(path, looked, about, settings)
    if looked.failed:
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


def _names(sources: list[Source]) -> list[str]:
    """What the page calls the pictures: not the whole path, unless two would be called the same."""
    short = [source.shown if source.shown.startswith("sample:") else str(source.inside) for source in sources]
    counts = Counter(short)
    names = [name if counts[name] == 1 else source.shown for name, source in zip(short, sources, strict=True)]
    # A whole path may be what another picture is called below its folder.
    return names if len(set(names)) == len(names) else [source.shown for source in sources]


def _look(sources: dict[str, Source], classifier: "Classifier", settings: dict[str, Any]) -> "Findings":
    """Look at every picture, and check the methods; a picture that fails is reported and passed over."""
    from interpret.report.findings import ReportOptions
    from interpret.report.make import examine

    def watch(finding: "Finding", warnings: list[str]) -> None:
        maps = [found for part in finding.explained for found in part.maps if found.trouble]
        troubles = [f"{found.method.replace('_', '-')}: {found.trouble}" for found in maps]
        for line in dict.fromkeys([*warnings, *troubles]):
            options.note(f"{sources[finding.name].shown}: {line}", settings["quiet"])

    def failed(name: str, error: Exception) -> None:
        options.note_failure(sources[name].shown, error, settings["verbose"])

    attack = _attack() if settings["attack"] else None
    asked = ReportOptions(settings["methods"], settings["classes"], attack, settings["seed"])
    pictures = [(name, source.read) for name, source in sources.items()]
    return examine(classifier, pictures, asked, check=settings["sanity"], watch=watch, failed=failed)


def _attack() -> "Attack":
    """What looks for a small change; its complaints are the library's."""
    from attacks import fmn
    from attacks.errors import AttackError
    from interpret.report.smallest_change import Attack

    @functools.wraps(fmn)
    def run(*given: Any) -> Any:
        try:
            return fmn(*given, norm="Linf", steps=STEPS, quantize=True)
        except AttackError as error:
            raise InterpretError(str(error)) from error

    return Attack(run, f"the fast minimum-norm attack (L∞, {STEPS} steps)")


def _page(looked: "Findings", classifier: "Classifier", about: dict[str, Any], shell: Shell) -> str:
    from interpret.report.network import Network
    from interpret.report.render import Report, page

    network = Network.of(classifier, about["model"], looked.inputs[0])
    find = functools.partial(shell.of_picture, classifier.labels)
    checking = shell.of_checks(list(looked.checks.values()), looked.found, classifier)
    own = {"seed": about["seed"], "made_by": shell.whole()}
    return page(Report(network, looked.found, looked.checks, looked.failed, find, checking, about["versions"], **own))


def _write(path: Path | None, content: bytes) -> None:
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        from interpret.images.files import write_bytes

        write_bytes(path, content)


def _tell(path: Path, looked: "Findings", about: dict[str, Any], settings: dict[str, Any]) -> None:
    if not settings["as_json"]:
        options.note(f"{path.stat().st_size / 1e6:.1f} MB, with everything inside", settings["quiet"])
        options.tell(str(path))
        return
    found = {
        "found": [_plain(asdict(finding)) for finding in looked.found],
        "checks": [asdict(check) for check in looked.checks.values()],
        "failed": [{"picture": name, "reason": reason} for name, reason in looked.failed],
    }
    options.tell(json.dumps({"path": str(path), **about, **found}, ensure_ascii=False))


def _plain(value: Any) -> Any:
    """The same without the pictures."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
