"""`interp samples`."""

import json

from interpret import bundled

from ..options.messages import tell
from ..options.output import json_option
from ..options.record import command


@command(short_help="List the bundled pictures.")
def samples(
    *,
    as_json: bool = json_option(),
) -> None:
    """List the bundled pictures; sample:NAME stands for one wherever a picture is taken."""
    for name, path in bundled.samples().items():
        tell(json.dumps({"name": name, "path": str(path)}) if as_json else f"sample:{name:28} {path}")
