"""The help of a command: its options by what they are about, and texts without what only Python knows."""

import re
from collections.abc import Mapping

import click

from ..formatter import HelpContext

# By the parameter of the command that gets the values of some options: the heading above them. Those of the command
# itself, which are declared one by one, come first.
HEADINGS = {
    "pictures": "Pictures",
    "data": "Pictures",
    "classes": "What is explained",
    "chosen": "The method",
    "attack": "The attack",
    "display": "How it is drawn",
    "figure": "How it is drawn",
    "maps": "How it is made",
    "output": "Output",
    "as_json": "Output",
    "no_clobber": "Output",
    "model": "The network",
    "messages": "Messages and help",
    "help": "Messages and help",
}
LAST = ("The network", "Output", "Messages and help")
# What the docstrings of functions say for Python alone.
FOR_PYTHON = (
    r": one for all samples, or \(N,\)",
    r",? or a function of logits and labels",
    r"; in Python also a tensor(, or a list)?",
    r" [A-Z][^.]*\binterpret(\.\w+)+\.",  # a sentence that leads to the package
)
PLACE = r"\(((?:section|algorithm|figure|eq\.)\s[^()]*)\)"  # of a paper


class GroupedOptions(click.Command):
    """A command whose help shows its options under headings."""

    context_class = HelpContext

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of one heading together."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                row = row[0], _with_hint(row[1], getattr(parameter.type, "hint", ""))
                name = "help" if "--help" in parameter.opts else getattr(parameter, "keyword", parameter.name)
                groups.setdefault(HEADINGS.get(name, "Options"), []).append(row)
        for heading in sorted(groups, key=lambda name: LAST.index(name) if name in LAST else -1):
            if groups[heading]:
                with formatter.section(heading):
                    formatter.write_dl(groups[heading])


def _with_hint(text: str, hint: str) -> str:
    """What is said of an option with what its kind says of its values, beside the default."""
    if not hint:
        return text
    return f"{text[:-1]}; {hint}]" if text.endswith("]") and "  [default" in text else f"{text}  [{hint}]"


def without_python(text: str, options: Mapping[str, str]) -> str:
    """A text of a docstring as the shell shows it; options, by their names in Python, are called as there."""
    for pattern in FOR_PYTHON:
        text = re.sub(pattern.replace(" ", r"\s+"), "", text)
    for name, flag in options.items():
        if "_" in name:
            text = re.sub(rf"\b{name}\b", flag, text)
    return text


def with_paper(text: str, title: str) -> str:
    """A text that names a section of a paper, with the paper, which the method's title ends with."""
    found = re.findall(r"\(([^()]*[A-Za-z][^()]*)\)", title)
    return re.sub(PLACE, rf"(\1 of {found[-1] if found else 'the paper'})", text, count=1)


def listed(title: str, summary: str) -> str:
    """A method in a list: how people call it, and what it does."""
    text = re.sub(rf" ?{PLACE}", "", summary)
    if text[1:2].islower():  # no abbreviation
        text = text[0].lower() + text[1:]
    return f"{title.split(' (')[0].split(',')[0]}: {text}"
