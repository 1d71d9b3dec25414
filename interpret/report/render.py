"""The report as one HTML file, which loads nothing: pictures, style and script are inside."""

import base64
import functools
import hashlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..explainers import explainer_named, title_of
from ..figures.colours import DIVERGING, HEAT
from .findings import Finding
from .network import Network, SanityCheck
from .words import THEY_DO_NOT_TELL, THEY_TELL, WORDS

Commands = Sequence[tuple[str, str]]  # the part of the page that each repeats, and the line for the shell


@dataclass(frozen=True)
class Report:
    """The contents of a page."""

    network: Network
    findings: Sequence[Finding]
    checks: Mapping[str, SanityCheck] = field(default_factory=dict)  # by method
    failed: Sequence[tuple[str, str]] = ()  # the pictures that could not be explained, and why
    commands: Callable[[Finding], Commands] = lambda finding: ()
    check_commands: Commands = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    made_by: str = ""  # the command line of the whole page

    @property
    def methods(self) -> list[str]:
        """The methods on the page."""
        shown = [one.method for finding in self.findings for part in finding.explained for one in part.maps]
        return list(dict.fromkeys([*shown, *self.checks]))

    @property
    def title(self) -> str:
        """The page's title."""
        count = len(self.findings)
        return f"What {self.network.name} sees in {self.findings[0].name if count == 1 else f'{count} pictures'}"


def page(report: Report) -> str:
    """The report as the text of an HTML file in UTF-8."""
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment().get_template("page.html.j2")
    return template.render(report=report, style=style, script=script, script_hash=allowed)


@functools.cache
def environment() -> Environment:
    """The templates, in which all that comes from outside is escaped."""
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "signed": _signed, "data_uri": _data_uri}
    environment.globals |= {
        "title_of": title_of,
        "source_of": _source_of,
        "words": _words,
        "they_tell": THEY_TELL,
        "they_do_not_tell": THEY_DO_NOT_TELL,
        "heat": HEAT.split(),
        "diverging": DIVERGING.split(),
    }
    return environment


def percent(share: float) -> str:
    """A probability as people read it; what is nearly 0 or 1 is not shown as such."""
    if 0.0005 <= share <= 0.9995:
        return f"{share:.1%}"
    return "< 0.1%" if share < 0.5 else "> 99.9%"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _data_uri(content: bytes) -> str:
    """A WebP file as an address that holds all of it."""
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def _words(method: str) -> tuple[str, str]:
    """How a method's map is to be read, and what must not be read into it; of another package's its own first words."""
    if method in WORDS:
        return WORDS[method]
    function = explainer_named(method)
    home = function.__module__.partition(".")[0]
    return (inspect.getdoc(function) or method).split("\n\n")[0], f"What it does not show, only {home} can tell."


def _source_of(method: str) -> str:
    """A method's name and its source, without the address that a reader without a network cannot follow."""
    text = inspect.getdoc(inspect.getmodule(explainer_named(method))) or method
    return re.sub(r",?\s*https?://[^\s),]+", "", text.split("\n\n")[0]).rstrip(".")
