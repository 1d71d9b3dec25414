"""`interp methods`."""

import json

from interpret.errors import UnknownNameError, did_you_mean

from ..options import signature
from ..options.messages import tell
from ..options.output import json_option
from ..options.record import argument, command


@command(short_help="List the explainers.")
def methods(
    *,
    query: str = argument(default=""),
    as_json: bool = json_option(),
) -> None:
    """List the explainers, or those with QUERY in their name: command, what it shows, and the paper."""
    known, wanted = signature.methods(), query.replace("_", "-").casefold()
    found = [method for method in known if wanted in method.command or wanted in method.title.casefold()]
    if not found:
        raise UnknownNameError(f"no method is called {query!r}{did_you_mean(wanted, [one.command for one in known])}")
    for method in found:
        row = {"command": method.command, "shows": method.summary, "paper": method.title, "url": method.url}
        if as_json:
            tell(json.dumps(row))
        else:
            tell(f"{method.command:22} {method.summary}")
            tell(f"{'':22} {method.title}, {method.url}")
