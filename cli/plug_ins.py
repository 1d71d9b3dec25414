"""The table of attacks with those of other packages, which `attacks` itself does not look for."""

import attacks
from attacks import ATTACKS
from interpret.plug_ins import chosen, plug_ins

GROUP = "interp.attacks"
ADDED, REFUSED = chosen(GROUP, "KIND", {name: ATTACKS[name] for name in attacks.BUILT_IN}, "eps")
for _name in ADDED:
    attacks.add(_name, ADDED[_name], plug_ins(GROUP)[_name].load)

__all__ = ["ADDED", "ATTACKS", "REFUSED"]
