"""From class names on the command line to the score that is explained, for each picture."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...job.results import slug
from ...options.classes import ClassOptions

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.labels.names import Match
    from interpret.scores import Target


class NotForThisPicture(InterpretError):
    """Something asked for that makes no sense for one picture, but may for the next."""


@dataclass(frozen=True)
class Score:
    """One score to explain for one picture."""

    label: str  # as the user named it, or the predicted class; goes into file names
    target: "Target"
    about: dict[str, Any]  # which class or classes it is made of
    prediction: str  # what the network says of the picture
    unit: str
    notes: list[str] = field(default_factory=list)
    shown: str = ""  # the label with the probability that the network gives it, if it gives any
    absent: bool = False  # whether that is far below what it predicts


def results_a_picture(classifier: "Classifier", options: ClassOptions) -> int:
    """How many results each picture has."""
    if not options.classes or options.of_output:
        return max(options.top_k or 1, len(options.classes), len(options.units))
    each = options.class_mode == "each"
    return sum(len(classifier.labels.find(query).indices) if each else 1 for query in options.classes)


def scores_of(classifier: "Classifier", options: ClassOptions) -> Callable[["Tensor"], Iterator[Score]]:
    """A function from a picture's logits (classes,) to what is to be explained of its classes.

    Names are looked up here, once, so that one that does not exist ends the run before it begins.
    """
    if options.top_k and options.classes:
        raise InterpretError("--top-k explains the top predictions; leave out --class")
    matches = [classifier.labels.find(query) for query in options.classes]
    versus = classifier.labels.find(options.versus) if options.versus else None
    if versus is not None and any(set(match.indices) == set(versus.indices) for match in matches):
        raise InterpretError(f"--versus {versus.label} is the class that is explained; name another")
    mode, top = options.class_mode, options.top_k or 1
    from interpret.network.outputs import top_outputs

    called = Counter(map(slug, classifier.labels))

    def choose(logits: "Tensor") -> Iterator[Score]:
        scores = ClassScores(classifier, logits, options.score, called)
        if not matches:
            if top == 1:
                top_outputs(logits[None], classifier.task)  # refuses a regression of several outputs
            for index in logits.topk(min(top, len(logits))).indices.tolist():
                yield scores.score_of(scores.label(index), [index], versus, [scores.first(index)])
        for match in matches:
            yield from _of_match(scores, match, mode, versus)

    return choose


def _of_match(scores: "ClassScores", match: "Match", mode: str, versus: "Match | None") -> Iterator[Score]:
    notes = [match.note] if match.note else []
    if mode == "each":
        for index in match.indices:
            yield scores.score_of(scores.label(index), [index], versus, notes)
    elif len(match.indices) == 1:
        (index,) = match.indices
        named = match.label == scores.classifier.name(index)
        yield scores.score_of(scores.label(index) if named else match.label, [index], versus, notes)
    elif mode == "sum":
        yield scores.score_of(match.label, list(match.indices), versus, notes)
    else:
        best = scores.best(match)
        notes.append(f"{match.label} is {scores.shown(best)}, the highest of {len(match.indices)} classes")
        yield scores.score_of(match.label, [best], versus, notes)


@dataclass(frozen=True)
class ClassScores:
    """A picture's logits (classes,), and the words for them."""

    classifier: "Classifier"
    logits: "Tensor"
    score: str  # "logit" or "log-probability"
    called: Counter[str]  # how many classes have files of that name

    def shown(self, index: int) -> str:
        """A class with its probability, such as "tabby 0.62"."""
        return self.classifier.shown(self.logits, index)

    def first(self, index: int) -> str:
        """What is said of a class that nobody named."""
        return f"{'output' if self.classifier.task == 'regression' else 'top prediction'} {self.shown(index)}"

    def label(self, index: int) -> str:
        """The name of a class, with its index where another class's files would be called the same."""
        name = self.classifier.name(index)
        return name if self.called[slug(name)] == 1 else f"{name} {index}"

    def best(self, match: "Match", but: Sequence[int] = ()) -> int:
        """The member of a group that the picture scores highest, some left out."""
        left = [index for index in match.indices if index not in but]
        if not left:
            raise NotForThisPicture(f"--versus {match.label} is the class that is explained; name another")
        return max(left, key=lambda index: float(self.logits[index]))

    def score_of(self, label: str, indices: list[int], versus: "Match | None", notes: list[str]) -> Score:
        """The score of one class, or of several as one, or how far it is above another's."""
        from interpret.explainers.absent_classes import absence, is_absent, with_presence
        from interpret.scores import contrast, group, log_probability

        if self.score == "log-probability" and self.classifier.task == "regression":
            raise InterpretError("a network for regression has no probabilities; leave out --score")
        target: Target = indices[0] if len(indices) == 1 else group(tuple(indices))
        names = [self.classifier.name(index) for index in indices]
        about: dict[str, Any] = {"indices": indices, "names": names, "score": self.score}
        kind = "output" if self.classifier.task == "regression" else self.score.replace("-", " ")
        unit = f"{kind} of {names[0] if len(names) == 1 else label}"
        if versus is not None:
            other = self.best(versus, but=indices)
            target = contrast(target, other)  # the same for logits and the log-probabilities of classes
            if self.score == "log-probability" and self.classifier.task == "multilabel":
                target = contrast(log_probability(target.target), log_probability(other))
            if len(versus.indices) > 1:
                notes = [*notes, f"{versus.label} is {self.shown(other)}, the highest of {len(versus.indices)} classes"]
            label = f"{label} vs {versus.label}"
            about |= {"versus": other, "versus_name": self.classifier.name(other)}
            unit += f" less that of {self.classifier.name(other)}"
        elif self.score == "log-probability":
            target = log_probability(target)
        seen = (self.classifier, self.logits, indices)
        prediction, shown, absent = self.shown(int(self.logits.argmax())), with_presence(*seen, label), is_absent(*seen)
        if absent and len(indices) == 1:
            notes = [*notes, absence(self.classifier, self.logits, indices[0])]
        return Score(label, target, about, prediction, unit, notes, shown, absent)
