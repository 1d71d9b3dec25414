"""LeGrad (Bousselham et al. 2024, https://arxiv.org/abs/2404.03214)."""

import torch
from torch import Tensor, nn

from ..classifier import network_of
from ..errors import NetworkError
from ..geometry import Geometry
from ..layer_outputs import runner
from ..network.autograd import leaf
from ..network.layout import Layout
from ..network.recording import edited, recorded
from ..network.tokens.attention import Attention, attention_seen
from ..scores import Target, score_of
from .contract import check_pictures, explainer
from .token_relevance import layout_of_tokens

METHOD = "LeGrad"


@explainer(Geometry.undo)
def legrad(classifier: nn.Module, images: Tensor, target: Target) -> Tensor:
    """Which patches the class score would gain from if they were attended to more, in every block.

    The score of a block is what the network's head makes of the mean of the block's tokens. Its gradient by the
    attention of that block, where it is positive, is averaged over heads and over the tokens that attend (eq. 6),
    and then over the blocks (eq. 8). The paper rescales the result to [0, 1]; here it is raw. It costs a pass for
    each block.

    Args:
        classifier: the classifier to explain, a transformer of blocks with attention among all tokens.
        images: (N, 3, H, W), in [0, 1].
        target: (N,) class indices, one per image, or a score.

    Returns:
        (N, 1, H, W) attribution, at least zero, in units of the logit per unit of attention.

    Raises:
        NetworkError: the network has no attention, or one within windows or between tokens of several grids, or is
            not made of blocks.
    """
    check_pictures(images)
    network, run = network_of(classifier), runner(classifier)
    with attention_seen(network, 1) as seen:
        run(images[:1].detach().requires_grad_())
    layout = layout_of_tokens(classifier, images, seen, METHOD, pictures=1)
    blocks = _blocks_of(seen)
    source = leaf(images)
    with attention_seen(network, len(images)) as seen, recorded(network, *blocks) as recording:
        run(source)
    slopes = []
    for block, attention in zip(blocks, seen, strict=False):  # what only pools, behind the blocks, has none
        mean = _mean(recording[block], layout, block)
        with edited(network, blocks[-1], lambda _, mean=mean: mean):
            score = score_of(classifier, images, target)
        (slope,) = torch.autograd.grad(
            score.sum(), attention.weights, retain_graph=True, create_graph=images.requires_grad, materialize_grads=True
        )
        slopes.append(torch.relu(slope).mean((1, 2)))
    return layout.map_of(torch.stack(slopes).mean(0)[:, None])


def _blocks_of(seen: list[Attention]) -> list[str]:
    """For each attention the outermost module that runs no other one."""
    blocks = []
    for attention in seen:
        others = {name for other in seen if other is not attention for name in other.around}
        own = [name for name in attention.around if name not in others]
        if not own:
            raise NetworkError(
                f"{METHOD} reads the tokens after each block, and {attention.name!r} is in no block of its own"
            )
        blocks.append(own[0])
    return blocks


def _mean(tokens: Tensor, layout: Layout, block: str) -> Tensor:
    """The mean of all tokens in the place of each of them, so that a network reads it whichever it looks at."""
    if tokens.dim() != 3:
        raise NetworkError(f"{METHOD} reads the tokens after each block, and {block!r} gives {tuple(tokens.shape)}")
    return tokens.mean(0 if layout.sequence_first else 1, keepdim=True).expand_as(tokens)
