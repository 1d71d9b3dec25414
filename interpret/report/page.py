"""The report as one HTML file, which loads nothing: pictures, style and script are inside."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files

from .findings import Finding
from .network import Check, Network
from .sections import method_words, network_section, picture_section
from .words import THEY_DO_NOT_TELL, THEY_TELL

Commands = Sequence[tuple[str, str]]  # what each repeats, and the line for the shell


@dataclass(frozen=True)
class Report:
    """All that a page shows."""

    network: Network
    findings: Sequence[Finding]
    checks: Mapping[str, Check] = field(default_factory=dict)  # by method
    failed: Sequence[tuple[str, str]] = ()  # pictures that are not shown, and why
    commands: Callable[[Finding], Commands] = lambda finding: ()
    check_commands: Commands = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    made_by: str = ""  # the command line of the whole page

    @property
    def methods(self) -> list[str]:
        """The methods that it shows."""
        every = [found.method for finding in self.findings for part in finding.explained for found in part.maps]
        return list(dict.fromkeys([*every, *self.checks]))


def page(report: Report) -> str:
    """The report as HTML; all that comes from outside is escaped, and a script that it does not know cannot run.

    Args:
        report: what to show.

    Returns:
        The text of a file in UTF-8.
    """
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = _title(report)
    body = "\n".join(
        [
            _header(report, title),
            "<main>",
            _meaning(),
            _failed(report.failed),
            _contents(report),
            *(picture_section(number, finding, report) for number, finding in enumerate(report.findings, 1)),
            network_section(report),
            method_words(report.methods),
            "</main>",
            _footer(report),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _title(report: Report) -> str:
    count = len(report.findings)
    what = report.findings[0].name if count == 1 else f"{count} pictures"
    return f"What {report.network.name} sees in {what}"


def _header(report: Report, title: str) -> str:
    network = report.network
    lead = f"A network of {network.parameters / 1e6:.1f} million parameters that knows {network.classes} classes"
    return (
        f'<header><div><h1>{escape(title)}</h1><p class="lead">{lead}.</p></div>'
        '<button type="button" id="theme" hidden>Dark colours</button></header>'
    )


def _meaning() -> str:
    def listed(words: Sequence[str]) -> str:
        return "<ul>" + "".join(f"<li>{escape(word)}</li>" for word in words) + "</ul>"

    return (
        '<section class="plain" aria-labelledby="meaning"><div class="box">'
        '<h2 id="meaning">What these pictures do and do not mean</h2><div class="two">'
        f"<div><h3>What they tell</h3>{listed(THEY_TELL)}</div>"
        f"<div><h3>What they do not tell</h3>{listed(THEY_DO_NOT_TELL)}</div>"
        "</div></div></section>"
    )


def _failed(failed: Sequence[tuple[str, str]]) -> str:
    if not failed:
        return ""
    rows = "".join(f"<li><b>{escape(name)}</b>: {escape(reason)}</li>" for name, reason in failed)
    return (
        '<section class="plain" aria-labelledby="not-shown"><div class="failed">'
        f'<h2 id="not-shown">Not shown</h2><ul>{rows}</ul></div></section>'
    )


def _contents(report: Report) -> str:
    if len(report.findings) < 2:
        return ""
    rows = "".join(
        f'<li><a href="#picture-{number}">{escape(finding.name)}</a> '
        f"<span>{escape(finding.top[0].name)} {finding.top[0].probability:.0%}</span></li>"
        for number, finding in enumerate(report.findings, 1)
    )
    others = '<li><a href="#network">The network</a></li><li><a href="#methods">The methods in plain words</a></li>'
    return (
        '<section class="plain contents"><nav aria-labelledby="contents"><h2 id="contents">Contents</h2>'
        f"<ol>{rows}{others}</ol></nav></section>"
    )


def _footer(report: Report) -> str:
    versions = ", ".join(f"{escape(name)} {escape(version)}" for name, version in report.versions.items())
    parts = [f"Made with {versions}" if versions else "", f"seed {report.seed}"]
    made = f"<p><code>{escape(report.made_by)}</code></p>" if report.made_by else ""
    return f"<footer><p>{', '.join(filter(None, parts))}. This file loads nothing and sends nothing.</p>{made}</footer>"
