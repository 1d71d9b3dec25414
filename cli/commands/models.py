"""`interp models`."""

import json

from ..options.messages import tell
from ..options.output import json_option
from ..options.record import argument, command


@command(short_help="List the networks that have a name.")
def models(
    *,
    query: str = argument(default=""),
    as_json: bool = json_option(),
) -> None:
    """List the networks that -m knows by name, or those with QUERY in their name.

    Besides these, -m takes timm:NAME and package.module:function.
    """
    from interpret.models.registry import OFFLINE, TRAINED, torchvision_names

    bundled = [*OFFLINE, *TRAINED]
    names = [*bundled, *(name for name in torchvision_names() if name not in bundled)]
    for name in names:
        if query in name:
            offline = name in bundled
            if as_json:
                tell(json.dumps({"name": name, "offline": offline}))
            else:
                tell(f"{name:24} {'works offline' if offline else 'torchvision, downloaded once'}")
