"""The report as one HTML file that loads nothing, since its pictures, style and script are inside."""

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

Commands = Sequence[tuple[str, str]]  # what a command repeats, and its line for the shell


@dataclass(frozen=True)
class Report:
    """Everything that a page shows."""

    network: Network
    findings: Sequence[Finding]
    checks: Mapping[str, SanityCheck] = field(default_factory=dict)  # by method
    failed: Sequence[tuple[str, str]] = ()  # pictures that are not shown, and the reasons
    commands: Callable[[Finding], Commands] = lambda finding: ()
    check_commands: Commands = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    made_by: str = ""  # the command line of the whole page

    @property
    def methods(self) -> list[str]:
        """The methods that the page shows."""
        every = [found.method for finding in self.findings for part in finding.explained for found in part.maps]
        return list(dict.fromkeys([*every, *self.checks]))

    @property
    def title(self) -> str:
        """The heading of the page."""
        count = len(self.findings)
        return f"What {self.network.name} sees in {self.findings[0].name if count == 1 else f'{count} pictures'}"


def page(report: Report) -> str:
    """The report as HTML, the text of a file in UTF-8.

    Everything that comes from outside is escaped, and no script can run but the page's own, which is known by its hash.
    """
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = _environment().get_template("page.html.j2")
    return template.render(report=report, style=style, script=script, script_hash=allowed)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "format_as": format, "data_uri": _data_uri, "minus": _minus}
    environment.globals |= {
        "title_of": title_of,
        "source_of": _source_of,
        "words": WORDS,
        "they_tell": THEY_TELL,
        "they_do_not_tell": THEY_DO_NOT_TELL,
        "heat": HEAT.split(),
        "diverging": DIVERGING.split(),
    }
    return environment


def percent(share: float) -> str:
    """A probability in per cent; one that would be rounded to 0 or 100 is shown as an inequality."""
    if 0.0005 <= share <= 0.9995:
        return f"{share:.1%}"
    return "< 0.1%" if share < 0.5 else "> 99.9%"


def _minus(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _data_uri(content: bytes) -> str:
    """A WebP file as an address with its content."""
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def _source_of(method: str) -> str:
    """A method's name and its paper, without the address, which a reader who is offline cannot follow."""
    text = inspect.getdoc(inspect.getmodule(explainer_named(method))) or method
    return re.sub(r",?\s*https?://[^\s),]+", "", text.split("\n\n")[0]).rstrip(".")
