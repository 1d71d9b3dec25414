"""How every layer of a network lays out what it gives, and which one a class activation map looks at by default."""

import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..errors import InterpretError, NetworkError
from .hooks import left_as_found
from .layers import Layer, layers
from .layout import Layout, layout_of
from .opaque import check_layers_show
from .outputs import logits_in
from .recording import recorded

Run = Callable[[Tensor], object]

MOST_POOLED = 8  # layers of tokens with weights that attention may need to pool a map into a vector


@dataclass(frozen=True)
class Survey:
    """The layers of a network in a forward pass of two pictures, each with its layout."""

    layers: Sequence[Layer]
    size: tuple[int, int]  # of the pictures

    def layer(self, name: str) -> Layer | None:
        """The layer with a name, the last call if it ran several times; None if it did not run."""
        same = [seen for seen in self.layers if name in (seen.name, seen.path)]
        return same[-1] if same else next((seen for seen in self.layers if f"{seen.name}#1" == name), None)


# The surveys of networks, kept with the ids of their modules, since these may be replaced.
_known: weakref.WeakKeyDictionary[nn.Module, tuple[tuple[int, ...], Survey]] = weakref.WeakKeyDictionary()


def survey(network: nn.Module, images: Tensor, run: Run | None = None) -> Survey:
    """The layers of a network and their layouts, remembered as long as the network exists.

    Args:
        network: the network.
        images: (N, C, H, W) on the network's input grid; the first one is tried, beside noise.
        run: takes images to logits; the network itself by default.
    """
    check_layers_show(network)
    modules = tuple(map(id, network.modules()))
    if network not in _known or _known[network][0] != modules:
        _known[network] = modules, _surveyed(network, images[:1].detach(), run or network)
    return _known[network][1]


def _surveyed(network: nn.Module, image: Tensor, run: Run) -> Survey:
    if image.dim() != 4:
        raise NetworkError(f"feature maps need images of shape (N, C, H, W), not {tuple(image.shape)}")
    large = max(image.shape[-2:])
    if large < 224:
        # A small picture can leave the last map with a single place. A larger one gives the answer that holds for
        # every size, unless the network takes just one size.
        enlarged = nn.functional.interpolate(image, scale_factor=224 / large, mode="bilinear")
        with suppress(RuntimeError, ValueError, AssertionError):
            return _of_pictures(network, enlarged, run)
    return _of_pictures(network, image, run)


def _of_pictures(network: nn.Module, image: Tensor, run: Run) -> Survey:
    alone = layers(network, lambda: run(image))
    noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(0)).to(image)
    seen, pictures = alone, 1
    with suppress(RuntimeError, ValueError, AssertionError, InterpretError):  # a network for one picture at a time
        seen, pictures = layers(network, lambda: run(torch.cat([image, noise]))), 2
    shapes = {layer.name: layer.shape for layer in alone}
    fixed = {layer.name for layer in seen if shapes.get(layer.name) == layer.shape} if pictures == 2 else set()
    alike = {layer.name for layer in seen if layer.alike and all(layer.alike)}
    if alike:
        # They may be silent for both pictures; what depends on the input has a gradient all the same.
        given = image.clone().requires_grad_()
        fixed |= alike & {layer.name for layer in layers(network, lambda: run(given), grad=True) if not layer.graph}
    return Survey(_with_layouts(seen, pictures, image.shape[-1] / image.shape[-2], fixed), tuple(image.shape[-2:]))


def _with_layouts(seen: list[Layer], pictures: int, aspect: float, fixed: set[str]) -> list[Layer]:
    """The layers with their layouts; ``fixed`` names those that do not depend on the pictures."""
    grids: list[tuple[int, int]] = []
    others = _tokens_beside_places(seen, pictures)
    found = []
    for layer in seen:
        if layer.name in fixed:
            layout: Layout | str = "which does not depend on the picture"
        else:
            options = {"grids": grids, "others": others, "channels_first": layer.channels_first}
            layout = layout_of(layer.shape, pictures, aspect, **options)
        if isinstance(layout, str):
            found.append(replace(layer, trouble=layout))
            continue
        if layout.kind in ("map", "channels last") and layout.grid[0] * layout.grid[1] > 1:
            grids.append(layout.grid)
        found.append(replace(layer, layout=layout))
    return found


def _tokens_beside_places(seen: list[Layer], pictures: int) -> dict[int, tuple[int, int]]:
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


def default_layer(network: nn.Module, images: Tensor, run: Run | None = None) -> str:
    """The last feature map: the layer that a class activation map looks at unless told otherwise.

    It is the last call, after its activation and before any pooling, whose output is a map larger than 1 x 1, in
    whichever order of its dimensions. Pooled maps, maps of class scores, attention tensors and maps that are not the
    pictures' own do not count; of several calls with the same values it is the innermost. It does not depend on the
    size of the images, unless the network takes just one size, and is remembered as long as the network exists.

    Args:
        network: the network.
        images: (N, C, H, W) on the network's input grid; the first one is tried.
        run: takes images to logits; the network itself by default.

    Returns:
        The layer's name, for example ``features.29`` or ``layer4.1.relu#2``, or ``F.relu`` for an activation that
        the network calls as a function.

    Raises:
        NetworkError: the network has no such map, as a vision transformer has none.
    """
    surveyed = survey(network, images, run)
    found = last_feature_map(surveyed)
    if found is None:
        named = tokens_that_count(network, images[:1], run or network)
        hint = f"name a layer of tokens, such as {named!r}" if named else "name a layer"
        raise NetworkError(
            "the network has no feature map to look at: no layer before its head gives (N, C, H, W) with H x W above "
            f"1 x 1, as in transformers and fully connected networks; use a gradient method, or {hint}"
        )
    return found.name


def last_feature_map(surveyed: Survey) -> Layer | None:
    """The layer that ``default_layer`` names, or None."""
    seen, aspect = surveyed.layers, surveyed.size[1] / surveyed.size[0]
    pooled = {layer.fingerprint for layer in seen if layer.pooling}
    for position in reversed(range(len(seen))):
        layer = seen[position]
        if not _is_map(layer, aspect) or layer.fingerprint in pooled:
            continue
        after = seen[position + 1 :]
        if _mix_places(layer, after):
            return None
        if _is_class_scores(layer, seen, after):
            continue
        return next(other for other in seen if other.fingerprint == layer.fingerprint)
    return None


def _is_map(layer: Layer, aspect: float) -> bool:
    """Whether a layer gives a map larger than 1 x 1, with the proportions of the picture."""
    rows, columns = layer.places
    if layer.layout is None or layer.layout.kind not in ("map", "channels last") or rows * columns <= 1:
        return False
    return 0.5 <= columns / rows / aspect <= 2


def _mix_places(layer: Layer, after: Sequence[Layer]) -> bool:
    """Whether what comes after a map are tokens that mix its places, more than attention that pools them does."""
    tokens = [other for other in after if other.weighted and len(other.shape) == 3 and other.shape[1] > 1]
    if not tokens:
        return False
    pools = [
        other
        for other in after
        if len(other.shape) == 2 and all(token.name.startswith(f"{other.path}.") for token in tokens)
    ]
    inside = [other for other in pools if not layer.name.startswith(f"{other.path}.")]
    return not inside or len(tokens) > MOST_POOLED


def _is_class_scores(layer: Layer, seen: Sequence[Layer], after: Sequence[Layer]) -> bool:
    """Whether a map has one channel for each class and no weights follow it, as in SqueezeNet's head."""
    classes = seen[-1].shape[1] if len(seen[-1].shape) > 1 else None
    return layer.channels == classes and not any(
        other.weighted and not layer.path.startswith(f"{other.path}.") for other in after
    )


def layouts_of(network: nn.Module, images: Tensor, names: Sequence[str], run: Run | None = None) -> dict[str, Layout]:
    """The layout of each of some layers for images (N, C, H, W) on the input grid; those that hold no map are left out.

    So are all of a network that does not run for a picture of that size.
    """
    try:
        surveyed = survey(network, images, run)
    except (RuntimeError, ValueError, AssertionError, InterpretError):
        return {}
    down, across = (now / then for now, then in zip(images.shape[-2:], surveyed.size, strict=True))
    found = {name: surveyed.layer(name) for name in names}
    return {
        name: layer.layout.resized(down, across)
        for name, layer in found.items()
        if layer is not None and layer.layout is not None
    }


def trouble_with(network: nn.Module, images: Tensor, name: str, run: Run | None = None) -> str:
    """Why a layer holds no map of pictures, and the name of one that does, as the end of a sentence."""
    surveyed = survey(network, images, run)
    layer = surveyed.layer(name)
    trouble = layer.trouble if layer else "not a map of shape (N, K, H, W)"
    other = last_feature_map(surveyed)
    works = other.name if other else tokens_that_count(network, images[:1], run or network)
    return f"{trouble}; {works!r} gives one" if works and works != name else trouble


def tokens_that_count(network: nn.Module, image: Tensor, run: Run) -> str | None:
    """The last layer of tokens of which those of places, and not only one of the class, change the logits."""
    surveyed = survey(network, image, run)
    names = [layer.name for layer in surveyed.layers if layer.layout and layer.layout.kind == "tokens"]
    if not names:
        return None
    layouts = layouts_of(network, image, names, run)
    with left_as_found(network), recorded(network, *names) as recording:
        output = logits_in(run(image.detach().clone().requires_grad_()))
        records = {name: recording[name] for name in names if name in recording and recording[name].requires_grad}
        if isinstance(output, str) or not output.requires_grad or not records:
            return None
        # The squares, since a plain sum would be constant behind a softmax.
        slopes = torch.autograd.grad(output.square().sum(), list(records.values()), allow_unused=True)
    found = {name: slope for name, slope in zip(records, slopes, strict=True) if slope is not None}
    return next((name for name in reversed(found) if layouts[name].to_map(found[name]).any()), None)
