"""From class names on the command line to the score that is explained, for each picture."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError

from . import options
from .outputs import slug

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.labels.names import Match
    from interpret.scores import Target

# Of a figure or a page that has one map for each class asked for.
best_of_class_option = click.option(
    "-c",
    "--class",
    "classes",
    multiple=True,
    metavar="CLASS",
    shell_complete=options.complete_classes,
    help="A class to explain: a name, an index, or a group such as dog, whose highest member on the picture is "
    "meant; may be repeated. By default the top prediction.",
)
class_options = options.applied(
    click.option(
        "-c",
        "--class",
        "classes",
        multiple=True,
        metavar="CLASS",
        shell_complete=options.complete_classes,
        help="A class to explain: a name, a group such as dog, a WordNet id or an index; may be repeated. "
        "By default the top prediction.",
    ),
    click.option(
        "--class-mode",
        type=click.Choice(["best", "sum", "each"]),
        default="best",
        show_default=True,
        help="Of a group: its highest member on the picture, all members as one, or one result for each.",
    ),
    click.option(
        "--versus",
        metavar="CLASS",
        shell_complete=options.complete_classes,
        help="Why the class and not this one: explain the difference of their scores.",
    ),
    click.option(
        "--score",
        type=click.Choice(["logit", "log-probability"]),
        default="logit",
        show_default=True,
        help="What is explained of the class: its logit, or the logarithm of its probability.",
    ),
    click.option("--top-k", type=click.IntRange(1), help="Explain so many of the top predictions."),
)


class NotHere(InterpretError):
    """Something asked for that makes no sense for one picture, but may for the next."""


@dataclass(frozen=True)
class Wanted:
    """One score to explain for one picture."""

    label: str  # as the user named it, or the predicted class; goes into file names
    target: "Target"
    about: dict[str, Any]  # which class or classes it is made of
    prediction: str  # what the network says of the picture
    unit: str
    notes: list[str] = field(default_factory=list)


def take_classes(settings: dict[str, Any]) -> dict[str, Any]:
    """The parameters of ``class_options``, taken out of a command's."""
    return {name: settings.pop(name) for name in ("classes", "class_mode", "versus", "score", "top_k")}


def results_a_picture(classifier: "Classifier", settings: dict[str, Any]) -> int:
    """How many results each picture has."""
    if not settings["classes"]:
        return settings["top_k"] or 1
    each = settings["class_mode"] == "each"
    return sum(len(classifier.labels.find(query).indices) if each else 1 for query in settings["classes"])


def wanted_classes(classifier: "Classifier", settings: dict[str, Any]) -> Callable[["Tensor"], Iterator[Wanted]]:
    """A function from a picture's logits (classes,) to what is to be explained of it.

    Names are looked up here, once, so that one that does not exist ends the run before it begins.
    """
    if settings["top_k"] and settings["classes"]:
        raise InterpretError("--top-k explains the top predictions; leave out --class")
    matches = [classifier.labels.find(query) for query in settings["classes"]]
    versus = classifier.labels.find(settings["versus"]) if settings["versus"] else None
    if versus is not None and any(set(match.indices) == set(versus.indices) for match in matches):
        raise InterpretError(f"--versus {versus.label} is the class that is explained; name another")
    mode, top = settings["class_mode"], settings["top_k"] or 1

    called = Counter(map(slug, classifier.labels))

    def choose(logits: "Tensor") -> Iterator[Wanted]:
        scored = Scored(classifier, logits, settings["score"], called)
        if not matches:
            for index in logits.topk(min(top, len(logits))).indices.tolist():
                yield scored.wanted(scored.label(index), [index], versus, [f"top prediction {scored.shown(index)}"])
        for match in matches:
            yield from _of_match(scored, match, mode, versus)

    return choose


def _of_match(scored: "Scored", match: "Match", mode: str, versus: "Match | None") -> Iterator[Wanted]:
    notes = [match.note] if match.note else []
    if mode == "each":
        for index in match.indices:
            yield scored.wanted(scored.label(index), [index], versus, notes)
    elif len(match.indices) == 1:
        (index,) = match.indices
        named = match.label == scored.classifier.name(index)
        yield scored.wanted(scored.label(index) if named else match.label, [index], versus, notes)
    elif mode == "sum":
        yield scored.wanted(match.label, list(match.indices), versus, notes)
    else:
        best = scored.best(match)
        notes.append(f"{match.label} is {scored.shown(best)}, the highest of {len(match.indices)} classes")
        yield scored.wanted(match.label, [best], versus, notes)


@dataclass(frozen=True)
class Scored:
    """A picture's logits (classes,), and the words for them."""

    classifier: "Classifier"
    logits: "Tensor"
    score: str  # "logit" or "log-probability"
    called: Counter[str]  # how many classes have files of that name

    def shown(self, index: int) -> str:
        """A class with its probability, such as "tabby 0.62"."""
        return f"{self.classifier.name(index)} {self.logits.softmax(0)[index]:.2f}"

    def label(self, index: int) -> str:
        """The name of a class, with its index where another class's files would be called the same."""
        name = self.classifier.name(index)
        return name if self.called[slug(name)] == 1 else f"{name} {index}"

    def best(self, match: "Match", but: Sequence[int] = ()) -> int:
        """The member of a group that the picture scores highest, some left out."""
        left = [index for index in match.indices if index not in but]
        if not left:
            raise NotHere(f"--versus {match.label} is the class that is explained; name another")
        return max(left, key=lambda index: float(self.logits[index]))

    def wanted(self, label: str, indices: list[int], versus: "Match | None", notes: list[str]) -> Wanted:
        """The score of one class, or of several as one, or how far it is above another's."""
        from interpret.scores import contrast, group, log_probability

        target: Target = indices[0] if len(indices) == 1 else group(tuple(indices))
        names = [self.classifier.name(index) for index in indices]
        about: dict[str, Any] = {"indices": indices, "names": names, "score": self.score}
        unit = f"{self.score.replace('-', ' ')} of {names[0] if len(names) == 1 else label}"
        if versus is not None:
            other = self.best(versus, but=indices)
            target = contrast(target, other)  # the same for logits and log-probabilities
            if len(versus.indices) > 1:
                notes = [*notes, f"{versus.label} is {self.shown(other)}, the highest of {len(versus.indices)} classes"]
            label = f"{label} vs {versus.label}"
            about |= {"versus": other, "versus_name": self.classifier.name(other)}
            unit += f" less that of {self.classifier.name(other)}"
        elif self.score == "log-probability":
            target = log_probability(target)
        prediction = self.shown(int(self.logits.argmax()))
        return Wanted(label, target, about, prediction, unit, notes)
