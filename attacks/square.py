"""Square (Andriushchenko et al. 2020, https://arxiv.org/abs/1912.00049)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .core.active_batch import run_until_done
from .core.ball import Ball, BoundedSamples
from .core.contract import attack
from .core.labels import labels_or_predictions
from .core.losses import Loss, is_fooled, objective
from .core.model import Model, logits_of
from .core.norms import batch_view
from .core.seeds import Noise, Seed
from .core.windows import bumps, inside, places, sides
from .norm_names import norm_name

# The queries, of 10,000, after which the share of the image that is changed halves (section 3).
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
MIN_LENGTH = 1e-12


@attack
def square(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    queries: int = 5000,
    share: float = 0.8,
    rescale: bool = False,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Random search with squares that shrink, from the model's outputs alone.

    For Linf a random square of the image is set to an end of the ball, a channel at a time; for L2 it gets a bump,
    which takes over the length of another square. A change is kept if it brings the wrong class nearer (algorithm 1; 2
    for Linf and 3 for L2). A sample that is fooled is finished.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, C, H, W) in [0, 1]; (N, H, W) count as one channel, and (N, D) as one row.
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        eps: the largest change, in the norm: one for all samples, or (N,); by default 8/255 in Linf, and in L2 two
            levels of each value (3 for 224 x 224 pixels in colour).
        norm: what eps bounds: "Linf" each value, "L2" the root of the sum of squares.
        queries: how often the model is queried, besides once with the images themselves.
        share: share of the image that is changed at first (p).
        rescale: whether the share shrinks faster, in proportion, where there are fewer than the paper's 10,000 queries.
        targeted: whether the labels are the classes to reach.
        quantize: whether results consist of levels of an 8-bit file.
        batch_size: how many samples are attacked at a time; by default all.
        seed: of the squares: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: a point that fools, else the one that comes nearest to
        it; the clean image where it fools by itself.

    Raises:
        AttackError: images, labels or settings that are not valid.
    """
    norm = norm_name(norm, _SEARCHES, "Square")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    loss = objective("cross_entropy" if targeted else "margin", targeted)  # section 3.1
    search = _SEARCHES[norm](model, loss, targeted, queries, share, rescale)
    samples = BoundedSamples(ball, labels, Noise.of(seed, images))
    return run_until_done(search, samples, batch_size=batch_size)


@dataclass
class _SquareState(BoundedSamples):
    solved: Tensor  # (n,) whether the clean image fools by itself
    trial: Tensor  # (n, ...) to query the model with next
    points: Tensor  # (n, ...) the best so far, and the loss there
    value: Tensor
    queries: Tensor  # (n,) so far
    result: Tensor  # (n, ...) the best points that the model was queried with


@dataclass
class _Square:
    """Algorithm 1: random search, with the ``start`` and the ``proposal`` of a norm."""

    model: Model
    objective: Loss
    targeted: bool
    queries: int
    share: float  # p
    rescale: bool

    def begin(self, samples: BoundedSamples) -> _SquareState:
        ball, labels = samples.ball, samples.labels
        solved = is_fooled(logits_of(self.model, ball.images), labels, self.targeted)
        return _SquareState(
            **vars(samples),
            solved=solved,
            trial=ball.project(self.start(ball, samples.noise).view_as(ball.images)),
            points=ball.images,
            value=torch.full_like(ball.eps, -torch.inf, dtype=ball.images.dtype),
            queries=torch.zeros_like(labels),
            result=ball.images,
        )

    def step(self, state: _SquareState) -> Tensor:
        points = state.ball.quantized(state.trial)
        logits = logits_of(self.model, points)
        values, fooled = self.objective(logits, state.labels), is_fooled(logits, state.labels, self.targeted)
        better = (fooled | (values > state.value)) & ~state.solved
        state.value = torch.where(better, values, state.value)
        state.points = torch.where(batch_view(better, points), state.trial, state.points)
        state.result = torch.where(batch_view(better, points), points, state.result)
        halvings = torch.tensor(HALVINGS, device=points.device)[:, None]
        query = state.queries * 10_000 // self.queries if self.rescale else state.queries
        share = self.share / 2.0 ** (query > halvings).sum(0)
        state.queries = state.queries + 1
        done = fooled | state.solved | (state.queries == self.queries)
        if not done.all():
            state.trial = state.ball.project(self.proposal(state, share).view_as(points))
        return done


class _LinfSquare(_Square):
    def start(self, ball: Ball, noise: Noise) -> Tensor:
        """Vertical stripes, each at one end of the ball, a channel at a time."""
        low, high = _maps(ball.low), _maps(ball.high)
        drawn = noise.uniform(low.shape[1], 1, low.shape[3], like=low)
        return torch.where(drawn < 0.5, low, high)

    def proposal(self, state: _SquareState, share: Tensor) -> Tensor:
        """Algorithm 2: a square at one end of the ball, a channel at a time."""
        points = _maps(state.points)
        drawn = state.noise.uniform(2 + points.shape[1], like=points)
        heights, widths = sides(share, points)
        rows, cols = places(points, drawn[:, :2], heights, widths)
        ends = torch.where(drawn[:, 2:, None, None] < 0.5, _maps(state.ball.low), _maps(state.ball.high))
        return torch.where(inside(rows, cols, heights, widths), ends, points)


class _L2Square(_Square):
    def start(self, ball: Ball, noise: Noise) -> Tensor:
        """Bumps side by side, in five rows of five, each with a random sign and turned at random."""
        images = _maps(ball.images)
        (row, row_tile, height), (col, col_tile, width) = (_fifths(side, images) for side in images.shape[2:])
        tiles = (int(row_tile.max()) + 1, int(col_tile.max()) + 1)
        drawn = noise.uniform(images.shape[1] + 1, *tiles, like=images)[:, :, row_tile[:, None], col_tile]
        signs = torch.where(drawn[:, 1:] < 0.5, -1.0, 1.0).to(images)
        across = drawn[:, :1] < 0.5
        heights, widths = (torch.full_like(across, side, dtype=torch.int64) for side in (height, width))
        bump = bumps(row.view(1, 1, -1, 1), col.view(1, 1, 1, -1), heights, widths, across).to(images)
        return images + _of_length_eps(bump * signs, ball)

    def proposal(self, state: _SquareState, share: Tensor) -> Tensor:
        """Algorithm 3: a bump in one window takes over the length of another window, and what is left of eps."""
        images = _maps(state.ball.images)
        delta = _maps(state.points) - images
        drawn = state.noise.uniform(5 + images.shape[1], like=images)
        heights, widths = sides(share, images, bump=True)
        rows, cols = places(images, drawn[:, :2], heights, widths)
        window = inside(rows, cols, heights, widths)
        other = inside(*places(images, drawn[:, 2:4], heights, widths), heights, widths)
        signs = torch.where(drawn[:, 5:, None, None] < 0.5, -1.0, 1.0).to(images)
        bump = bumps(rows, cols, heights, widths, drawn[:, 4:5, None, None] < 0.5).to(images) * signs
        bump = bump + delta * window / _length(delta * window)
        unspent = (batch_view(state.ball.eps, images) ** 2 - (delta**2).sum((1, 2, 3), keepdim=True)).clamp_min(0)
        length = (unspent / images.shape[1] + (delta * (window | other)).square().sum((2, 3), keepdim=True)).sqrt()
        bump = (bump / _length(bump) * length).to(images)
        delta = torch.where(window, bump, torch.where(other, 0, delta))
        return images + _of_length_eps(delta, state.ball)


_SEARCHES = {"Linf": _LinfSquare, "L2": _L2Square}


def _maps(values: Tensor) -> Tensor:
    """Samples of any shape as (n, C, H, W)."""
    if values.dim() == 2:
        return values[:, None, None]
    return values[:, None] if values.dim() == 3 else values.flatten(2, -2)


def _fifths(side: int, like: Tensor) -> tuple[Tensor, Tensor, int]:
    """For each place of a side, its place in a fifth, the number of this fifth, and the length of a fifth.

    At a rim that no fifth covers, the place is -1.
    """
    fifth = max(side // 5, 1)
    count = side // fifth
    place = torch.arange(side, device=like.device) - (side - fifth * count) // 2
    covered = (place >= 0) & (place < fifth * count)
    return torch.where(covered, place % fifth, -1), (place // fifth).clamp(0, count - 1), fifth


def _of_length_eps(delta: Tensor, ball: Ball) -> Tensor:
    """Perturbations (n, C, H, W) scaled to the length eps."""
    return (delta / _length(delta, (1, 2, 3)) * batch_view(ball.eps, delta)).to(delta)


def _length(values: Tensor, over: tuple[int, ...] = (2, 3)) -> Tensor:
    return torch.linalg.vector_norm(values, dim=over, keepdim=True).clamp_min(MIN_LENGTH)
