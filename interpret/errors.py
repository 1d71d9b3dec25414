"""What the toolkit refuses, and how it says so: one root, a message that names the remedy."""

import difflib
from collections.abc import Iterable


class InterpretError(Exception):
    """Root of every error raised on purpose; its text is one line meant for the user."""


class PictureError(InterpretError):
    """A picture that cannot be read or written."""


class UnknownNameError(InterpretError):
    """A class, layer, model or sample that does not exist; the text lists the close names."""


class NetworkError(InterpretError):
    """A network, or its weights, that cannot be used in the way asked for."""


def error_line(error: Exception) -> str:
    """What an error says, in one line of a length that suits a page."""
    return " ".join(str(error).split())[:300]


def did_you_mean(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """The close names as the end of a sentence, for example ``"; did you mean 'layer4'?"``.

    Args:
        name: what was asked for.
        known: the names that exist.
        most: how many to suggest at the most.

    Returns:
        The suggestion, or the empty string where nothing is close.
    """
    folded = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold(), folded, n=most, cutoff=0.6)
    if not close:
        return ""
    return "; did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
