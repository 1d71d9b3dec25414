"""Which tokens are places of the picture, and in which layer these last change what the network gives."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..hooks import left_as_found
from ..layers import Layer
from ..outputs import logits_in
from ..recording import recorded


def tokens_beside_places(seen: Sequence[Layer], pictures: int) -> dict[int, tuple[int, int]]:
    """How many tokens, of the class for example, are before and after those of places, by the count of all tokens.

    Before the first attention they are the same for every picture.
    """
    found: dict[int, tuple[int, int]] = {}
    for layer in seen:
        if len(layer.shape) != 3 or pictures not in layer.shape[:2] or all(layer.alike):
            continue
        alike = layer.alike
        before = next((place for place, same in enumerate(alike) if not same), 0)
        after = next((place for place, same in enumerate(reversed(alike)) if not same), 0)
        found.setdefault(layer.shape[1] if layer.shape[0] == pictures else layer.shape[0], (before, after))
    return found


def last_tokens(
    network: nn.Module, seen: Sequence[Layer], size: tuple[int, int], image: Tensor, run: Callable[[Tensor], object]
) -> str | None:
    """The last layer of tokens of which those of places, and not only one of the class, change the outputs.

    Projections, such as those to queries, keys and values, and layers without weights, such as those that rearrange
    these, are parts of a computation and count only where nothing else does. ``size`` is that of the pictures that
    the layers were seen with.
    """
    tokens = [layer for layer in seen if layer.layout and layer.layout.kind == "tokens"]
    tokens = [layer for layer in tokens if layer.layout.grid[0] * layer.layout.grid[1] > 1]
    if not tokens:
        return None
    resized = nn.functional.interpolate(image, size, mode="bilinear") if image.shape[-2:] != size else image
    counting = _counting(network, tokens, resized, run)
    if not counting:
        with _without_zeros(network):
            counting = _counting(network, tokens, resized, run)
    whole = [layer for layer in counting if not layer.projects]
    named = [layer for layer in whole if layer.weighted] or whole or counting
    if not named:
        return None
    return next(layer.name for layer in seen if layer.fingerprint == named[-1].fingerprint and layer in tokens)


def _counting(
    network: nn.Module, tokens: Sequence[Layer], image: Tensor, run: Callable[[Tensor], object]
) -> list[Layer]:
    """Those layers of tokens by whose places the outputs have a gradient."""
    with left_as_found(network), recorded(network, *(layer.name for layer in tokens)) as recording:
        output = logits_in(run(image.detach().clone().requires_grad_()))
        records = {name: record for name, record in recording.items() if record.requires_grad}
        if isinstance(output, str) or not output.requires_grad or not records:
            return []
        # The squares, since a plain sum would be constant behind a softmax.
        slopes = torch.autograd.grad(output.square().sum(), list(records.values()), allow_unused=True)
    found = {name: slope for name, slope in zip(records, slopes, strict=True) if slope is not None}
    return [layer for layer in tokens if layer.name in found and layer.layout.to_map(found[layer.name]).any()]


@contextmanager
def _without_zeros(network: nn.Module) -> Iterator[None]:
    """A block in which weights that are all zero, as those of a fresh head, are not: they hide what the head reads."""
    generator = torch.Generator().manual_seed(0)
    hidden = [own for own in network.parameters() if own.is_floating_point() and own.numel() and not own.any()]
    kept = [own.data for own in hidden]
    try:
        for own in hidden:
            own.data = torch.randn(own.shape, generator=generator).to(own.data)
        yield
    finally:
        for own, data in zip(hidden, kept, strict=True):
            own.data = data
