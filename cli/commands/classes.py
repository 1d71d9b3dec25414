"""`interp classes`."""

import json
from typing import Any

import click

from interpret.errors import UnknownNameError
from interpret.labels.label_files import read_labels
from interpret.labels.names import imagenet

from ..options.messages import note, tell
from ..options.output import json_option
from ..options.record import argument, command, option


@command(short_help="List the classes, or those that a word finds.")
def classes(
    *,
    query: str | None = argument(required=False),
    labels: str | None = option(
        "A file with other class names than ImageNet's, one a line or JSON.", type=click.Path()
    ),
    as_json: bool = json_option(),
) -> None:
    """List the classes, or those that QUERY finds, and what --class QUERY would explain.

    QUERY is a name, a synonym, a group such as dog, a WordNet id or an index; * marks the classes
    that --class QUERY means.
    """
    known = read_labels(labels) if labels else imagenet()
    meant: tuple[int, ...] = ()
    found = list(range(len(known)))
    if query is not None:
        try:
            match = known.find(query)
            meant = match.indices
            note(match.note or f"--class {query} means {_members(match.indices)}")
        except UnknownNameError:
            if not known.search(query):
                raise
        found = sorted({*known.search(query), *meant})
    for index in found:
        row: dict[str, Any] = {"index": index, "name": known[index], "synonyms": list(known.synonyms(index))}
        if as_json:
            tell(json.dumps({**row, "meant": index in meant}))
        else:
            others = ", ".join(word for word in row["synonyms"] if word != row["name"])
            tell(f"{'*' if index in meant else ' '} {index:4}  {row['name']}{f'  ({others})' if others else ''}")


def _members(indices: tuple[int, ...]) -> str:
    return f"class {indices[0]}" if len(indices) == 1 else f"the best of {len(indices)} classes on a picture"
