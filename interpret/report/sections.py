"""The parts of a report's page: a picture, the network, the methods."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..explainers import explainer_named
from ..figures.grid_maps import title_of
from .findings import Areas, Explained, Finding
from .panels import change_panel, image, map_panel, percent
from .pictures import data_uri
from .words import WORDS

if TYPE_CHECKING:
    from .page import Commands, Report

VIEWS = {"overlay": "Overlay", "heatmap": "Heatmap", "picture": "Picture"}

MARK = '<span class="good" role="img" aria-label="better than both floors">✓</span>'


def picture_section(number: int, finding: Finding, report: Report) -> str:
    """Everything about one picture."""
    anchor = f"picture-{number}"
    parts = [_explained(anchor, place, part, finding, report) for place, part in enumerate(finding.explained, 1)]
    change = change_panel(finding.change, finding.name) if finding.change else ""
    return (
        f'<section class="picture" id="{anchor}" aria-labelledby="{anchor}-name">'
        f'<h2 id="{anchor}-name">{escape(finding.name)}</h2>{_seen(finding)}{"".join(parts)}{change}'
        f"{commands('Commands that repeat this', report.commands(finding))}</section>"
    )


def _seen(finding: Finding) -> str:
    """The whole picture with a frame around what the network sees, and the classes that it sees there."""
    left, top, width, height = finding.box
    whole = width > 0.999 and height > 0.999
    place = f"left:{left:.3%};top:{top:.3%};width:{width:.3%};height:{height:.3%}"
    frame = "" if whole else f'<i style="{place}"></i>'
    wide, tall = finding.size
    note = f"{wide} × {tall} pixels" + ("" if whole else "; the network sees what is inside the frame")
    rows = "".join(
        f"<li><span>{escape(seen.name)}</span><b>{percent(seen.probability)}</b>"
        f'<span class="track" aria-hidden="true"><i style="width:{seen.probability:.1%}"></i></span></li>'
        for seen in finding.top
    )
    photo = image(finding.photo, f"The picture {finding.name}")
    return (
        f'<div class="seen"><figure class="photo"><div>{photo}{frame}</div><figcaption>{note}.</figcaption></figure>'
        f'<div><h3 style="margin-top:0">What the network sees</h3><ol class="top">{rows}</ol></div></div>'
    )


def _explained(anchor: str, place: int, part: Explained, finding: Finding, report: Report) -> str:
    """The maps for one class, the switch between their views, and the table of their areas."""
    group = f"{anchor}-view-{place}"
    switches = "".join(
        f'<label><input type="radio" name="{group}" value="{view}"{" checked" * (view == "overlay")}>{words}</label>'
        for view, words in VIEWS.items()
    )
    panels = "".join(map_panel(found, part, finding, report.checks.get(found.method)) for found in part.maps)
    part_uri = data_uri(finding.part)
    return (
        f'<div class="explained" style="--part:url({part_uri})">'
        f"<h3>What speaks for “{escape(part.seen.name)}” ({percent(part.seen.probability)})</h3>"
        f'<fieldset class="views"><legend>Show</legend>{switches}</fieldset>'
        f'<div class="maps">{panels}</div>{_areas(part)}</div>'
    )


def _areas(part: Explained) -> str:
    """Each map's two areas, those marked that are better than both floors'."""

    def row(name: str, areas: Areas, better: tuple[bool, bool], kind: str = "") -> str:
        pairs = zip((areas.deletion, areas.insertion), better, strict=True)
        cells = "".join(f'<td class="number">{MARK * good} {area:.3f}</td>' for area, good in pairs)
        return f'<tr{kind}><th scope="row">{escape(name)}</th>{cells}</tr>'

    floor = (False, False), ' class="floor"'
    rows = [row(title_of(found.method), found.areas, part.beats(found)) for found in part.maps if found.areas]
    rows += [row("a random map", part.random, *floor), row("a blob in the middle", part.centre, *floor)]
    return (
        "<table><caption>How well each map ranks the places of this picture: the area below the curve of the "
        f"probability of “{escape(part.seen.name)}” while they are hidden (deletion) or shown (insertion), the "
        "highest first. ✓ better than a random map and than a blob in the middle.</caption><thead><tr>"
        "<th scope='col'>Map</th><th scope='col' class='number'>Deletion ↓</th>"
        f"<th scope='col' class='number'>Insertion ↑</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def network_section(report: Report) -> str:
    """What the network is, and which methods depend on what it has learnt."""
    network = report.network
    facts = {
        "Name": network.name,
        "Kind": network.kind,
        "Weights": f"SHA-256 begins {network.weights}",
        "Parameters": f"{network.parameters:,}",
        "Classes": f"{network.classes:,}",
        "Input": network.input,
        "Preprocessing": network.preprocessing,
    }
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    return (
        '<section id="network" aria-labelledby="network-name"><h2 id="network-name">The network</h2>'
        f"<dl>{listed}</dl>{_sanity(report)}</section>"
    )


def _sanity(report: Report) -> str:
    if not report.checks:
        return ""
    rows = []
    for check in report.checks.values():
        name = f'<th scope="row">{escape(title_of(check.method))}</th>'
        if check.passed is None:
            rows.append(f'<tr>{name}<td colspan="3">not checked: {escape(check.trouble)}</td></tr>')
        else:
            verdict = "passes" if check.passed else '<b class="warn">fails</b>'
            numbers = "".join(f'<td class="number">{_signed(share)}</td>' for share in (check.likeness, check.floor))
            rows.append(f"<tr>{name}<td>{verdict}</td>{numbers}</tr>")
    return (
        "<h3>Do the maps depend on what it has learnt?</h3><p>The last block of a copy of the network loses its "
        "weights, and the maps are made again. A method whose maps stay the same (rank correlation of 0.8 or more) "
        "shows the picture rather than what the network learnt of the class. The floor is how alike the maps of two "
        "networks are that are random throughout.</p>"
        "<table><thead><tr><th scope='col'>Method</th><th scope='col'>Sanity check</th>"
        "<th scope='col' class='number'>Likeness</th><th scope='col' class='number'>Floor</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{commands('Commands that repeat this', report.check_commands)}"
    )


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def method_words(methods: Sequence[str]) -> str:
    """Each method in plain words."""
    parts = "".join(
        f'<div class="method"><h3 id="method-{method}">{escape(_origin(method))}</h3><p>{escape(WORDS[method][0])}</p>'
        f"<p><b>But:</b> {escape(WORDS[method][1])}</p></div>"
        for method in methods
    )
    heading = '<h2 id="methods-name">The methods in plain words</h2>'
    return f'<section id="methods" aria-labelledby="methods-name">{heading}<div class="two">{parts}</div></section>'


def _origin(method: str) -> str:
    """A method's name and its source, without the address that a reader without a network cannot follow."""
    text = sys.modules[explainer_named(method).__module__].__doc__ or method
    return re.sub(r",?\s*https?://[^\s),]+", "", inspect.cleandoc(text).split("\n\n")[0]).rstrip(".")


def commands(title: str, lines: Commands) -> str:
    """Lines for the shell, each with a button that copies it; nothing where there are none."""
    if not lines:
        return ""
    rows = "".join(
        f'<div class="command"><p>{escape(what)}</p><pre><code>{escape(line)}</code></pre>'
        f'<button type="button" class="copy" aria-label="Copy the command: {escape(what)}" hidden>Copy</button></div>'
        for what, line in lines
    )
    return f"<details><summary>{title}</summary>{rows}</details>"
