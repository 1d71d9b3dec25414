"""Methods tried on pictures one after the other, each within its budget of passes, and what came of it."""

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError, did_you_mean
from interpret.explainers import EXPLAINERS

from . import options
from .evaluating import Ledger
from .inputs import Source

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.faithfulness.ranking import Trial


class Names(click.ParamType):
    """Names of a table with commas between them; dashes and underscores are the same."""

    name = "names"

    def __init__(self, known: Any, what: str) -> None:
        self.known, self.what = list(known), what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        words = value if isinstance(value, list | tuple) else str(value).split(",")
        chosen = [word.strip().replace("-", "_") for word in words]
        if chosen == ["all"]:
            return self.known
        for name in chosen:
            if name not in self.known:
                hint = did_you_mean(name, self.known) or f"; there are {', '.join(self.known)}"
                self.fail(f"no {self.what} {name!r}{hint}".replace("_", "-"), param, ctx)
        return list(dict.fromkeys(chosen))


methods_option = click.option(
    "--methods",
    type=Names(EXPLAINERS, "method"),
    default="all",
    show_default=True,
    metavar="NAME,NAME",
    help="The explainers to look at; `interp methods` lists them.",
)
budget_option = click.option(
    "--budget",
    type=click.IntRange(1),
    default=10000,
    show_default=True,
    metavar="PASSES",
    help="Passes through the network that a method may take for its maps. What needs many for each picture, "
    "as Score-CAM and RISE do, is looked at on fewer pictures, and the table says on how many.",
)


def read_on_grid(source: Source, classifier: "Classifier") -> tuple["Tensor", int]:
    """A picture (1, 3, h, w) on the network's input grid, in [0, 1], and the class predicted for it."""
    import torch

    from interpret.network.hooks import left_as_found

    # Bicubic resizing overshoots; a picture does not.
    image = classifier.prepare(source.read())[0].clamp(0, 1).to(classifier.mean.device)
    with left_as_found(classifier, image.device), torch.no_grad():
        return image, int(classifier.on_inputs()(image).argmax())


def read_all(sources: list[Source], classifier: "Classifier", verbose: int) -> tuple["Tensor", list[int], int]:
    """Pictures (N, 3, h, w), the classes predicted for them, and how many could not be read."""
    import torch

    found, failed = [], 0
    for source in sources:
        try:
            found.append(read_on_grid(source, classifier))
        except (PictureError, RuntimeError) as error:
            failed += 1
            options.note_failure(source.shown, error, verbose)
    if not found:
        raise InterpretError("none of the pictures could be read")
    images, targets = zip(*found, strict=True)
    if len({image.shape for image in images}) > 1:
        raise InterpretError("the pictures differ in size; give --input-size")
    return torch.cat(images), list(targets), failed


def drawn_at_random(sources: list[Source], limit: int | None, seed: int) -> list[Source]:
    """So many of the pictures, in random order, so that those a budget leaves are no special ones."""
    return random.Random(seed).sample(sources, min(limit or len(sources), len(sources)))


@dataclass
class Comparison:
    """Methods at work on pictures; what is measured is written at once, so that a run can go on later."""

    classifier: "Classifier"
    methods: list[str]
    trial: "Trial"
    budget: int
    ledger: Ledger
    run_hash: str  # stands for the weights and the options that change a number
    regions: Any = None  # from a source to (H, W) booleans on its picture, or None
    verbose: int = 0
    quiet: bool = False
    failed: int = 0
    results: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    curves: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)  # method to column to curves

    def run(self, sources: list[Source]) -> None:
        """Try every method on every picture, as far as its budget goes."""
        from tqdm import tqdm

        from interpret.faithfulness.baseline_maps import FLOORS
        from interpret.progress import without_bars

        self.results = {name: {} for name in (*FLOORS, *self.methods)}
        work = tqdm(sources, disable=self.quiet or None, leave=False, unit="picture")
        with without_bars():
            for source in work:
                try:
                    self._look_at(source)
                except (PictureError, RuntimeError) as error:  # an InterpretError is neither
                    self.failed += 1
                    options.note_failure(source.shown, error, self.verbose)
        self.results = {method: rows for method, rows in self.results.items() if rows}
        if not self.results:
            raise InterpretError("none of the pictures could be read")
        self._say_who_saw_fewer()

    def _look_at(self, source: Source) -> None:
        """Try the methods that have passes left on one picture, but for what an earlier run has done."""
        waiting = []
        for method in self.results:
            row = self.ledger.rows.get(f"{source.shown} {method}")
            if row is not None:
                if row["run"] != self.run_hash:
                    raise InterpretError(
                        f"{self.ledger.path} was made with other weights or options; choose another -o"
                    )
                curves = {name: list(map(float, row[f"{name}_curve"].split())) for name in self.trial.curves()}
                found = {name: float(row[name]) for name in self.trial.columns()}
                self._take(method, source, found, curves, row["passes"])
            elif self._affordable(method):
                waiting.append(method)
        if not waiting:
            return
        image, target = read_on_grid(source, self.classifier)
        region = self.regions(source, self.classifier) if self.regions else None
        for method in waiting:
            self._try(method, source, image, target, region)

    def _affordable(self, method: str) -> bool:
        """Whether one more picture fits the budget; the first always does."""
        done = len(self.results[method])
        return not done or self.passes[method] * (done + 1) / done <= self.budget

    def _try(self, method: str, source: Source, image: "Tensor", target: int, region: "Tensor | None") -> None:
        from interpret.faithfulness.ranking import tried

        try:
            found, curves, passes = tried(self.classifier.on_inputs(), image, target, method, self.trial, region)
        except InterpretError as error:
            options.note(f"{method.replace('_', '-')} is left out: {error}", self.quiet)
            del self.results[method]
            return
        self._take(method, source, found, curves, passes)
        points = {f"{name}_curve": " ".join(f"{value:.5g}" for value in curve) for name, curve in curves.items()}
        about = {"file": source.shown, "class": self.classifier.name(target), "method": method, "passes": passes}
        self.ledger.add([about | found | points | {"run": self.run_hash}])

    def _take(
        self, method: str, source: Source, found: dict[str, float], curves: dict[str, list[float]], passes: int | str
    ) -> None:
        self.results[method][source.shown] = found
        for name, curve in curves.items():
            self.curves.setdefault(method, {}).setdefault(name, []).append(curve)
        self.passes[method] = self.passes.get(method, 0) + int(passes)

    @property
    def pictures(self) -> int:
        """How many could be looked at."""
        return len(self.results["random"])

    def _say_who_saw_fewer(self) -> None:
        for method, rows in self.results.items():
            if len(rows) < self.pictures:
                each = round(self.passes[method] / len(rows))
                options.note(
                    f"{method.replace('_', '-')} takes {each} passes a picture: {len(rows)} of {self.pictures} "
                    f"pictures within --budget {self.budget}",
                    self.quiet,
                )
