"""The options of `interp report` as a record."""

from dataclasses import dataclass

from interpret.explainers import EXPLAINERS

from ...options.classes import best_of_class_option
from ...options.pictures import seed_option
from ...options.record import option
from ...options.types import Names

METHODS = "gradcam,layercam,guided-gradcam,guided-backprop,saliency,integrated-gradients"


@dataclass(frozen=True)
class ReportChoices:
    """What is looked for in each picture."""

    methods: list[str] = option(
        "The explainers to show; `interp methods` lists them.",
        default=METHODS,
        type=Names(EXPLAINERS, "method"),
        metavar="NAME,NAME",
    )
    classes: tuple[str, ...] = best_of_class_option()
    attack: bool = option("Look for a small change that alters the answer.", default=True)
    sanity: bool = option("Check whether each method's maps depend on what the network has learnt.", default=True)
    seed: int = seed_option()
