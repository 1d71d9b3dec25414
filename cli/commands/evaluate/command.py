"""The group `interp evaluate`."""

import click

from ...group import HintingGroup, LazyCommands, imported

NAMES = ("accuracy", "robustness", "corruptions", "masking", "card", "faithfulness", "sanity")


@click.group(
    cls=HintingGroup,
    commands=LazyCommands({name: imported(f"cli.commands.evaluate.{name}", name) for name in NAMES}),
    short_help="Accuracy, robustness, corruptions, a robustness card; faithfulness and sanity of explanations.",
)
def evaluate() -> None:
    """Measure a network on a FOLDER of labelled pictures.

    Labels come from a labels.csv in the folder (columns file,label), from the names of the folders
    inside, or from files' names that begin with the class's number (0470_candle.jpg). A folder may
    hold train and test (or val) with such pictures; those to test on are taken.
    """
