"""How every layer of a network lays out what it gives, and which one a class activation map looks at by default."""

import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..errors import InterpretError, NetworkError
from .layers import Layer, layers
from .layout import Layout, layout_of
from .opaque import check_layers_show
from .tokens.places import last_tokens, tokens_beside_places

Run = Callable[[Tensor], object]

MOST_POOLED = 8  # layers of tokens with weights that attention may need to pool a map into a vector
# Not 0: the noise must differ from random pictures that are given, which often are of that seed.
NOISE_SEED = 8_675_309_421


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
# The last layer of tokens that count, for a survey.
_tokens: weakref.WeakKeyDictionary[nn.Module, tuple[Survey, str | None]] = weakref.WeakKeyDictionary()


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


def surveyed_as(copy: nn.Module, network: nn.Module) -> None:
    """Give a copy of a network, which has the same layers, the survey of that network, if there is one already."""
    if network in _known:
        _known[copy] = tuple(map(id, copy.modules())), _known[network][1]
    if network in _tokens:
        _tokens[copy] = _tokens[network]


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
    noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(NOISE_SEED)).to(image)
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
    others = tokens_beside_places(seen, pictures)
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


def default_layer(network: nn.Module, images: Tensor, run: Run | None = None) -> str:
    """The last feature map: the layer that a class activation map looks at unless told otherwise.

    It is the last call, after its activation and before any pooling, whose output is a map larger than 1 x 1, in
    whichever order of its dimensions. Pooled maps, maps of class scores, attention tensors and maps that are not the
    pictures' own do not count; of several calls with the same values it is the innermost. Where tokens mix the places
    of every map, as in transformers, it is the last layer of tokens whose places the outputs depend on: the last norm,
    or what the last attention reads where nothing but a class token is read afterwards. It does not depend on the size
    of the images, unless the network takes just one size, and is remembered as long as the network exists.

    Args:
        network: the network.
        images: (N, C, H, W) on the network's input grid; the first one is tried.
        run: takes images to logits; the network itself by default.

    Returns:
        The layer's name, for example ``features.29`` or ``layer4.1.relu#2``, or ``F.relu`` for an activation that
        the network calls as a function.

    Raises:
        NetworkError: the network has no such map, as a fully connected one has none.
    """
    surveyed = survey(network, images, run)
    found = last_map(surveyed, network, images, run or network)
    if found is None:
        raise NetworkError(
            "the network has no feature map to look at: no layer before its head gives (N, C, H, W) with H x W above "
            "1 x 1, or tokens of places that its outputs depend on; use a gradient method, or name a layer"
        )
    return found


def last_map(surveyed: Survey, network: nn.Module, images: Tensor, run: Run) -> str | None:
    """The name of the last feature map or, where tokens mix its places, of the last layer of tokens that count."""
    found = last_feature_map(surveyed)
    if found is not None:
        return found.name
    known = _tokens.get(network)
    if known is None or known[0] is not surveyed:
        # A network for one size was surveyed with that size; any other takes these images too.
        named = last_tokens(network, surveyed.layers, surveyed.size, images[:1], run)
        known = _tokens[network] = surveyed, named
    return known[1]


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
    works = last_map(surveyed, network, images, run or network)
    return f"{trouble}; {works!r} gives one" if works and works != name else trouble
