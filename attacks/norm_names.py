"""The names of norms, and which radii are bounds in them; without torch, since the shell asks too."""

import math
from collections.abc import Collection

from .errors import AttackError

NAMES = ("Linf", "L2", "L1", "L0")
_KNOWN = {spelled: name for name in NAMES for spelled in (name.lower(), name[1:].lower())}


def norm_name(name: object, allowed: Collection[str] = NAMES, of: str = "the norm", hint: str = "") -> str:
    """A norm's name as the table spells it: "linf", "inf" and "l2" are norms too.

    An AttackError, whose subject is ``of``, where there is no such norm, or the attack does not know it.
    """
    known = _KNOWN.get(str(name).lower().replace("_", ""))
    if known not in allowed:
        names = f"is one of {', '.join(NAMES)}" if of == "the norm" else f"knows {' and '.join(allowed)}"
        raise AttackError(f"{of} {names}, not {name!r}{hint}")
    return known


def check_radius(eps: float, norm: str, values: int | None = None) -> None:
    """Refuse a radius that is no bound for samples of so many values (in the shell not known yet): an AttackError."""
    if isinstance(eps, str):
        raise AttackError(f"eps is a number, such as 8/255, not the text {eps[:30]!r}")
    if not 0 <= eps < math.inf:
        raise AttackError(f"eps is a radius of 0 or more, not {eps:g}")
    if norm == "L0" and 0 < eps < 1:
        raise AttackError(f"in L0 eps counts values, 1 or more, so {eps:g} lets none change")
    if norm == "Linf" and eps > 1:
        raise AttackError(f"pixels lie in [0, 1], so an eps of {eps:g} is no bound; did you mean {eps:g}/255?")
    if values is None or norm == "Linf":
        return
    widest = math.sqrt(values) if norm == "L2" else values
    if eps > widest:
        raise AttackError(f"an eps of {eps:g} is no bound: in {norm} no two such samples are {widest:.4g} apart")


def default_radius(norm: str, values: int) -> float:
    """The radius of a norm for samples of so many values, where none is given.

    In Linf 8/255. In L2 two levels of each value, as they are usual for pictures of 32 pixels a side (0.43) and of 224
    (3); in L1 (12 and 84) and L0 (55 and 388) it grows with the side, too.
    """
    if norm == "Linf":
        return 8 / 255
    side = math.sqrt(values)
    return {"L2": 2 / 255 * side, "L1": min(0.217 * side, values), "L0": max(1.0, math.floor(side))}[norm]
