"""The errors of the toolkit, each with a message that names the remedy, and the wording they share."""

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


class NoGradientError(NetworkError):
    """A score that has no gradient to what is asked; whoever knows the network says where it is cut."""


class NotFiniteError(InterpretError, RuntimeError):
    """Numbers of a network that are NaN or infinite for one picture; others may be fine."""


def error_line(error: Exception) -> str:
    """What an error says, in one line of a length that suits a page."""
    return " ".join(str(error).split())[:300]


def kind_and_text(error: Exception) -> str:
    """The class of an error and what it says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Up to three close names as the end of a sentence, such as ``"; did you mean 'layer4'?"``, or nothing."""
    folded = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if not close:
        return ""
    return "; did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
