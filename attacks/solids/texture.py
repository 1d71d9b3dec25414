"""A texture with which a solid is seen as a target from any side (Athalye et al. 2018)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bounds import check_bounds
from ..core.adam import Adam
from ..core.model import Model, value_and_gradient
from ..errors import AttackError
from .mesh import Mesh
from .views import random_pose, view_of


@torch.inference_mode(False)
@torch.no_grad()
def train_texture(
    model: Model,
    solid: Mesh,
    target: int,
    *,
    start: Tensor | None = None,
    eps: float | None = None,
    size: tuple[int, int] = (224, 224),
    texels: int = 64,
    steps: int = 320,
    poses: int = 6,
    step_size: float = 0.1,
    seed: int = 0,
    device: torch.device | str = "cpu",
    watch: Callable[[int, float], None] = lambda step, share: None,
) -> Tensor:
    """A texture with which a solid is seen as a target, from whichever side, distance and light, on any background.

    It raises the mean log-probability of the target over random poses (expectation over transformation, section 2 of
    https://arxiv.org/abs/1707.07397), by Adam; the renderer is linear in the texture. In place of the paper's penalty
    in LAB colours stands a ball around the texture that it starts with, or nothing.

    Args:
        model: from images (n, 3, h, w) in [0, 1] to logits (n, classes).
        solid: what bears the texture.
        target: the class to be seen.
        start: (3, T, U) in [0, 1], the texture to begin with; mid grey by default.
        eps: the largest change of a value of the texture; by default any.
        size: of the views: rows and columns.
        texels: side of the texture where none is given.
        steps: number of steps.
        poses: number of random poses at each step.
        step_size: largest change of a value at a step, which falls to a tenth of it towards the end.
        seed: of the poses.
        device: the model's.
        watch: called with each step's number and the share of its views that are seen as the target.

    Returns:
        (3, T, U) in [0, 1], within eps of the start.

    Raises:
        AttackError: settings that are not valid, or gradients that are not numbers.
    """
    options = {"steps": steps, "poses": poses, "texels": texels, "step_size": step_size, "seed": seed}
    check_bounds("train_texture", options)
    if eps is not None and not 0 <= eps <= 1:
        raise AttackError(f"eps is from 0 to 1, not {eps}")
    start = torch.full((3, texels, texels), 0.5) if start is None else start.float()
    if start.dim() != 3 or len(start) != 3:
        raise AttackError(f"a texture has the shape (3, T, U), not {tuple(start.shape)}")
    start = start.to(device)
    low, high = (start - eps, start + eps) if eps is not None else (torch.zeros_like(start), torch.ones_like(start))
    low, high = low.clamp(min=0), high.clamp(max=1)
    draw = torch.Generator().manual_seed(seed)
    texture, adam = start.clone(), Adam(start, fresh=0.01)
    for step in range(1, steps + 1):
        gradient, share = _gradient(model, solid, texture, target, size, poses, draw)
        texture = torch.clamp(texture + adam.step(gradient, step_size * (1 - 0.9 * step / steps)), low, high)
        watch(step, share)
    return texture


def _gradient(
    model: Model, solid: Mesh, texture: Tensor, target: int, size: tuple[int, int], poses: int, draw: torch.Generator
) -> tuple[Tensor, float]:
    """The gradient of the mean log-probability over poses drawn anew, and the share of them seen as the target."""
    views = [view_of(solid, random_pose(draw), size).to(texture.device) for _ in range(poses)]

    def logits_with(textures: Tensor) -> Tensor:
        return model(torch.stack([view.picture(own) for view, own in zip(views, textures, strict=True)]))

    def log_probability(logits: Tensor, labels: Tensor) -> Tensor:
        return -F.cross_entropy(logits, labels, reduction="none")

    labels = torch.full((poses,), target, device=texture.device)
    copies = texture.expand(poses, *texture.shape)
    logits, _, gradients = value_and_gradient(logits_with, copies, log_probability, labels)
    return gradients.mean(0), float((logits.argmax(1) == labels).float().mean())


@torch.no_grad()
def seen_from_sides(
    model: Model,
    solid: Mesh,
    texture: Tensor,
    *,
    poses: int = 200,
    size: tuple[int, int] = (224, 224),
    seed: int = 1,
    batch_size: int = 8,
) -> Tensor:
    """What a model sees in a solid from random sides: the class (poses,) of each view.

    Args:
        model: from images (n, 3, h, w) in [0, 1] to logits.
        solid: what bears the texture.
        texture: (3, T, U) in [0, 1].
        poses: how many random poses.
        size: of the views: rows and columns.
        seed: of the poses; another than the texture's has poses that it was not made for.
        batch_size: how many views are in memory at a time.
    """
    check_bounds("seen_from_sides", {"poses": poses, "seed": seed, "batch_size": batch_size})
    draw = torch.Generator().manual_seed(seed)
    found = []
    for begun in range(0, poses, batch_size):
        count = min(batch_size, poses - begun)
        views = [view_of(solid, random_pose(draw), size).to(texture.device).picture(texture) for _ in range(count)]
        found.append(model(torch.stack(views)).argmax(1))
    return torch.cat(found)
