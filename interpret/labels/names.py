"""Class names: from what a person types to class indices; ImageNet's names come with WordNet's groups."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from ..bundled import data
from ..errors import InterpretError, UnknownNameError, did_you_mean, printable, shortened
from .spelling import fold, singulars

# Of several groups with one name, the one whose main name it is comes first, then the largest.
# Here people mean another one, or several:
_MEANT = {
    "dish": ["n03206908"],  # crockery; the meal is WordNet's second sense
    "food": ["n00021265", "n07555863"],
    "helmet": ["n03513137", "n03513376"],
    "instrument": ["n03800933"],  # for music, rather than any device
    "lamp": ["n03636248", "n03636649"],
    "material": ["n03309808"],  # cloth
    "table": ["n04379243", "n04379964"],
    "toy": ["n03964744"],  # to play with; the lap dogs are "toy dog"
    "vessel": ["n04530566"],  # ships and boats, rather than containers
}
# ImageNet classes whose name alone makes people think of something else.
_SURPRISING = {
    "n01608432": "the bird",  # kite
    "n02108089": "the dog",  # boxer
    "n03126707": "the machine",  # crane
    "n03793489": "the computer's mouse",  # mouse
    "n03804744": "the metal nail",  # nail
    "n03947888": "the ship",  # pirate
    "n03954731": "the carpenter's plane",  # plane
    "n12620546": "the rose hip",  # hip
    "n13133613": "the ear of corn",  # ear
}


@dataclass(frozen=True)
class Match:
    """The classes that a query means."""

    indices: tuple[int, ...]  # sorted: one class, or the members of a group
    kind: str  # how it was understood: "index", "wnid", "name", "synonym", "group" or "word"
    label: str  # name of the class or of the group, for messages and file names
    note: str | None = None  # one line about what may surprise whoever asked


class Labels(Sequence[str]):
    """The names of a network's classes, in the order of their indices, and the ways to find a class among them.

    ImageNet's own thousand names come with their synonyms and WordNet groups. In other names the parts
    between commas, as in "tench, Tinca tinca", are synonyms.

    Args:
        names: one for each class. Blanks in a row count as one, and control characters are escaped.
    """

    def __init__(self, names: Iterable[str]):
        names = names if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise InterpretError(f"labels are names, a text for each class, not {shortened(repr(names), 60)}")
        self._names = tuple(printable(" ".join(name.split())) for name in names)
        classes, nodes = [("", name, name.split(", "), ()) for name in self._names], {}
        if len(self._names) == 1000 and self._names == tuple(name for _, name, *_ in _wordnet()["classes"]):
            classes, nodes = _wordnet()["classes"], _wordnet()["nodes"]
        self._wnids = {wnid: index for index, (wnid, *_) in enumerate(classes) if wnid}
        self._synonyms = [tuple(word for word in words if word != name) for _, name, words, _ in classes]
        self._above = [_ancestors(parents, nodes) for *_, parents in classes]
        self._lemmas = {f"n{node}": lemmas for node, (lemmas, _) in nodes.items()}
        self._members = defaultdict(list)
        for index, above in enumerate(self._above):
            for wnid in above:
                self._members[wnid].append(index)
        self._named = _inverted(enumerate([name] for name in self._names))
        self._also_named = _inverted(enumerate(self._synonyms))
        self._groups_named = _inverted(self._lemmas.items())

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> str:
        return self._names[index]

    def __eq__(self, other: object) -> bool:
        return tuple(other) == self._names if isinstance(other, (Labels, list, tuple)) else NotImplemented

    def synonyms(self, index: int) -> tuple[str, ...]:
        """Other names of a class."""
        return self._synonyms[index]

    def groups(self, index: int) -> tuple[str, ...]:
        """Names of the WordNet groups that hold a class, the nearest first; empty for other names than ImageNet's."""
        return tuple(self._lemmas[wnid][0] for wnid in self._above[index])

    def search(self, query: str) -> list[int]:
        """Every class with a name, synonym or group that has all the words of the query, sorted by index."""
        wanted = [set(singulars(word)) for word in fold(query).split()]

        def fits(names):
            return any(all(forms & set(fold(name).split()) for forms in wanted) for name in names)

        found = {index for index, name in enumerate(self) if fits((name, *self._synonyms[index]))}
        groups = [self._members[wnid] for wnid, lemmas in self._lemmas.items() if fits(lemmas)]
        return sorted(found.union(*groups))

    def find(self, query: str | int) -> Match:
        """The class or the group of classes that a person means; UnknownNameError if there is none.

        It tries in this order: an index; a WordNet id; the exact name; a name, synonym or group ("cat"), whatever
        its case, accents and punctuation; the same for its singular; a whole word of a name.
        """
        text = printable(" ".join(str(query).split()))
        match = self._by_index(text) or self._by_wnid(text.lower()) or self._by_exact_name(text)
        for step in (self._by_folded_name, self._by_word):
            for form in singulars(fold(text)):
                match = match or step(form)
        if match is None:
            known = [*self, *(name for names in (*self._synonyms, *self._lemmas.values()) for name in names)]
            known += [word for name in self for word in name.split()]
            close = did_you_mean(text, known) or "."
            raise UnknownNameError(f"no class is called {text!r}{close} `interp classes` lists the names")
        return match

    def _by_index(self, text: str) -> Match | None:
        if not re.fullmatch(r"[+-]?\d+", text):
            return None
        index = int(text)
        namesakes = [other for other, name in enumerate(self) if name == text and other != index]
        if 0 <= index < len(self):
            note = f"{text} is taken as an index; also a name: {self._list(namesakes)}" if namesakes else None
            return Match((index,), "index", self[index], note)
        if namesakes:
            return None
        raise UnknownNameError(f"there is no class {index}: the indices are 0 to {len(self) - 1}")

    def _by_wnid(self, text: str) -> Match | None:
        if text in self._wnids:
            return Match((self._wnids[text],), "wnid", self[self._wnids[text]])
        if text in self._lemmas:
            return Match(tuple(self._members[text]), "wnid", self._lemmas[text][0])
        return None

    def _by_exact_name(self, text: str) -> Match | None:
        indices = [index for index, name in enumerate(self) if name == text]
        return self._classes(indices, "name", text) if indices else None

    def _by_folded_name(self, key: str) -> Match | None:
        if key in self._named:
            return self._classes(self._named[key], "name", key)
        if key in self._also_named:
            return self._classes(self._also_named[key], "synonym", key)
        return self._group(key) if key in self._groups_named else None

    def _by_word(self, key: str) -> Match | None:
        indices = sorted(i for name, same in self._named.items() if f" {key} " in f" {name} " for i in same)
        if not indices:
            return None
        label = self[indices[0]] if len(indices) == 1 else key
        note = f"no class is called {key!r}; it is a word of {self._list(indices)}"
        return Match(tuple(indices), "word", label, note)

    def _classes(self, indices: list[int], kind: str, text: str) -> Match:
        """The class of this name, or all classes of this name as a group, and a note on what else the name means."""
        if len(indices) > 1:
            note = f"{text!r} names {len(indices)} classes: {self._list(indices)}; an index picks one"
            return Match(tuple(indices), "group", text, note)
        index, key, notes = indices[0], fold(text), []
        for wnid, meaning in _SURPRISING.items():
            if self._wnids.get(wnid) == index and key in self._named:
                notes.append(f"{self[index]!r} is class {index}, {meaning}")
        others = {*self._named.get(key, []), *self._also_named.get(key, [])} - {index}
        meanings = [self._list([other]) for other in sorted(others)]
        meanings += [self._describe(wnid) for wnid in self._senses(key) if self._members[wnid] != [index]]
        if meanings:
            notes.append(f"{text!r} also means {', '.join(meanings)}")
        return Match((index,), kind, self[index], "; ".join(notes) or None)

    def _group(self, key: str) -> Match:
        """The group of this name, with a note if it has one class only or another group has the same main name."""
        senses = self._senses(key)
        chosen = _MEANT.get(key, senses[:1])
        indices = sorted({index for wnid in chosen for index in self._members[wnid]})
        same_name = [wnid for wnid in senses if fold(self._lemmas[wnid][0]) == key]
        rivals = [wnid for wnid in same_name if not set(self._members[wnid]) <= set(indices)]
        note = None
        if rivals:
            note = f"{key!r} also means {', '.join(map(self._describe, rivals))}"
        elif len(indices) == 1 and key not in fold(self[indices[0]]):
            note = f"the only class under {key!r} is {self._list(indices)}"
        return Match(tuple(indices), "group", self._lemmas[chosen[0]][0], note)

    def _senses(self, key: str) -> list[str]:
        """The groups of this folded name, beginning with the one that a person most likely means."""

        def rank(wnid):
            return [fold(lemma) for lemma in self._lemmas[wnid]].index(key), -len(self._members[wnid])

        return sorted(self._groups_named.get(key, []), key=rank)

    def _list(self, indices: Sequence[int]) -> str:
        return ", ".join(f"{self[index]!r} ({index})" for index in indices[:3]) + ", ..." * (len(indices) > 3)

    def _describe(self, wnid: str) -> str:
        return f"the group {self._lemmas[wnid][0]!r} ({wnid}: {self._list(self._members[wnid])})"


@cache
def imagenet() -> Labels:
    """The labels of ImageNet-1k: a thousand classes, with the synonyms and groups of WordNet."""
    return Labels(name for _, name, *_ in _wordnet()["classes"])


@cache
def _wordnet() -> dict:
    """ImageNet's "classes" as [wnid, name, synonyms, parents] in index order, and the "nodes" above them."""
    return json.loads(data("imagenet1k_wordnet.json").read_text(encoding="utf-8"))


def _ancestors(parents: Sequence[str], nodes: dict) -> list[str]:
    """All groups that hold the parents, the nearest first."""
    queue = list(parents)
    for node in queue:
        queue += [parent for parent in nodes[node][1] if parent not in queue]
    return [f"n{node}" for node in queue]


def _inverted(items: Iterable[tuple]) -> dict[str, list]:
    """Folded name to the keys that have it, from pairs of a key and its names."""
    table = defaultdict(list)
    for key, names in items:
        for name in dict.fromkeys(map(fold, names)):
            if name:
                table[name].append(key)
    return dict(table)
