"""`interp methods`."""

import json

from ..options import signature
from ..options.messages import tell
from ..options.output import json_option
from ..options.record import command


@command(short_help="List the explainers.")
def methods(
    *,
    as_json: bool = json_option(),
) -> None:
    """List the explainers: command, what it shows, and the paper."""
    for method in signature.methods():
        row = {"command": method.command, "shows": method.summary, "paper": method.title, "url": method.url}
        if as_json:
            tell(json.dumps(row))
        else:
            tell(f"{method.command:22} {method.summary}")
            tell(f"{'':22} {method.title}, {method.url}")
