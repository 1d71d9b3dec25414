"""Makes the montage among the samples, and the figures of the README in samples/figures/.

    python samples/make.py [FIGURE ...]

All of them by default, which takes some minutes, except object.png and object.webp, the turning solid, which take as
long again and are made when object.png is named. Two are made elsewhere: hiding.png by ``python -m
samples.shapes.hiding``; and app.png is the page that ``interp app sample:cat-and-dog`` opens, in a window of 1,240 by
860 pixels, with Grad-CAM and Guided Grad-CAM chosen.
"""

import argparse
import os
import shutil
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

import attacks
import interpret
from cli.app import main
from interpret.drawing.feature_visualization import visualize
from interpret.drawing.objectives import logit
from interpret.drawing.parametrisations import Fourier
from interpret.explainers import EXPLAINERS, OF_ATTENTION, explainer_named
from interpret.figures import Display, Panel, panel_figure
from interpret.figures.panels import Sheet, in_rows
from interpret.images.files import to_pil

HERE = Path(__file__).parent
FIGURES = HERE / "figures"
SIDE, CAT = 512, 300  # of the montage, and the height of the cat in it
SUBJECTS = {"koala": "koala", "cat-and-dog": "German shepherd", "honey-bee": "bee"}

# Figures that are one command's own work.
SHAPES = "samples/shapes/shapes.png -m samples.shapes.networks"
COMMANDS = {
    "segmentation.png": f"gradcam {SHAPES}:segmentation -c star --score pixels --view side-by-side",
    "detection.png": f"occlusion {SHAPES}:detector -c star --score box --view side-by-side",
    "visualize.png": "visualize castle volcano ladybug _blocks.9 _blocks.12 _blocks.10:30",
    "beside.png": "visualize _blocks.7:24 _blocks.9:22 --beside samples",
    "filters.png": "filters",
    "activations.png": "activations sample:cat --layer _blocks.3._swish",
    "top-activations.png": "top-activations --layer _bn1 --channel 214,427",
    "inversion.png": "invert sample:koala",
    "attack.png": "attack fgsm --eps 2lv",
    "explanation.png": "attack explanation",
    "cat-and-dog_gradcam_cat.png": "gradcam sample:cat-and-dog -c cat",
    "cat-and-dog_gradcam_dog.png": "gradcam sample:cat-and-dog -c dog",
    "factors.png": "factorize sample:cat-and-dog sample:cat sample:german-shepherd",
    "concepts.png": "concepts sample:cat sample:kitten sample:cat-and-dog sample:jaguar sample:german-shepherd "
    "sample:polar-bear sample:giant-panda sample:red-panda -c carnivore --show 4",
    "grid.png": "grid sample:cat-and-dog -m squeezenet1_1 -c cat -c dog "
    "--methods guided-backprop,gradcam,guided-gradcam",
}
OBJECT = "attack object -m squeezenet1_1 --input-size 128 --gif object.webp"
# Figures of several commands' pictures, each with its command under it.
SHEETS = {
    "dream.png": (
        "dream sample:bridge --size 448",
        "dream sample:rocket --size 448 --layer _blocks.9",
        "dream sample:espresso --size 448",
        "dream sample:citrus --size 448 --guide sample:honey-bee",
    ),
    "units.png": (
        "guided-backprop sample:cat-and-dog --unit _blocks.8:3@7,7",
        "guided-backprop sample:cat-and-dog --unit _blocks.10:18@2,5",
        "guided-backprop sample:cat-and-dog --unit _blocks.14:164@5,1",
    ),
    "style.png": (
        "style sample:cat sample:painting-cafe-terrace --size 384",
        "style sample:espresso sample:painting-night-cafe --size 384",
        "style sample:astronaut sample:painting-church-at-auvers --size 384",
        "style sample:bridge sample:painting-cafe-terrace --size 384 --preserve-color",
    ),
}


def cat_and_dog() -> Image.Image:
    """A cat above a dog, both heads inside the central square that a network sees.

    Returns:
        the montage, 512 x 512 pixels.
    """
    montage = Image.new("RGB", (SIDE, SIDE))
    montage.paste(photo("cat").resize((SIDE, CAT), Image.Resampling.LANCZOS, box=(0, 18, 451, 282)), (0, 0))
    # The dog's head is at the right of its photo, and the cat's nose as well; mirrored, neither is above the other.
    dog = photo("german-shepherd").resize((SIDE, SIDE - CAT), Image.Resampling.LANCZOS, box=(240, 67, 640, 233))
    montage.paste(ImageOps.mirror(dog), (0, CAT))
    return montage


def photo(name: str) -> Image.Image:
    """The bundled photo of that name."""
    with Image.open(HERE / f"{name}.jpg") as opened:
        return opened.convert("RGB")


def methods() -> Figure:
    """Every explainer on three photos, as squeezenet1_1 sees them; it has no attention, so those of that are not there.

    Returns:
        A figure with a column for each method and a row for each photo, in bands.
    """
    classifier = interpret.load("squeezenet1_1")
    photos = {name: read_for(classifier, name) for name in SUBJECTS}
    columns = 8
    names = ["photo", *(name for name in EXPLAINERS if name not in OF_ATTENTION)]
    bands, rows = in_rows(names, columns), []
    for band in bands:
        for number, (subject, query) in enumerate(SUBJECTS.items()):
            pictures = [shown(classifier, photos[subject], query, name) for name in band]
            titles = ["" if number else name.replace("_", " ") for name in band]
            rows.append([Panel(*both) for both in zip(pictures, titles, strict=True)])
    return panel_figure(rows, (2 * columns, 6.3 * len(bands)), title={"fontsize": 12})


def read_for(classifier: interpret.Classifier, name: str) -> Tensor:
    """A sample as the network sees it, resized and cropped."""
    return classifier.prepare(interpret.read(f"sample:{name}"))[0].clamp(0, 1)


def shown(classifier: interpret.Classifier, image: Tensor, query: str, name: str) -> Image.Image:
    """The photo, or one method's map as its command draws it."""
    if name == "photo":
        return to_pil(image)
    view, display = classifier.on_inputs(), Display.of(name)
    values = display.values(explainer_named(name)(view, image, view.find(query, image)))
    return display.draw(image, values, limit=display.limit(values))


def made_by(command: str, kept: str = "") -> Image.Image:
    """The last picture that a command writes, made in a folder of its own, of which another file is ``kept``."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "samples").symlink_to(HERE)
        os.chdir(folder)
        try:
            if main([*command.split(), "-q"]):
                raise SystemExit(f"interp {command} failed")
            last = max(Path(folder).glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
            if kept:
                shutil.copyfile(kept, FIGURES / kept)
            with Image.open(last) as opened:
                return opened.convert("RGB")
        finally:
            os.chdir(before)


def sheet(commands: tuple[str, ...]) -> Figure:
    """The pictures of several commands, each with its command under it: three in a row, or two in each.

    The pictures of a row are as high as each other, and each row is as wide as the figure.
    """
    pictures = [made_by(command) for command in commands]
    rows = in_rows(list(zip(pictures, commands, strict=True)), 3 if len(commands) == 3 else 2)
    width, between, below = 5.2 * len(rows[0]), 0.1, 0.5  # inches
    ratios = [[picture.width / picture.height for picture, _ in row] for row in rows]
    heights = [(width - between * (len(row) - 1)) / sum(row) for row in ratios]
    made, top = Sheet(width, sum(heights) + below * len(rows)), 0.0
    for row, shapes, height in zip(rows, ratios, heights, strict=True):
        left = 0.0
        for (picture, command), ratio in zip(row, shapes, strict=True):
            axes = made.axes(left, (ratio * height, height), top=top)
            axes.imshow(picture, interpolation="lanczos", aspect="auto")
            axes.set_axis_off()
            text = textwrap.fill(f"interp {command}", int(15.5 * ratio * height), break_on_hyphens=False)
            style = {"family": "monospace", "fontsize": 7.5, "ha": "center", "va": "top"}
            made.write(left + ratio * height / 2, text, top=top + height + 0.06, **style)
            left += ratio * height + between
        top += height + below
    return made.figure


DRAWN = ("automobile", "horse", "ship")  # classes that the small networks are asked to draw
AIM = "cat", "dog"  # a photo, and what it is changed into
RADIUS = 4.0  # of that change in L2, ten times what hardly shows


def robust() -> Figure:
    """What the plain and the robust small network react to, take a changed photo for, and draw.

    Returns:
        A figure with a row for each network.
    """
    rows = []
    for name in ("plain_cifar10", "robust_cifar10"):
        classifier = interpret.load(name)
        view, (subject, aim) = classifier.on_inputs(), AIM
        image = read_for(classifier, subject)
        label = classifier.predict(image)
        display = Display.of("saliency")
        values = display.values(interpret.saliency(view, image, label))
        moves = Panel(display.draw(image, values, limit=display.limit(values)), "what moves the answer")
        index = classifier.find(aim, image)
        changed = attacks.pgd(
            view, image, index, targeted=True, norm="L2", eps=RADIUS, step_size=0.4, steps=60, random_start=False
        )
        made = Panel(to_pil(changed), f"changed into {aim}", caption=said(classifier, changed))
        photo = Panel(to_pil(image), f"{name.partition('_')[0]}: photo", caption=said(classifier, image))
        row = [photo, moves, made]
        for aim in DRAWN:
            index = int(classifier.find(aim, image))
            drawn = visualize(view, logit(index), image=Fourier(32), steps=200, copies=8, smoothness=20)
            row.append(Panel(to_pil(drawn), f"drawn: {aim}", caption=said(classifier, drawn)))
        rows.append([replace(panel, interpolation="nearest") for panel in row])
    text = {"fontsize": 13}
    return panel_figure(rows, (2.2 * len(rows[0]), 2.85 * len(rows)), title=text, caption=text)


def said(classifier: interpret.Classifier, image: Tensor) -> str:
    """What a classifier takes a picture for."""
    logits = classifier(image)[0]
    return classifier.shown(logits, int(logits.argmax()))


def make(name: str) -> None:
    """Make one figure, or the montage, anew."""
    if name == "cat-and-dog.jpg":
        cat_and_dog().save(HERE / name, quality=92, optimize=True)
    elif name == "methods.png":
        methods().savefig(FIGURES / name, dpi=80)
    elif name == "robust.png":
        robust().savefig(FIGURES / name, dpi=80)
    elif name == "object.png":
        made_by(OBJECT, "object.webp").save(FIGURES / name, optimize=True)
    elif name in SHEETS:
        sheet(SHEETS[name]).savefig(FIGURES / name, dpi=120)
    else:
        made_by(COMMANDS[name]).save(FIGURES / name, optimize=True)


if __name__ == "__main__":
    every = ["cat-and-dog.jpg", "methods.png", *COMMANDS, *SHEETS, "robust.png"]
    known = [*every, "object.png"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", choices=[[], *known], metavar="FIGURE", help=", ".join(known))
    for figure in parser.parse_args().figures or every:
        make(figure)
