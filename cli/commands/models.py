"""`interp models`."""

import json

from interpret.errors import UnknownNameError, did_you_mean
from interpret.plug_ins import plug_ins

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
    from interpret.bundled import TRAINED
    from interpret.models.registry import OFFLINE, torchvision_names

    others = {name: plug_in.address for name, plug_in in plug_ins("interp.networks").items()}
    bundled = [*OFFLINE, *TRAINED]
    names = [*others, *bundled, *(name for name in torchvision_names() if name not in bundled)]
    found = [name for name in names if query.casefold() in name]
    if not found:
        raise UnknownNameError(f"no network is called {query!r}{did_you_mean(query.casefold(), names)}")
    for name in found:
        offline = name in bundled
        if as_json:
            tell(json.dumps({"name": name, "offline": offline}))
        else:
            told = "works offline" if offline else "torchvision, downloaded once"
            tell(f"{name:24} {others.get(name, told)}")
