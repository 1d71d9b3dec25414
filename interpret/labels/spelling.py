"""The ways in which people spell one name: case, accents, punctuation, singular and plural."""

import re
import unicodedata
from collections.abc import Iterator

_IRREGULAR = {"fungi": "fungus", "geese": "goose", "mice": "mouse", "people": "person"}
_PLURALS = [("ies", "y"), ("ves", "f"), ("ves", "fe"), ("(s|x|z|o|ch|sh)es", r"\1"), ("([^s])s", r"\1")]


def fold(text: str) -> str:
    """A name without the differences in how people type it: lower case, no accents or punctuation, single spaces."""
    text = re.sub("['’]", "", unicodedata.normalize("NFKD", text.casefold()))
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in text if not unicodedata.combining(c))))


def singulars(key: str) -> Iterator[str]:
    """A folded name, and then what its singular may be."""
    yield key
    start, space, word = key.rpartition(" ")
    if word in _IRREGULAR:
        yield start + space + _IRREGULAR[word]
    for ending, singular in _PLURALS:
        if re.search(ending + "$", word):
            yield start + space + re.sub(ending + "$", singular, word)
