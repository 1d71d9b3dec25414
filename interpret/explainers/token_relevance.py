"""What methods that follow attention share: its weights, their gradients, and the tokens that a score reads."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..layer_outputs import laid_out, runner
from ..network.autograd import leaf
from ..network.layout import Layout
from ..network.survey import survey
from ..network.tokens.attention import Attention, attention_seen
from ..scores import Target, score_of
from .contract import check_pictures


@dataclass(frozen=True)
class Attended:
    """The attention among all tokens of pictures, call by call, and what a score has to do with it."""

    weights: list[Tensor]  # (N, heads, T, T) each
    gradients: list[Tensor]  # of the score by each of these
    layout: Layout  # of the tokens

    @property
    def read(self) -> Tensor:
        """(N, T) how much of the score is read off each token after the last attention: alike, as far as any is."""
        rows = (self.gradients[-1] != 0).any(3).any(1).to(self.weights[-1])
        return rows / rows.sum(1, keepdim=True).clamp(min=1)

    def map_of(self, tokens: Tensor) -> Tensor:
        """The map (N, 1, u, v) of the places among (N, T) tokens."""
        return self.layout.map_of(tokens[:, None])


def attended(classifier: nn.Module, inputs: Tensor, target: Target, method: str) -> Attended:
    """The attention of a network to inputs (N, C, h, w) on its input grid, by one pass; NetworkError where none can be.

    The method's name is for the message.
    """
    source = leaf(inputs)
    with attention_seen(network_of(classifier), len(inputs)) as seen:
        score = score_of(classifier, source, target)
    layout = layout_of_tokens(classifier, inputs, seen, method)
    weights = [found.weights for found in seen]
    gradients = torch.autograd.grad(
        score.sum(), weights, create_graph=inputs.requires_grad, allow_unused=True, materialize_grads=True
    )
    if not inputs.requires_grad:
        weights = [found.detach() for found in weights]
    return Attended(weights, list(gradients), layout)


def layout_of_tokens(
    classifier: nn.Module, inputs: Tensor, seen: list[Attention], method: str, *, pictures: int | None = None
) -> Layout:
    """The layout of tokens that attend to each other; NetworkError where they are not all of a picture's, every time.

    Attention that only pools, at the end of a network, is taken off the list of what was seen, for so many pictures.
    """
    check_pictures(inputs)
    while seen and not seen[-1].among_all:
        seen.pop()
    if not seen:
        raise NetworkError(
            f"{method} follows attention among all tokens of a picture, and {type(network_of(classifier)).__name__} "
            "has none; use Grad-CAM"
        )
    name = _tokens_of(classifier, inputs, seen[-1])
    layout = laid_out(classifier, inputs, name).get(name) if name else None
    for found in seen:
        trouble = _trouble(found, seen[-1], pictures or len(inputs), layout)
        if trouble:
            raise NetworkError(
                f"{method} follows attention among all tokens of a picture, and {found.name!r} {trouble}; use Grad-CAM"
            )
    return layout


def _tokens_of(classifier: nn.Module, inputs: Tensor, found: Attention) -> str | None:
    """A layer with the tokens of an attention: in the innermost module around it that has one."""
    seen = survey(network_of(classifier), inputs, runner(classifier)).layers
    tokens = [each.name for each in seen if each.layout and each.layout.kind == "tokens"]
    for module in (*reversed(found.around), ""):
        inside = [name for name in tokens if not module or f"{name}.".startswith(f"{module}.")]
        if inside:
            return inside[-1]
    return None


def _trouble(found: Attention, last: Attention, pictures: int, layout: Layout | None) -> str | None:
    """What keeps an attention from being one among all tokens of a layout, as the end of a sentence."""
    shape = tuple(found.weights.shape)
    if len(shape) != 4 or shape[0] != pictures:
        return "has it within windows"
    if not found.among_all:
        return f"lets {shape[-2]} tokens attend to {shape[-1]}"
    if shape[-1] != last.weights.shape[-1]:
        return f"has it among {shape[-1]} tokens, and {last.name!r} among {last.weights.shape[-1]}"
    if not found.weights.requires_grad:
        return "has it by place alone, whatever the picture is"
    rows, columns = (0, 0) if layout is None else layout.grid
    rounded = rows + columns if rows % 1 or columns % 1 else 0
    others = 0 if layout is None else layout.before + layout.after
    if layout is None or abs(shape[-1] - others - rows * columns) > rounded + 0.5:
        return f"has it among {shape[-1]} values that are no places"
    return None
