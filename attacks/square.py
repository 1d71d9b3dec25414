"""Square (Andriushchenko et al. 2020, https://arxiv.org/abs/1912.00049)."""

import torch
from torch import Tensor

from .core.active_batch import Rows, work_off
from .core.ascent import Model
from .core.ball import Ball
from .core.labels import labels_or_predictions
from .core.losses import fooled, logits_of, objective
from .core.norms import columns
from .core.seeds import Noise, Seed
from .core.windows import bumps, inside, places, sides
from .errors import AttackError

# Of 10,000 queries, those after which the share of the image that is changed halves (section 3).
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
FEW = 1e-12


def square(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    eps: float | Tensor = 8 / 255,
    norm: str = "Linf",
    queries: int = 5000,
    share: float = 0.8,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Random search with squares that shrink, from the model's answers alone.

    A square of the image, drawn anew each time, is set to an end of the ball, a channel at a time; or
    for L2 is given the length of another one, in the form of a bump. What brings the wrong class
    nearer is kept (algorithm 1; 2 for Linf and 3 for L2). A sample that is fooled is left alone.

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C).
        images: (N, C, H, W) in [0, 1]; (N, H, W) and (N, D) are one channel, and one row, too.
        labels: (N,) the true classes, or those wanted; the model's own predictions by default.
        eps: radius of the ball, one for all or (N,).
        norm: "Linf" or "L2".
        queries: how often the model is asked, besides once for the images themselves.
        share: of the image that is changed at first (p).
        targeted: whether the labels are the classes wanted.
        quantize: whether results lie on the grid of an 8-bit file.
        batch_size: how many samples are worked on at a time; all by default.
        seed: of the squares: one for all samples, one for each, or a generator.

    Returns:
        (N, ...) in [0, 1], within eps of the images, exactly: what fools, else what came nearest to it; the
        clean image where it fools by itself.

    Raises:
        AttackError: images, labels or settings that cannot be attacked.
    """
    if norm not in _SEARCHES:
        raise AttackError(f"Square knows {' and '.join(_SEARCHES)}, not {norm!r}")
    if queries < 1 or not 0 < share <= 1:
        raise AttackError(f"Square takes a query or more, and a share in (0, 1], not {queries} and {share}")
    ball = Ball.around(images, eps, norm, quantize=quantize)
    labels = labels_or_predictions(model, images, labels, targeted)
    every_noise = Noise.of(seed, len(labels))
    raised = objective("cross_entropy" if targeted else "margin", targeted)  # section 3.1

    start, propose, drawn_per_start, drawn_per_step = _SEARCHES[norm]

    def begin(numbers: Tensor) -> Rows:
        chosen = numbers.to(labels.device)
        here, noise, true = ball[chosen], every_noise[numbers], labels[chosen]
        with torch.no_grad():
            needless = fooled(logits_of(model, here.images), true, targeted)
        drawn = noise.uniform(*drawn_per_start(_maps(here.images)), like=here.images)
        return Rows(
            ball=here,
            noise=noise,
            labels=true,
            needless=needless,
            trial=here.project(start(here, drawn).view_as(here.images)),
            points=here.images,
            value=torch.full_like(here.eps, -torch.inf, dtype=here.images.dtype),
            asked=torch.zeros_like(true),
            result=here.images,
        )

    @torch.no_grad()
    def step(now: Rows) -> Tensor:
        seen = now.ball.snap(now.trial)
        logits = logits_of(model, seen)
        values, hit = raised(logits, now.labels), fooled(logits, now.labels, targeted)
        better = (hit | (values > now.value)) & ~now.needless
        now.value = torch.where(better, values, now.value)
        now.points = torch.where(columns(better, seen), now.trial, now.points)
        now.result = torch.where(columns(better, seen), seen, now.result)
        now.asked = now.asked + 1
        done = hit | now.needless | (now.asked == queries)
        if not done.all():
            drawn = now.noise.uniform(drawn_per_step + _maps(seen).shape[1], like=seen)
            parts = _share_now(now.asked - 1, queries, share)
            now.trial = now.ball.project(propose(now, parts, drawn).view_as(seen))
        return done

    return work_off(len(labels), begin, step, batch_size=batch_size)


def _share_now(asked: Tensor, queries: int, share: float) -> Tensor:
    """(n,) the share of the image that is changed next, halved again and again."""
    halvings = torch.tensor(HALVINGS, device=asked.device)[:, None]
    return share / 2.0 ** (asked * 10_000 // queries > halvings).sum(0)


def _maps(values: Tensor) -> Tensor:
    """Samples of any shape as (n, C, H, W)."""
    if values.dim() == 2:
        return values[:, None, None]
    return values[:, None] if values.dim() == 3 else values.flatten(2, -2)


def _stripes(ball: Ball, drawn: Tensor) -> Tensor:
    """For Linf every column of a channel starts at an end of the ball."""
    return torch.where(drawn < 0.5, _maps(ball.low), _maps(ball.high))


def _square(now: Rows, parts: Tensor, drawn: Tensor) -> Tensor:
    """Algorithm 2: a square at one end of the ball, the same throughout a channel."""
    points = _maps(now.points)
    heights, widths = sides(parts, points)
    rows, cols = places(points, drawn[:, :2], heights, widths)
    ends = torch.where(drawn[:, 2:, None, None] < 0.5, _maps(now.ball.low), _maps(now.ball.high))
    return torch.where(inside(rows, cols, heights, widths), ends, points)


def _tiles(ball: Ball, drawn: Tensor) -> Tensor:
    """For L2 bumps side by side, in five rows of five, each of a random sign and turned at random, start."""
    images = _maps(ball.images)
    (row, row_tile, height), (col, col_tile, width) = (_fifths(size, images) for size in images.shape[2:])
    drawn = drawn[:, :, row_tile[:, None], col_tile]
    signs = torch.where(drawn[:, 1:] < 0.5, -1.0, 1.0).to(images)
    across = drawn[:, :1] < 0.5
    heights, widths = (torch.full_like(across, size, dtype=torch.int64) for size in (height, width))
    bump = bumps(row.view(1, 1, -1, 1), col.view(1, 1, 1, -1), heights, widths, across).to(images)
    return images + _lengthened(bump * signs, ball)


def _fifths(size: int, like: Tensor) -> tuple[Tensor, Tensor, int]:
    """For each of so many places, its place in a fifth of them, and which fifth that is; and how long those are.

    A rim that no fifth holds is at place -1.
    """
    fifth = max(size // 5, 1)
    count = size // fifth
    places = torch.arange(size, device=like.device) - (size - fifth * count) // 2
    held = (places >= 0) & (places < fifth * count)
    return torch.where(held, places % fifth, -1), (places // fifth).clamp(0, count - 1), fifth


def _tile_draws(maps: Tensor) -> tuple[int, ...]:
    return maps.shape[1] + 1, *(size // max(size // 5, 1) for size in maps.shape[2:])


def _bump(now: Rows, parts: Tensor, drawn: Tensor) -> Tensor:
    """Algorithm 3: a bump in one window gets the length of another, and what is left of eps besides."""
    images = _maps(now.ball.images)
    delta = _maps(now.points) - images
    heights, widths = sides(parts, images, bump=True)
    rows, cols = places(images, drawn[:, :2], heights, widths)
    here = inside(rows, cols, heights, widths)
    there = inside(*places(images, drawn[:, 2:4], heights, widths), heights, widths)
    signs = torch.where(drawn[:, 5:, None, None] < 0.5, -1.0, 1.0).to(images)
    bump = bumps(rows, cols, heights, widths, drawn[:, 4:5, None, None] < 0.5).to(images) * signs
    bump = bump + delta * here / _length(delta * here)
    unspent = (columns(now.ball.eps, images) ** 2 - (delta**2).sum((1, 2, 3), keepdim=True)).clamp_min(0)
    length = (unspent / images.shape[1] + (delta * (here | there)).square().sum((2, 3), keepdim=True)).sqrt()
    bump = (bump / _length(bump) * length).to(images)
    delta = torch.where(here, bump, torch.where(there, 0, delta))
    return images + _lengthened(delta, now.ball)


def _lengthened(delta: Tensor, ball: Ball) -> Tensor:
    """Perturbations (n, C, H, W) of length eps."""
    return (delta / _length(delta, (1, 2, 3)) * columns(ball.eps, delta)).to(delta)


def _length(values: Tensor, over: tuple[int, ...] = (2, 3)) -> Tensor:
    return torch.linalg.vector_norm(values, dim=over, keepdim=True).clamp_min(FEW)


# Norm to the start, the step, the shape of what is drawn for a start, and how many are for a step besides signs.
_SEARCHES = {
    "Linf": (_stripes, _square, lambda maps: (maps.shape[1], 1, maps.shape[3]), 2),
    "L2": (_tiles, _bump, _tile_draws, 5),
}
