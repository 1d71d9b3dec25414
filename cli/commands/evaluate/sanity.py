"""`interp evaluate sanity`: whether an explanation depends on what the network has learnt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interpret.bundled import samples
from interpret.errors import InterpretError

from ...job.ledger import write_table
from ...job.provenance import provenance
from ...job.results import write_result
from ...job.sources import Source, find_pictures
from ...options.messages import Messages
from ...options.network import ModelOptions
from ...options.output import folder_option, json_option
from ...options.pictures import OptionalPictures
from ...options.record import command, option
from ...options.types import COUNT, dashed
from .explanations import MethodOptions
from .tables import sanity_rows, tell_sanity

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier
    from interpret.faithfulness.sanity import Sanity

SAMPLES = ("cat", "giant-panda", "bison", "koala", "lemur")


@command(short_help="Do explanations depend on what the network has learnt?")
def sanity(
    *,
    pictures: OptionalPictures,
    methods: MethodOptions,
    depths: int = option("In how many steps the network loses its weights, from the top down.", default=8, type=COUNT),
    output: str = folder_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """Do explanations depend on what the network has learnt? Shuffle its weights, and look at the maps again.

    A copy of the network loses its weights from the top block down, and block by block; maps of the top
    prediction are compared with those of the network as it is, by the rank correlation of their sizes and
    by SSIM. A method whose maps keep a correlation of 0.8 or more when the top block is lost does not
    depend on the weights. How alike the maps of two networks are that are random throughout is the
    floor. Without PICTURES some bundled samples are taken. Methods that need many passes look at fewer
    pictures and depths.
    """
    from interpret.datasets.batches import stacked_inputs
    from interpret.figures.method_ranking import sanity_figure
    from interpret.progress import without_bars

    known, failures = samples(), []
    given = pictures.pictures or [f"sample:{name}" for name in SAMPLES if name in known]
    sources = methods.drawn(find_pictures(given, pictures.recursive))
    classifier = model.open()

    def failed(source: Source, error: Exception) -> None:
        failures.append(source)
        messages.failure(source.shown, error)

    images = stacked_inputs(sources, classifier, failed, read=Source.read)
    view = classifier.on_inputs()
    check = _Check(view, images, view.predict(images).tolist(), methods, depths, messages)
    checked: list[Sanity] = []
    with without_bars():
        for method in methods.methods:
            found = check.of(method)
            if found is not None:
                checked.append(found)
                tell_sanity(found, as_json, first=len(checked) == 1)
    if not checked:
        raise InterpretError("none of the methods can explain this network")
    folder = Path(output)
    write_table(folder / "sanity.csv", [row for found in checked for row in sanity_rows(found)])
    about = provenance("evaluate sanity", model, classifier, seed=methods.seed)
    title = f"{model.model}: rank correlation with the maps of the network as it is, when weights are lost"
    write_result(folder / "sanity.png", sanity_figure(checked, title), about)
    messages.note(f"{folder / 'sanity.csv'}, {folder / 'sanity.png'}")
    if failures:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class _Check:
    """The check of one method after the other."""

    view: "Classifier"
    images: "Tensor"  # (N, 3, h, w) on the network's input grid
    targets: list[int]  # the N classes to explain
    methods: MethodOptions
    depths: int
    messages: Messages

    def of(self, method: str) -> "Sanity | None":
        """The check, as deep and on as many pictures as the budget goes; None where the method cannot be used."""
        from interpret.faithfulness.sanity import affordable, sanity

        view, images, targets, budget = self.view, self.images, self.targets, self.methods.budget
        try:
            count, depths, alone = affordable(view, images, targets, method, depths=self.depths, budget=budget)
            if count < len(images) or not alone:
                what = f"{count} of {len(images)} pictures" + ("" if alone else f" at {depths} depths, cascading only")
                self.messages.note(f"{dashed(method)} takes many passes: {what} within --budget {budget}")
            chosen = {"depths": depths, "one_by_one": alone, "seed": self.methods.seed}
            return sanity(view, images[:count], targets[:count], method, **chosen)
        except InterpretError as error:
            self.messages.note(f"{dashed(method)} is left out: {error}")
            return None
