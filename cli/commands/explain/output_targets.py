"""From the command line to a score that is no logit: of a unit, of pixels, a box, or one's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError, UnknownNameError, kind_and_text

from ...options.classes import ClassOptions
from ...own_code import code_from_here
from .targets import NotForThisPicture, Score

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared


@dataclass(frozen=True)
class OwnScore:
    """A function of the user's own, whose errors are told in one line."""

    name: str
    function: Callable[[Any], "Tensor"]

    def __call__(self, output: Any) -> "Tensor":
        """The scores (N,) of what a network returned for N pictures."""
        try:
            return self.function(output)
        except InterpretError:
            raise
        except Exception as error:  # the function is the user's, and may do anything
            raise InterpretError(f"--score {self.name} failed: {kind_and_text(error)}") from error


def output_scores_of(classifier: "Classifier", options: ClassOptions) -> Callable[["Prepared"], Iterator[Score]]:
    """A function from a picture to what is to be explained of the network's output for it."""
    scores = _scores(classifier, options)
    view = classifier.on_inputs()

    def choose(picture: "Prepared") -> Iterator[Score]:
        from interpret.explainers.contract import target_given

        for score in scores:
            try:
                target = target_given(view, picture.inputs, score.target, picture.geometry)
            except UnknownNameError:
                raise  # which no picture has
            except InterpretError as error:
                raise NotForThisPicture(str(error)) from error
            yield replace(score, target=target)

    return choose


def _scores(classifier: "Classifier", options: ClassOptions) -> list[Score]:
    kinds = {
        "--mask": options.mask or options.score == "pixels",
        "--box": options.box or options.score == "box",
        "--unit": options.units,
        "--score": ":" in options.score,
    }
    kinds = [kind for kind, meant in kinds.items() if meant]
    if len(kinds) > 1:
        raise InterpretError(f"{' and '.join(kinds)} explain different things; give one of them")
    (kind,) = kinds
    if options.versus or options.top_k:
        raise InterpretError(f"--versus and --top-k compare logits, which {kind} does not explain")
    if kind == "--score":
        return [_own(options)]
    if options.units:
        return [_of_unit(classifier, text, options) for text in options.units]
    if not options.classes:
        raise InterpretError(f"{kind} needs the class that is meant: give --class")
    if options.score == "log-probability":
        raise InterpretError(f"{kind} explains scores as they are; leave out --score {options.score}")
    of_class = _of_pixels if kind == "--mask" else _of_box
    return [of_class(classifier, query, options) for query in options.classes]


def _own(options: ClassOptions) -> Score:
    from interpret.models.own_code import named_object

    if options.classes:
        raise InterpretError(f"--score {options.score} decides what is explained; leave out --class")
    with code_from_here(options.score):
        function = named_object(options.score)
    if not callable(function):
        raise InterpretError(f"--score {options.score} is a {type(function).__name__}, not a function")
    label = options.score.rpartition(":")[2]
    return Score(label, OwnScore(options.score, function), {"score": options.score}, "", label)


def _of_unit(classifier: "Classifier", text: str, options: ClassOptions) -> Score:
    from interpret.network.hooks import find_layer
    from interpret.unit_scores import unit_named

    if options.classes or options.score != "logit":
        leave = "--class" if options.classes else f"--score {options.score}"
        raise InterpretError(f"--unit {text} decides what is explained; leave out {leave}")
    named = unit_named(text)
    find_layer(classifier.network, named.layer)
    return Score(str(named), named, {"unit": str(named)}, "", f"activation of {named}")


def _of_pixels(classifier: "Classifier", query: str, options: ClassOptions) -> Score:
    from interpret.images.files import pixels_hash, read
    from interpret.output_scores import pixels

    index, name, about = _named(classifier, query)
    mask = None if options.mask is None else read(options.mask).mean(1)[0] > 0.5
    about["mask"] = "where it is highest" if mask is None else pixels_hash(mask[None, None].float())
    return Score(name, pixels(index, mask), about, "", f"sum of the scores of {name}")


def _of_box(classifier: "Classifier", query: str, options: ClassOptions) -> Score:
    from interpret.output_scores import box

    index, name, about = _named(classifier, query)
    said = f"overlap and score of {name}" if options.box else f"score of {name}"
    return Score(name, box(index, options.box), {**about, "box": options.box or "the surest"}, "", said)


def _named(classifier: "Classifier", query: str) -> tuple[int, str, dict[str, Any]]:
    """The index and the name of a class of a segmentation or a detection, and what a result's file keeps of them."""
    from interpret.datasets.folders import class_index

    index = int(query) if query.isdigit() else class_index(classifier, query)  # the network's outputs need no names
    name = classifier.name(index)
    return index, name, {"indices": [index], "names": [name]}
