"""Deep dream (Mordvintsev et al. 2015, https://research.google/blog/inceptionism-going-deeper-into-neural-networks)."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ..bounds import bounded
from ..classifier import network_of, on_input_grid
from ..layer_outputs import layer_of
from ..network.hooks import left_as_found
from .ascend import Step, ascend_pixels, looker
from .objectives import Objective, Seen, energy
from .parametrisations import MIX, frequencies
from .tiles import fitted, tiles, with_detail

# Creatures and ornaments on EfficientNet-Lite; earlier blocks give texture, 9 and 10 fur and eyes.
RECIPE = ("_blocks.12",)
MARGIN = 32
LOWEST = 1 / 32  # cycles a pixel; below it all frequencies weigh the same, or light and shade would take over
SMALLEST = 32  # the shorter side of the first octave, which most networks can still look at
GUIDE_SIDE = 320


@bounded
def dream(
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
    """Change a picture so that a network sees more of what it already sees in it.

    From coarse to fine, the picture takes steps along the gradient of an objective. The gradient's spectrum is weighted
    by 1 / f and its colours are mixed as in photographs, since the plain gradient draws rainbow noise. The picture is
    rolled at random before each step and looked at in tiles.

    Args:
        classifier: what looks at the picture.
        image: (N, C, H, W) in [0, 1].
        objective: what is raised; by default the ``energy`` of the layers.
        guide: (1, C, h, w) in [0, 1], a picture whose features are drawn instead: every place comes to resemble the
            place of the guide that it resembles most.
        layers: of the default objective; by default a middle one of EfficientNet-Lite, else the last feature map.
        octaves: number of sizes; fewer where the first would be tiny.
        factor: from one size to the next.
        steps: number of steps at each size.
        step_size: the mean change of a value in a step.
        size: the longer side of the result; by default the picture's own.
        tile: the longest side that the network looks at in one go.
        seed: of the rolls.
        watch: called with every step, whose numbers count over all sizes.

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
        dreamt = ascend_pixels(
            view,
            objective,
            with_detail(dreamt, photo, height, width),
            first=number * steps,
            watch=watch,
            steps=steps,
            learning_rate=step_size,
            optimizer="sgd",
            prepare=lambda shown: rolled_tiles(shown, tile, generator),
            change=preconditioned,
            what=f"octave {number + 1}",
        )
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
    smooth = torch.fft.irfft2(spectrum, s=(height, width))
    if gradient.shape[1] == 3:
        mix = (MIX @ MIX.T).to(gradient)
        smooth = torch.einsum("ij,njhw->nihw", mix, smooth)
    return smooth / smooth.abs().mean((1, 2, 3), keepdim=True).clamp(min=torch.finfo(smooth.dtype).tiny)


def rolled_tiles(picture: Tensor, side: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The tiles of a picture (N, C, H, W) that was rolled at random; the gradient flows to a tile's own part alone.

    Where there are several tiles, a roll may be as far as the whole picture, so that no pixel is always at an edge.
    """
    height, width = picture.shape[-2:]
    cut = tiles(height, width, side, MARGIN)
    reach = (32, 32) if len(cut) == 1 else (height, width)
    down, across = (int(torch.randint(-most, most + 1, (), generator=generator)) for most in reach)
    for tile in cut:
        shown = tile.of(picture.roll((down, across), (2, 3)))
        if len(cut) > 1:
            whole, shown = shown, shown.detach().clone()
            tile.own_part(shown)[:] = tile.own_part(whole)
        yield shown


def default_objective(
    classifier: nn.Module, image: Tensor, layers: Sequence[str] = (), guide: Tensor | None = None
) -> Objective:
    """The sum, over layers, of their energy, or of their likeness to a guide (1, C, h, w) in [0, 1]."""
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
    """The mean over a layer's places of the largest dot product with any place of a guide's features (1, K, u, v)."""
    guide = features.detach()[0].flatten(1)

    def score(seen: Seen) -> Tensor:
        likeness = seen[layer].flatten(2).mT @ guide.to(seen[layer])
        return likeness.amax(2).mean(1)

    return Objective(frozenset([layer]), score, f"{layer} as in the guide", logits=False)
