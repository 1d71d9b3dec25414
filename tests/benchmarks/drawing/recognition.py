"""Pictures of twelve classes without their names, for eyes that do not know the answer.

    python -m tests.benchmarks.drawing.recognition FOLDER [CLASS ...]

Draws each class by the default options and seed 0, once, as FOLDER/01.png to 12.png in a random order. What they
are, with the scores of the network itself and of two judges, and the CPU seconds, is added to FOLDER-key.txt. Takes
six minutes on a thread. Whoever looks writes down what each picture shows, and only then reads the key.

The classes were settled before any was drawn with these options: common things that anybody can name, as different
as they come (fish, insects, a mammal, a sea creature, fruit, a vegetable, vehicles, a building, a mountain). No class
was exchanged, and no seed was chosen, after a look at a picture; but the options of the drawings were chosen by looking
at pictures of most of these classes. Eyes that did not know the list named eleven at first sight; the school bus was
taken for a slug.
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch

import interpret
from interpret.drawing.feature_visualization import score_of_views
from tests.benchmarks.drawing.judges import high_frequencies
from tests.benchmarks.drawing.visualize import judges, ours, row

TWELVE = (
    "goldfish",
    "ladybug",
    "strawberry",
    "volcano",
    "castle",
    "jellyfish",
    "pineapple",
    "balloon",
    "zebra",
    "monarch",
    "broccoli",
    "school bus",
)


def main() -> None:
    """Draw the pictures and write the key."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("classes", nargs="*", choices=[[], *TWELVE], metavar="CLASS", help="by default all twelve")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.folder.mkdir(parents=True, exist_ok=True)
    classifier = interpret.load()
    judging, order = [classifier, *judges()], random.Random(0).sample(TWELVE, len(TWELVE))
    for number, name in enumerate(order, 1):
        if name not in (asked.classes or TWELVE):
            continue
        index = classifier.labels.find(name).indices[0]
        start = time.process_time()
        drawn = ours(classifier, index)
        seconds = time.process_time() - start
        scores = [math.nan if one is None else float(score_of_views(one, drawn, index)) for one in judging]
        interpret.write(asked.folder / f"{number:02}.png", drawn)
        with open(f"{asked.folder}-key.txt", "a") as key:
            key.write(f"{number:02} {row(name, [*scores, high_frequencies(drawn), seconds])}\n")


if __name__ == "__main__":
    main()
