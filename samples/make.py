"""Makes the montage among the samples, and the figures of the README: ``python samples/make.py``."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

import interpret
import interpret.pictures
from interpret.explainers import DRAWINGS, EXPLAINERS

HERE = Path(__file__).parent
HALF = (272, 512)
SUBJECTS = {"koala": "koala", "cat-and-dog": "German shepherd", "honey-bee": "bee"}


def cat_and_dog() -> Image.Image:
    """A cat and a dog side by side, both heads inside the central square that a network sees.

    Returns:
        the montage, 544 x 512 pixels.
    """
    montage = Image.new("RGB", (2 * HALF[0], HALF[1]))
    montage.paste(cat(), (0, 0))
    montage.paste(dog(), (HALF[0], 0))
    return montage


def dog() -> Image.Image:
    """The head and chest of the German shepherd, ``HALF`` in size."""
    # The ears nearly touch the upper edge, which networks crop away: mirror the grass above them.
    grown = np.pad(np.asarray(photo("german-shepherd")), ((16, 0), (0, 0), (0, 0)), mode="symmetric")
    return Image.fromarray(grown).resize(HALF, Image.Resampling.LANCZOS, box=(419, 0, 610, 360))


def cat() -> Image.Image:
    """The kitten, turned upright so that it fills a portrait, ``HALF`` in size."""
    upright = ImageOps.mirror(photo("kitten")).rotate(
        60, Image.Resampling.BICUBIC, center=(340, 186), translate=(-20, 30)
    )
    return upright.resize(HALF, Image.Resampling.LANCZOS, box=(225, 12, 441.75, 420))


def photo(name: str) -> Image.Image:
    """The bundled photo of that name."""
    with Image.open(HERE / f"{name}.jpg") as opened:
        return opened.convert("RGB")


def methods() -> Figure:
    """Every explainer on three photos, as squeezenet1_1, which all of them can explain, sees them.

    Returns:
        A figure with a column for each method and a row for each photo, in bands.
    """
    classifier = interpret.load("squeezenet1_1")
    photos = [read_for(classifier, name) for name in SUBJECTS]
    columns = 8
    bands = -(-(len(EXPLAINERS) + 1) // columns)
    figure = Figure(figsize=(2 * columns, 6.3 * bands), layout="constrained")
    panels = figure.subplots(3 * bands, columns)
    for panel in panels.flat:
        panel.set_axis_off()
    for place, name in enumerate(["photo", *EXPLAINERS]):
        band, column = divmod(place, columns)
        panels[3 * band, column].set_title(name.replace("_", " "), fontsize=14)
        for row, (image, wanted) in enumerate(zip(photos, SUBJECTS.values(), strict=True)):
            drawn = interpret.pictures.to_pil(image) if name == "photo" else explained(classifier, image, wanted, name)
            panels[3 * band + row, column].imshow(drawn)
    return figure


def read_for(classifier: interpret.Classifier, name: str) -> Tensor:
    """A sample as the network sees it, resized and cropped."""
    return classifier.prepare(interpret.read(f"sample:{name}"))[0].clamp(0, 1)


def explained(classifier: interpret.Classifier, image: Tensor, wanted: str, name: str) -> Image.Image:
    """One method's picture, drawn as its command draws it, always over the photo where it is a map."""
    view, how = classifier.on_inputs(), DRAWINGS[EXPLAINERS[name]]
    attribution = interpret.explainers.explainer_named(name)(view, image, view.find(wanted, image))
    if how["aggregate"] == "colours":
        limit = interpret.limit_of(attribution, percentile=how["percentile"])
        return interpret.own_colours(attribution, limit=limit)
    values = interpret.combined(attribution, how["aggregate"], absolute=how["absolute"])
    limit = interpret.limit_of(values, percentile=how["percentile"])
    if how["view"] == "overlay":
        return interpret.overlay(image, values, limit=limit)
    return interpret.heatmap(values, limit=limit)


if __name__ == "__main__":
    cat_and_dog().save(HERE / "cat-and-dog.jpg", quality=92, optimize=True)
    methods().savefig(HERE / "methods.png", dpi=80)
