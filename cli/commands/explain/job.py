"""An explainer command at work: pictures are read ahead, explained in batches, and handed on in order."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interpret.datasets.threads import WORKERS
from interpret.errors import PictureError

from ...job.results import Outputs
from ...job.resume import made_before
from ...job.sources import Source
from ...options.classes import ClassOptions
from ...options.map_display import DisplayOptions
from ...options.messages import Messages
from ...options.numbers import Number
from ...options.pictures import batch_option, seed_option
from ...options.record import option
from ...options.signature import Method
from ...options.types import COUNT
from .output_targets import output_scores_of
from .targets import NotForThisPicture, Score, scores_of

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.datasets.batches import Prepared


@dataclass(frozen=True)
class MapOptions:
    """How maps are made, whatever the method."""

    smooth: int | None = option(
        "Average the maps of N copies of the picture, mirrored and slightly shifted.", type=COUNT, metavar="N"
    )
    size: Literal["original", "model"] = option(
        "Whether the result has the pixels of the picture, or those of the network's input.", default="original"
    )
    raw: bool = option("Also write the numbers of the map, as an .npz file beside each picture.")
    seed: int = seed_option()
    batch_size: int = batch_option()
    workers: int = option(
        "How many threads read, and how many write, beside the network; by default one for each core, up to 4.",
        default=WORKERS,
        show_default=False,
        type=Number(1, 256),
    )


@dataclass
class Result:
    """One score of one picture, its map, and what there is to say about it."""

    picture: "Prepared"
    row: int  # of the picture in its batch
    score: Score
    about: dict[str, Any]
    path: Path | None  # where it goes; None for standard output
    exists: bool  # an earlier run has written it, and no map is made
    map: "Tensor | None" = None  # (1, C, u, v) over the network's input, or laid on the picture where smoothed

    @property
    def source(self) -> Source:
        """Where the picture comes from."""
        return self.picture.item[0]


@dataclass(kw_only=True)
class Explaining:
    """One explainer command at work."""

    method: Method
    work: Sequence[tuple[Source, Path]]  # pictures, and the names of their results
    classifier: "Classifier"
    outputs: Outputs
    display: DisplayOptions
    classes: ClassOptions
    method_options: dict[str, Any]
    maps: MapOptions
    no_clobber: bool
    about: dict[str, Any]  # what holds for every result
    messages: Messages
    failed: int = 0

    @functools.cached_property
    def explainer(self) -> Callable[..., "Tensor"]:
        """The method's function."""
        from interpret.explainers import explainer_named

        return explainer_named(self.method.name)

    @functools.cached_property
    def view(self) -> "Classifier":
        """The classifier for pictures on its input grid."""
        return self.classifier.on_inputs()

    def results(self) -> Iterator[Result]:
        """Explain batch by batch; a picture that fails is reported and passed over."""
        from interpret.datasets.batches import batches, each_alone_on_failure

        choose = output_scores_of if self.classes.of_output else scores_of
        explain = functools.partial(self._explained, choose(self.classifier, self.classes))
        reading = {
            "read": lambda item: item[0].read_stored(),
            "waits": lambda item: item[0].waits(),
            "batch_size": self.maps.batch_size,
            "workers": self.maps.workers,
            "on_grid": self.maps.size == "model",
            "bar": len(self.work) > 1 and not self.outputs.to_stdout,
        }
        for batch in batches(self.work, self.classifier, self._fail_item, **reading):
            yield from each_alone_on_failure(batch, explain, self._fail_item)

    def attribution(self, result: Result) -> "Tensor":
        """(1, C, H, W) on the pixels of the picture, without a graph, in the computer's memory."""
        if self.maps.smooth:
            return result.map.cpu()
        return self.explainer.lay_back(result.picture.geometry, result.map).detach().cpu()

    def fail(self, source: Source, error: Exception) -> None:
        """Report a picture that failed, and count it."""
        self.failed += 1
        self.messages.failure(source.shown, error)

    def _fail_item(self, item: tuple[Source, Path], error: Exception) -> None:
        self.fail(item[0], error)

    def _explained(self, choose: Callable[..., Iterator[Score]], batch: "Sequence[Prepared]") -> list[Result]:
        import torch

        from interpret.explainers.contract import shared_logits
        from interpret.explainers.sharing import shared_passes
        from interpret.explainers.tile_maps import as_seen
        from interpret.layer_outputs import layer_of
        from interpret.network.hooks import left_as_found

        inputs = torch.cat([picture.inputs for picture in batch])
        options, failures = dict(self.method_options), []
        with left_as_found(self.view, inputs.device), shared_passes():
            if "layer" in options and not self.classes.units:  # of a unit it is its own
                options["layer"] = layer_of(*as_seen(self.view, inputs), options["layer"])
            seen = batch  # what the scores are chosen by: the pictures, or their logits
            if not self.classes.of_output:
                seen = shared_logits(self.explainer, self.view, inputs, options.get("layer"))
            about = {**self.about, "options": options}
            results = [
                result
                for row, picture in enumerate(batch)
                for result in self._results_of(picture, row, choose(seen[row]), about, failures)
            ]
            self._fill([result for result in results if not result.exists], inputs, options)
            for picture, error in failures:  # not before all has gone well, since it may be tried again
                self._fail_item(picture.item, error)
            for result in results:
                self._note(result, inputs[result.row : result.row + 1], options)
        return results

    def _fill(self, missing: list[Result], inputs: "Tensor", options: dict[str, Any]) -> None:
        """Make the maps that are missing, one score of each picture at a time."""
        chosen = {len(inputs) * (True,): inputs}
        while missing:
            now = {result.row: result for result in reversed(missing)}
            rows = tuple(row in now for row in range(len(inputs)))
            if rows not in chosen:  # the same tensor for the same rows, so that a pass over them is shared
                chosen[rows] = inputs[list(rows)]
            turn = [now[row] for row in sorted(now)]
            for result, found in zip(turn, self._maps(turn, chosen[rows], options), strict=True):
                result.map = found
            missing = [result for result in missing if result.map is None]

    def _results_of(
        self,
        picture: "Prepared",
        row: int,
        scores: Iterator[Score],
        about: dict[str, Any],
        failures: "list[tuple[Prepared, Exception]]",
    ) -> Iterator[Result]:
        """The results that a picture will have, each file once."""
        paths = set()
        source, stem = picture.item
        try:
            for score in scores:
                own = {
                    **about,
                    "picture": source.shown,
                    "picture_hash": picture.pixels_hash,
                    "class": score.label,
                    "explained": score.about,
                }
                try:
                    path = self.outputs.place(stem, self.method.name, score.label)
                    if path is None or path not in paths:
                        yield Result(picture, row, score, own, path, self._exists(path, own))
                    paths.add(path)
                except PictureError as error:
                    failures.append((picture, error))
        except NotForThisPicture as error:
            failures.append((picture, error))

    def _maps(self, results: Sequence[Result], inputs: "Tensor", options: dict[str, Any]) -> "Sequence[Tensor]":
        """The map of each result; they belong to different pictures, whose inputs (n, C, h, w) these are."""
        import torch

        from interpret.explainers.sharing import shared_passes
        from interpret.explainers.smoothing import smoothed
        from interpret.scores import joined

        torch.manual_seed(self.maps.seed)
        targets = [result.score.target for result in results]
        if not self.maps.smooth:
            target = joined(targets, inputs.device)
            return self.explainer.__wrapped__(self.view, inputs, target, **options).detach().split(1)
        classifier = self.view if self.maps.size == "model" else self.classifier
        maps = []
        for result, target in zip(results, targets, strict=True):
            image = result.picture.image.to(inputs.device)
            with shared_passes(False):  # no two copies are the same
                maps.append(smoothed(self.explainer, classifier, image, target, times=self.maps.smooth, **options))
        return maps

    def _note(self, result: Result, inputs: "Tensor", options: dict[str, Any]) -> None:
        """How the class was chosen; one sentence on a map that would be blank; if asked, the evidence against."""
        from interpret.explainers.blank_maps import diagnose

        for line in result.score.notes:
            self.messages.note(f"{result.source.shown}: {line}")
        if result.exists:
            return
        (found,) = diagnose(result.map)
        if found.kind == "zero" and options.get("relu"):
            # What the ReLU has cut away says why nothing is left.
            (found,) = diagnose(self._maps([result], inputs, {**options, "relu": False})[0])
        if found.kind != "fine" or self.messages.verbose:
            self.messages.note(f"{result.source.shown}: {result.score.label}: {found.sentence}")

    def _exists(self, path: Path | None, about: dict[str, Any]) -> bool:
        """Whether an earlier run made this result; one made from something else is an error."""
        if not self.no_clobber or path is None or not path.exists():
            return False
        if made_before(path, about) is None:
            self.messages.note(f"{path} does not say how it was made; it is left as it is")
        return not self.maps.raw or path.with_suffix(".npz").exists()
