"""The errors of the toolkit, each with a message that names the remedy, and the wording they share."""

import difflib
import re
from collections.abc import Iterable

OUT_OF_MEMORY = "memory does not suffice; scale the picture down, or take fewer at a time or a smaller network"


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


class RefusedInputError(NetworkError, RuntimeError):
    """Inputs that a network refuses, as PyTorch refuses shapes by a RuntimeError; others may be fine."""


class NotFiniteError(InterpretError, RuntimeError):
    """Numbers of a network that are NaN or infinite for one picture; others may be fine."""


# What moves a terminal's cursor, ends a line, turns the order of letters round, or stands for a byte that is no UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Text of strangers in one line that does nothing but show: the rest is escaped as in JSON, such as \\u001b."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shortened(text: str, most: int = 80) -> str:
    """Text of at most so many letters; what is left out of the middle is an ellipsis."""
    return text if len(text) <= most else f"{text[: most - most // 3 - 1]}…{text[-(most // 3) :]}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory does not suffice, whatever Python, NumPy, PyTorch or a driver call it."""
    text = str(error).lower()
    said = r"out of memory|not enough memory|bad_alloc|alloc_failed|(can't|cannot|unable to|failed to) allocate"
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # PyTorch's, not imported here
    return named or re.search(said, text) is not None


def error_line(error: Exception) -> str:
    """What an error says, in one line of a length that suits a page."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return " ".join(str(error).split())[:300]


def kind_and_text(error: Exception) -> str:
    """The class of an error and what it says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def address_hint(name: str) -> str:
    """What to do with an address where a file is meant, as the end of a sentence; nothing for other names."""
    return f"; fetch it first: curl -LO {shortened(name, 200)}" if re.match(r"[A-Za-z][\w+.-]*://", name) else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Up to three close names as the end of a sentence, such as ``"; did you mean 'layer4'?"``, or nothing."""
    folded = {}
    for candidate in known:
        if candidate != name:  # which is there, but of no use
            folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if not close:
        return ""
    return "; did you mean " + " or ".join(repr(folded[match]) for match in close) + "?"
