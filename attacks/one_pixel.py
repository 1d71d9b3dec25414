"""The one pixel attack (Su et al. 2019, https://arxiv.org/abs/1710.08864)."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from .core.ascent import Model
from .core.losses import fooled, logits_of, objective
from .core.minimum_norm import least
from .core.norms import l2
from .core.quantize import rounded
from .core.seeds import Noise, Seed
from .errors import AttackError


def one_pixel(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    pixels: int = 1,
    population: int = 400,
    steps: int = 100,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Search for a few pixels and their colours by differential evolution, without gradients (section 3.3).

    A candidate is a list of places and colours. Each has a child, one candidate plus half the difference
    of two others, all drawn at random, which replaces it where it does better. The search ends with the
    first that fools.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1]; of three dimensions and more besides the sample's the first are channels.
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        pixels: how many change.
        population: how many candidates there are.
        steps: how many generations.
        targeted: whether the labels are the classes wanted.
        quantize: whether the new colours lie on the grid of an 8-bit file.
        batch_size: how many candidates the model sees at a time, always of one sample; all by default.
        seed: of the search: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1]; clean pictures where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that cannot be attacked.
    """
    if pixels < 1 or population < 3 or steps < 0:
        raise AttackError(f"one_pixel needs a pixel and three candidates, not {pixels} and {population}")
    every_noise = Noise.of(seed, len(images))
    raised = objective("cross_entropy", targeted)

    def attack(images: Tensor, labels: Tensor, logits: Tensor, places: Tensor) -> Tensor:
        found = images.clone()
        for row, place in enumerate(places):
            image, label = images[row], labels[row : row + 1]

            def judge(pictures: Tensor, label: Tensor = label) -> tuple[Tensor, Tensor]:
                said = torch.cat([logits_of(model, part) for part in pictures.split(batch_size or population)])
                every_label = label.expand(len(said))
                return raised(said, every_label), fooled(said, every_label, targeted)

            paint = partial(_painted, image, pixels, quantize)
            found[row] = _evolved(image, paint, judge, every_noise[place[None]], (population, pixels, steps))
        return found

    with torch.no_grad():
        return least(model, images, labels, attack, targeted=targeted, quantize=False, batch_size=batch_size)


def _evolved(
    image: Tensor,
    paint: Callable[[Tensor], Tensor],
    judge: Callable[[Tensor], tuple[Tensor, Tensor]],
    noise: Noise,
    sizes: tuple[int, int, int],
) -> Tensor:
    """The picture of the first candidate that fools; the image itself if none does."""
    population, pixels, steps = sizes
    spatial, channels = len(_space(image)), _channels(image)
    places = noise.uniform(population, pixels, spatial, like=image)[0]
    colours = 0.5 + 0.5 * noise.normal(population, pixels, channels, like=image)[0]  # N(128, 127) in levels
    candidates = torch.cat([places, colours.clamp(0, 1)], 2)
    pictures = paint(candidates)
    fitness, hit = judge(pictures)
    for _ in range(steps):
        if hit.any():
            break
        # Of three draws two may coincide, one time in a population.
        drawn = (noise.uniform(3, population, like=image)[0] * population).long().clamp_max(population - 1)
        first, second, third = candidates[drawn]
        children = first + 0.5 * (second - third)  # eq. 4
        # Places go round, colours end at the ends.
        children = torch.cat([children[..., :spatial] % 1, children[..., spatial:].clamp(0, 1)], 2)
        pictures = paint(children)
        theirs, hit = judge(pictures)
        better = theirs > fitness
        fitness = torch.where(better, theirs, fitness)
        candidates = torch.where(better[:, None, None], children, candidates)
    # Of several the nearest, so that it does not matter which comes first.
    size = torch.where(hit, l2(pictures - image), torch.inf)
    return pictures[size.argmin()] if hit.any() else image


def _channels(image: Tensor) -> int:
    return image.shape[0] if image.dim() > 2 else 1


def _space(image: Tensor) -> torch.Size:
    return image.shape[1:] if image.dim() > 2 else image.shape


def _painted(image: Tensor, pixels: int, quantize: bool, candidates: Tensor) -> Tensor:
    """(P, ...) the image with the pixels of each of P candidates: places from [0, 1), then colours."""
    space = _space(image)
    sizes = torch.tensor(space, device=image.device)
    strides = sizes.flip(0).cumprod(0).roll(1).index_fill(0, torch.zeros(1, dtype=torch.long), 1).flip(0)
    places, colours = candidates[..., : len(space)], candidates[..., len(space) :]
    at = (torch.minimum((places * sizes).long(), sizes - 1) * strides).sum(2)
    colours = rounded(colours) if quantize else colours
    pictures = image.reshape(_channels(image), -1).repeat(len(candidates), 1, 1)
    every = torch.arange(len(candidates), device=image.device)
    for pixel in range(pixels):
        pictures[every, :, at[:, pixel]] = colours[:, pixel]
    return pictures.view(len(candidates), *image.shape)
