"""An explainer command at work: pictures are read ahead, explained in batches, and handed on in order."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import PictureError

from . import options
from .batches import Picture, batches, tried
from .inputs import Source
from .outputs import Outputs, stored_about
from .signatures import Method
from .targets import NotHere, Wanted, wanted_classes

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.figures.display import Display


# How an earlier result may differ, in words.
OTHER = {"weights_hash": "with other weights", "picture_hash": "from another picture", "options": "with other options"}


@dataclass
class Result:
    """One score of one picture, its map, and what there is to say about it."""

    picture: Picture
    row: int  # of the picture in its batch
    wanted: Wanted
    about: dict[str, Any]
    path: Path | None  # where it goes; None for standard output
    there: bool  # an earlier run has written it, and no map is made
    map: "Tensor | None" = None  # (1, C, u, v) over the network's input, or laid on the picture where smoothed


@dataclass
class Run:
    """One explainer command at work."""

    method: Method
    work: Sequence[tuple[Source, Path]]  # pictures, and the names of their results
    classifier: "Classifier"
    outputs: Outputs
    display: "Display"
    classes: dict[str, Any]
    method_options: dict[str, Any]
    settings: dict[str, Any]
    about: dict[str, Any] | None = None
    failed: int = 0

    @functools.cached_property
    def explainer(self) -> Any:
        """The method's function."""
        from interpret.explainers import explainer_named

        return explainer_named(self.method.name)

    @functools.cached_property
    def view(self) -> "Classifier":
        """The classifier for pictures on its input grid."""
        return self.classifier.on_inputs()

    def results(self) -> Iterator[Result]:
        """Explain batch by batch; a picture that fails is reported and passed over."""
        choose = wanted_classes(self.classifier, self.classes)
        how = {name: self.settings[name] for name in ("batch_size", "workers")}
        bar = len(self.work) > 1 and not self.outputs.to_stdout
        on_grid = self.settings["size"] == "model"
        for batch in batches(self.work, self.classifier, self.fail, on_grid=on_grid, bar=bar, **how):
            yield from tried(batch, functools.partial(self._explained, choose), self.fail)

    def attribution(self, result: Result) -> "Tensor":
        """(1, C, H, W) on the pixels of the picture, without a graph, in the computer's memory."""
        if self.settings["smooth"]:
            return result.map.cpu()
        return self.explainer.lay_back(result.picture.geometry, result.map).detach().cpu()

    def seen_values(self, result: Result) -> "Tensor":
        """What is drawn of a result where the network saw it."""
        return self.display.values(self.attribution(result))[..., result.picture.geometry.seen()]

    def fail(self, source: Source, error: Exception) -> None:
        """Report a picture that failed, and count it."""
        self.failed += 1
        options.note_failure(source.shown, error, self.settings["verbose"])

    def _explained(self, choose: Callable, batch: Sequence[Picture]) -> list[Result]:
        import torch

        from interpret.classifier import layer_of
        from interpret.explainers.contract import shared_logits
        from interpret.explainers.sharing import shared_passes
        from interpret.network.hooks import left_as_found

        inputs = torch.cat([picture.inputs for picture in batch])
        method_options, failures = dict(self.method_options), []
        with left_as_found(self.view, inputs.device), shared_passes():
            if "layer" in method_options:
                method_options["layer"] = layer_of(self.view, inputs, method_options["layer"])
            logits = shared_logits(self.explainer, self.view, inputs, method_options.get("layer"))
            results = [
                result
                for row, picture in enumerate(batch)
                for result in self._asked(picture, row, choose(logits[row]), method_options, failures)
            ]
            self._fill([result for result in results if not result.there], inputs, method_options)
            for picture, error in failures:  # not before all has gone well, since it may be tried again
                self.fail(picture.source, error)
            for result in results:
                self._say(result, inputs[result.row : result.row + 1], method_options)
        return results

    def _fill(self, missing: list[Result], inputs: "Tensor", method_options: dict[str, Any]) -> None:
        """Make the maps that are missing, one score of each picture at a time."""
        chosen = {len(inputs) * (True,): inputs}
        while missing:
            now = {result.row: result for result in reversed(missing)}
            rows = tuple(row in now for row in range(len(inputs)))
            if rows not in chosen:  # the same tensor for the same rows, so that a pass over them is shared
                chosen[rows] = inputs[list(rows)]
            asked = [now[row] for row in sorted(now)]
            for result, found in zip(asked, self._maps(asked, chosen[rows], method_options), strict=True):
                result.map = found
            missing = [result for result in missing if result.map is None]

    def _asked(
        self,
        picture: Picture,
        row: int,
        scores: Iterator[Wanted],
        method_options: dict[str, Any],
        failures: list[tuple[Picture, Exception]],
    ) -> Iterator[Result]:
        """The results that a picture will have, each file once."""
        paths = set()
        try:
            for wanted in scores:
                about = {
                    **self.about,
                    "options": method_options,
                    "picture": picture.source.shown,
                    "picture_hash": picture.digits,
                    "class": wanted.label,
                    "explained": wanted.about,
                }
                try:
                    path = self.outputs.place(picture.more, self.method.name, wanted.label)
                    if path is None or path not in paths:
                        yield Result(picture, row, wanted, about, path, self._is_there(path, about))
                    paths.add(path)
                except PictureError as error:
                    failures.append((picture, error))
        except NotHere as error:
            failures.append((picture, error))

    def _maps(self, results: Sequence[Result], inputs: "Tensor", method_options: dict[str, Any]) -> "Sequence[Tensor]":
        """The map of each result; they belong to different pictures, whose inputs (n, C, h, w) these are."""
        import torch

        from interpret.explainers.sharing import shared_passes
        from interpret.explainers.smoothing import smoothed
        from interpret.scores import joined

        torch.manual_seed(self.settings["seed"])
        targets = [result.wanted.target for result in results]
        if not self.settings["smooth"]:
            target = joined(targets, inputs.device)
            return self.explainer.__wrapped__(self.view, inputs, target, **method_options).detach().split(1)
        classifier = self.view if self.settings["size"] == "model" else self.classifier
        maps = []
        for result, target in zip(results, targets, strict=True):
            image, times = result.picture.image.to(inputs.device), self.settings["smooth"]
            with shared_passes(False):  # no two copies are the same
                maps.append(smoothed(self.explainer, classifier, image, target, times=times, **method_options))
        return maps

    def _say(self, result: Result, inputs: "Tensor", method_options: dict[str, Any]) -> None:
        """How the class was chosen; one sentence on a map that would be blank; if asked, the evidence against."""
        from interpret.explainers.diagnosis import diagnose

        shown, quiet = result.picture.source.shown, self.settings["quiet"]
        for line in result.wanted.notes:
            options.note(f"{shown}: {line}", quiet)
        if result.there:
            return
        (found,) = diagnose(result.map)
        if found.kind == "zero" and method_options.get("relu"):
            # What the ReLU has cut away says why nothing is left.
            (found,) = diagnose(self._maps([result], inputs, {**method_options, "relu": False})[0])
        if found.kind != "fine" or self.settings["verbose"]:
            options.note(f"{shown}: {result.wanted.label}: {found.sentence}", quiet)

    def _is_there(self, path: Path | None, about: dict[str, Any]) -> bool:
        """Whether an earlier run made this result; one made from something else is an error."""
        if not self.settings["no_clobber"] or path is None or not path.exists():
            return False
        before = stored_about(path)
        if before is None:
            options.note(f"{path} does not say how it was made; it is left as it is", self.settings["quiet"])
        # The same pictures and weights may be called otherwise, and be explained by another version.
        free = ("picture", "model", "weights", "versions")
        differing = [key for key in about if before and key not in free and before.get(key) != about[key]]
        if differing:
            raise PictureError(
                f"{path} was made {OTHER.get(differing[0], f'with another {differing[0]}')} and is left alone; "
                "write elsewhere with -o"
            )
        return not self.settings["raw"] or path.with_suffix(".npz").exists()
