"""Deep dream (Mordvintsev et al. 2015, https://research.google/blog/inceptionism-going-deeper-into-neural-networks)."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ..classifier import layer_of, network_of, on_input_grid
from ..network.hooks import left_as_found
from .ascend import Step, ascend, looker
from .objectives import Objective, Seen, energy
from .parametrisations import MIX, Pixels, frequencies
from .tiles import fitted, tiles, with_detail

# Creatures and ornaments on EfficientNet-Lite; earlier blocks give texture, 9 and 10 fur and eyes.
RECIPE = ("_blocks.12",)
MARGIN = 32
LOWEST = 1 / 32  # cycles a pixel; below it all frequencies weigh the same, or light and shade would take over
SMALLEST = 32  # the shorter side of the first octave, which most networks can still look at
GUIDE_SIDE = 320


def deep_dream(
    classifier: nn.Module,
    image: Tensor,
    objective: Objective | None = None,
    *,
    guide: Tensor | None = None,
    layers: Sequence[str] = (),
    octaves: int = 4,
    factor: float = 1.4,
    steps: int = 24,
    step_size: float = 0.01,
    size: int | None = None,
    tile: int = 512,
    seed: int = 0,
    watch: Callable[[Step], object] | None = None,
) -> Tensor:
    """Let a network see more of what it sees in a picture already.

    From coarse to fine, the picture climbs the objective in steps along the gradient, whose
    spectrum is weighed by 1 / f and whose colours are mixed as in photographs: the plain gradient
    draws rainbow noise. The picture is rolled at random before each step and looked at in tiles.

    Args:
        classifier: what looks at the picture.
        image: (N, C, H, W) in [0, 1].
        objective: what is raised; by default the ``energy`` of the layers.
        guide: (1, C, h, w) in [0, 1], a picture whose features are drawn instead: every place
            comes to resemble what it resembles most in the guide.
        layers: what an objective is made of where none is given; by default a middle one
            of EfficientNet-Lite, else the last feature map.
        octaves: how many sizes; fewer where the first would be tiny.
        factor: from one size to the next.
        steps: at each size.
        step_size: the mean change of a value in a step.
        size: the longer side of the result; by default the picture's own.
        tile: the longest side that the network looks at in one go.
        seed: of the rolls.
        watch: is shown every step, with its number counted over all sizes.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        UnknownNameError: a layer does not exist.
        NetworkError: the objective is not finite.
    """
    photo = fitted(image.detach(), size)
    view = on_input_grid(classifier, photo)[0]
    if objective is None:
        objective = default_objective(classifier, photo, layers, guide)
    generator = torch.Generator().manual_seed(seed)
    dreamt = photo
    for number, (height, width) in enumerate(sizes(photo.shape[-2], photo.shape[-1], octaves, factor)):
        picture = Pixels(with_detail(dreamt, photo, height, width))
        for step in ascend(
            view,
            objective,
            picture,
            steps=steps,
            learning_rate=step_size,
            optimizer="sgd",
            prepare=lambda shown: rolled_tiles(shown, tile, generator),
            change=preconditioned,
            what=f"octave {number + 1}",
        ):
            if watch is not None:
                watch(Step(number * steps + step.number, step.image, step.scores))
            with torch.no_grad():
                picture.values.clamp_(0, 1)
        dreamt = picture().detach()
    return dreamt


def sizes(height: int, width: int, octaves: int, factor: float) -> list[tuple[int, int]]:
    """The sizes of the octaves, the smallest first and the picture's own last."""
    scales = [factor**-number for number in range(octaves)]
    kept = [scale for scale in scales if scale == 1 or min(height, width) * scale >= SMALLEST]
    return [(max(1, round(height * scale)), max(1, round(width * scale))) for scale in reversed(kept)]


def preconditioned(gradient: Tensor) -> Tensor:
    """A gradient (N, C, H, W) with the spectrum and the colours of photographs, and a mean absolute value of 1."""
    height, width = gradient.shape[-2:]
    spectrum = torch.fft.rfft2(gradient) / frequencies(height, width).clamp(min=LOWEST).to(gradient)
    calm = torch.fft.irfft2(spectrum, s=(height, width))
    if gradient.shape[1] == 3:
        mix = (MIX @ MIX.T).to(gradient)
        calm = torch.einsum("ij,njhw->nihw", mix, calm)
    return calm / calm.abs().mean((1, 2, 3), keepdim=True).clamp(min=torch.finfo(calm.dtype).tiny)


def rolled_tiles(picture: Tensor, side: int, generator: torch.Generator) -> Iterator[Tensor]:
    """A picture (N, C, H, W) rolled at random, tile by tile; the gradient flows to a tile's own part alone.

    The rolls are whole pictures where there are several tiles, so that no pixel is always at an edge.
    """
    height, width = picture.shape[-2:]
    cut = tiles(height, width, side, MARGIN)
    reach = (32, 32) if len(cut) == 1 else (height, width)
    down, across = (int(torch.randint(-most, most + 1, (), generator=generator)) for most in reach)
    for tile in cut:
        shown = tile.of(picture.roll((down, across), (2, 3)))
        if len(cut) == 1:
            yield shown
            continue
        given = shown.detach().clone()
        top, left = tile.own[0] - tile.seen[0], tile.own[1] - tile.seen[1]
        tall, wide = tile.own[2] - tile.own[0], tile.own[3] - tile.own[1]
        place = (..., slice(top, top + tall), slice(left, left + wide))
        given[place] = shown[place]
        yield given


def default_objective(
    classifier: nn.Module, image: Tensor, layers: Sequence[str] = (), guide: Tensor | None = None
) -> Objective:
    """The sum over layers of their energy, or of their likeness to a guide (1, C, h, w) in [0, 1]."""
    view, inputs, _ = on_input_grid(classifier, image)
    if not layers:
        names = dict(network_of(classifier).named_modules())
        layers = RECIPE if all(name in names for name in RECIPE) else (layer_of(view, inputs, None),)
    if guide is None:
        parts = [energy(layer) for layer in layers]
    else:
        with left_as_found(view), torch.no_grad():
            seen = looker(view, layers)(fitted(guide, GUIDE_SIDE))
        parts = [towards(layer, seen[layer]) for layer in layers]
    return sum(parts[1:], parts[0])


def towards(layer: str, features: Tensor) -> Objective:
    """At each place, the dot product with the feature of a guide that fits it best.

    Args:
        layer: where to look.
        features: (1, K, u, v), the guide's activations there.

    Returns:
        The objective, a mean over places.
    """
    wanted = features.detach()[0].flatten(1)

    def score(seen: Seen) -> Tensor:
        likeness = seen[layer].flatten(2).mT @ wanted.to(seen[layer])
        return likeness.amax(2).mean(1)

    return Objective(frozenset([layer]), score, f"{layer} as in the guide", logits=False)
