"""Photos of which it is known what the network sees in them."""

from pathlib import Path

import torch
from PIL import Image

import interpret
from tests.command import CAT, FLOWERS, TINY


def labelled_pieces(folder: Path, right: int, wrong: int) -> Path:
    """Pieces of a photo in folders named after what the network sees in them; the last ones after another class."""
    whole, classifier = Image.open(CAT), interpret.load(TINY[1])
    for number in range(right + wrong):
        piece = folder / f"{number}.png"
        folder.mkdir(exist_ok=True)
        whole.crop((20 * number, 10 * number, 20 * number + 64, 10 * number + 64)).save(piece)
        with torch.no_grad():
            seen = int(classifier(interpret.read(piece)).argmax())
        place = folder / FLOWERS[(seen + (number >= right)) % len(FLOWERS)]
        place.mkdir(exist_ok=True)
        piece.rename(place / piece.name)
    return folder
