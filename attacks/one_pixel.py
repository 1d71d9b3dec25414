"""The one pixel attack (Su et al. 2019, https://arxiv.org/abs/1710.08864)."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .core.budget import warn_of_way, way_to_target
from .core.contract import attack
from .core.losses import is_fooled, objective
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, logits_of
from .core.norms import batch_view, l2
from .core.quantize import to_levels
from .core.seeds import Noise, Seed

VALUES = 2**23  # of the candidates that are painted at a time


@attack
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

    A candidate is a list of places and colours. Each has a child: a random candidate plus half the difference of two
    others, which replaces its parent if it does better. The search ends with the first candidate that fools.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, ...) in [0, 1]; with three or more dimensions besides the first, the first of these are channels.
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        pixels: how many pixels are changed.
        population: number of candidates in a generation.
        steps: number of generations.
        targeted: whether the labels are the classes to reach.
        quantize: whether the new colours are levels of an 8-bit file.
        batch_size: how many candidates, always of one sample, the model sees at a time; by default all.
        seed: of the search: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1]; the clean images where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid.
    """
    noise = Noise.of(seed, images)
    search = _OnePixel(model, targeted, noise, pixels, population, steps, quantize, batch_size or population)
    found = minimum_norm(search, images, labels, quantize=False, batch_size=batch_size)
    if targeted:
        spent = f"{pixels} pixel{'s' * (pixels > 1)} of {population * (steps + 1)} candidates"
        warn_of_way(found, images, search.ways, spent, lambda more: f"pixels={math.ceil(more * pixels)}")
    return found


@dataclass
class _OnePixelState(MinimumNormState):
    noise: Noise
    candidates: Tensor  # (n, P, pixels, places and colours) the best so far
    fitness: Tensor  # (n, P) of the candidates
    children: Tensor  # (n, P, pixels, places and colours) to try next
    generation: Tensor  # (n,)


@dataclass
class _OnePixel:
    model: Model
    targeted: bool
    noise: Noise  # of all samples
    pixels: int
    population: int  # P
    steps: int
    quantize: bool
    batch_size: int
    ways: list[Tensor] = field(default_factory=list)  # of `way_to_target`, of samples that were given up

    def begin(self, samples: MinimumNormState) -> _OnePixelState:
        images, noise = samples.images, self.noise[samples.numbers]
        channels, *sides = _layout(images[:1])
        places = noise.uniform(self.population, self.pixels, len(sides), like=images)
        colours = 0.5 + 0.5 * noise.normal(self.population, self.pixels, channels, like=images)  # N(128, 127) levels
        candidates = torch.cat([places, colours.clamp(0, 1)], -1)
        return _OnePixelState(
            **vars(samples),
            noise=noise,
            candidates=candidates,
            fitness=samples.logits.new_full(candidates.shape[:2], -torch.inf),
            children=candidates,
            generation=torch.zeros_like(samples.labels),
        )

    def step(self, state: _OnePixelState) -> Tensor:
        # One sample after the other, since all its candidates are images of their own.
        tried = zip(state.images, state.labels, state.children, strict=True)
        fitness, nearest, fooled = map(torch.stack, zip(*(self.evaluate(*sample) for sample in tried), strict=True))
        state.result = torch.where(batch_view(fooled, nearest), nearest, state.result)
        better = fitness > state.fitness
        state.fitness = torch.where(better, fitness, state.fitness)
        state.candidates = torch.where(better[..., None, None], state.children, state.candidates)
        done = fooled | (state.generation == self.steps)
        if self.targeted and (done & ~fooled).any():
            ways = way_to_target(state.fitness.amax(1), state.logits, state.labels)
            self.ways.append(ways[done & ~fooled])
        if not done.all():
            state.children = self.next_generation(state)
        state.generation = state.generation + 1
        return done

    def evaluate(self, image: Tensor, label: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The fitness (P,) of one image's candidates, the nearest picture that fools, and whether there is one."""
        fitness, nearest, least = [], image, torch.full((), torch.inf, device=image.device)
        # Large pictures are painted a few at a time, since each candidate is one.
        for part in candidates.split(min(self.batch_size, max(1, VALUES // image.numel()))):
            pictures = self.painted(image, part)
            logits = logits_of(self.model, pictures)
            labels = label.expand(len(logits))
            fitness.append(objective("cross_entropy", self.targeted)(logits, labels))
            # The nearest of several that fool, so that it does not matter which comes first.
            distance = torch.where(is_fooled(logits, labels, self.targeted), l2(pictures - image), torch.inf)
            best = distance.argmin()
            nearest = torch.where(distance[best] < least, pictures[best], nearest)
            least = torch.minimum(least, distance[best])
        return torch.cat(fitness), nearest, least < torch.inf

    def next_generation(self, state: _OnePixelState) -> Tensor:
        """(n, P, pixels, places and colours) one child for each candidate."""
        # Two of the three that are drawn may coincide, one time in a population.
        drawn = (state.noise.uniform(3, self.population, like=state.images) * self.population).long()
        rows = torch.arange(len(state), device=drawn.device)[:, None, None]
        first, second, third = state.candidates[rows, drawn.clamp_max(self.population - 1)].unbind(1)
        children = first + 0.5 * (second - third)  # eq. 4
        # Places wrap around; colours stop at the ends.
        space = len(_layout(state.images)) - 1
        return torch.cat([children[..., :space] % 1, children[..., space:].clamp(0, 1)], -1)

    def painted(self, image: Tensor, candidates: Tensor) -> Tensor:
        """(P, ...) the image with the pixels of each candidate (P, pixels, places from [0, 1) and colours)."""
        channels, *sides = _layout(image[None])
        sizes = torch.tensor(sides, device=image.device)
        strides = torch.tensor([math.prod(sides[axis + 1 :]) for axis in range(len(sides))], device=image.device)
        places, colours = candidates[..., : len(sides)], candidates[..., len(sides) :]
        at = (torch.minimum((places * sizes).long(), sizes - 1) * strides).sum(2)
        colours = to_levels(colours) if self.quantize else colours
        pictures = image.reshape(channels, -1).repeat(len(candidates), 1, 1)
        every = torch.arange(len(candidates), device=image.device)
        for pixel in range(self.pixels):
            pictures[every, :, at[:, pixel]] = colours[:, pixel]
        return pictures.view(len(candidates), *image.shape)


def _layout(images: Tensor) -> tuple[int, ...]:
    """The number of channels, and the sides, of images (n, C, ...) of two sides or more, or (n, ...) of one channel."""
    return tuple(images.shape[1:]) if images.dim() > 3 else (1, *images.shape[1:])
