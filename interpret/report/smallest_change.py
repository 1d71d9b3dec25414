"""How small a change of a picture changes the answer: the result of an attack, and pictures of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ..classifier import Classifier
from ..errors import InterpretError, PictureError, error_line
from ..figures.display import own_colours
from ..images.files import to_pil
from ..images.levels import from_levels, to_levels
from ..network.hooks import left_as_found
from ..single_label import of_top_label
from .thumbnails import SHARPEST, webp

LARGEST = 2**20  # pixels of a picture that is changed itself; of a larger one the network's input is


@dataclass(frozen=True)
class Attack:
    """What looks for a small change."""

    run: Callable[[Classifier, Tensor, Tensor], Tensor]  # network, images, labels -> images
    words: str  # its name and its settings


@dataclass(frozen=True)
class Change:
    """What an attack made of one picture."""

    words: str  # the attack
    own: bool  # whether the file's own pixels were changed, and not the network's input
    size: tuple[int, int]  # width and height of what was changed
    before: tuple[str, float]  # the class that the network saw, and its probability
    after: tuple[str, float] = ("", 0.0)
    left: float = 0.0  # the probability of the first class afterwards
    trouble: str = ""  # why nothing was found
    levels: float = 0.0  # the largest change of a value, of 255
    share: float = 0.0  # of the pixels that changed
    times: float = 0.0  # how much larger the change is drawn
    picture: bytes = b""  # WebP: before, the change around grey, and after
    drawn: bytes = b""
    changed: bytes = b""


def change_of(classifier: Classifier, image: Tensor, attack: Attack) -> Change:
    """Attack one picture (1, 3, H, W) in [0, 1], whose values are rounded to 8 bits, and look at what came of it."""
    own = image.shape[-2] * image.shape[-1] <= LARGEST
    clean = image if own else classifier.prepare(image)[0].clamp(0, 1)
    clean = from_levels(to_levels(clean)).to(image)
    model = of_top_label(classifier if own else classifier.on_inputs(), clean)
    shares = _probabilities(model, clean)
    label = shares.argmax().view(1)
    before = model.name(int(label)), float(shares.max())
    found = {"words": attack.words, "own": own, "size": (clean.shape[-1], clean.shape[-2]), "before": before}
    try:
        with left_as_found(model, clean.device):
            changed = attack.run(model, clean, label.to(clean.device)).detach()
    except PictureError:
        raise
    except (InterpretError, RuntimeError) as error:
        return Change(**found, trouble=error_line(error))
    then = _probabilities(model, changed)
    if int(then.argmax()) == int(label):
        return Change(**found, trouble=f"none was found by {attack.words}")
    delta = (changed - clean).cpu()
    largest = float(delta.abs().max())
    return Change(
        **found,
        after=(model.name(int(then.argmax())), float(then.max())),
        left=float(then[label]),
        levels=255 * largest,
        share=float((delta != 0).any(1).float().mean()),
        times=0.5 / largest,
        picture=webp(_small(to_pil(clean.cpu()))),
        # Single pixels, since their mean would be smaller than the change is.
        drawn=webp(_small(own_colours(delta, limit=largest), Image.Resampling.NEAREST)),
        changed=webp(_small(to_pil(changed.cpu()))),
    )


def _probabilities(model: Classifier, images: Tensor) -> Tensor:
    with left_as_found(model, images.device), torch.no_grad():
        return model.probabilities(model(images)[0]).cpu()


def _small(picture: Image.Image, how: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    picture.thumbnail((SHARPEST, SHARPEST), how, reducing_gap=None)
    return picture
