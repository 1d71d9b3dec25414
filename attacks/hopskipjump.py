"""HopSkipJump (Chen et al. 2020, https://arxiv.org/abs/1904.02144)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .core.ball import check_images
from .core.contract import attack
from .core.losses import is_fooled
from .core.minimum_norm import MinimumNormState, minimum_norm
from .core.model import Model, logits_of
from .core.norms import batch_view, norm_named
from .core.quantize import to_levels
from .core.seeds import Noise, Seed
from .errors import AttackError
from .norm_names import norm_name

LEVEL = 1 / 255
FIRST_RADIUS = 0.1  # of the first estimate (delta_1), as in the authors' code
FINEST = 1e-5  # change of a value that single precision still tells from none
TRIES = 50  # at noise that fools, to begin with
MOST_HALVINGS = 20  # of a step
VALUES_AT_A_TIME = 1 << 23  # of the perturbed copies that are held in memory


@attack
def hopskipjump(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    norm: str = "L2",
    queries: int = 5000,
    estimates: int = 100,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
    start: Tensor | None = None,
) -> Tensor:
    """Walk along the boundary towards the image, from nothing but which class the model answers (algorithm 2).

    From a point that fools, bisection leads to the boundary; the answers around it tell its slope (eq. 9, less their
    mean, eq. 16); a step along the slope, as long as it still fools, gives the next point (eq. 10).

    Args:
        model: from images (n, ...) in [0, 1] to logits (n, C), of which only the highest counts: see ``from_labels``.
        images: (N, ...) in [0, 1].
        labels: (N,) the true classes, or the targets; by default the model's own predictions.
        norm: norm in which the nearest point is looked for, "L2" or "Linf".
        queries: how often the model is asked, besides once with the images themselves.
        estimates: how many answers the first slope is made of (B_0); later ones take more, by the root of their number.
        targeted: whether the labels are the classes to reach.
        quantize: whether the model is only asked about levels of an 8-bit file, of which results then consist.
        batch_size: how many copies of one sample the model sees at a time; by default as many as memory allows.
        seed: of the search: one for all samples, one for each, or a generator.
        start: (N, ...) points that fool, such as pictures of the target; by default noise of varied brightness.

    Returns:
        (N, ...) in [0, 1]; the clean images where they fool by themselves or nothing was found.

    Raises:
        AttackError: images, labels or settings that are not valid.
    """
    norm = norm_name(norm, ("L2", "Linf"), of="HopSkipJump")
    if start is not None:
        check_images(start)
        if start.shape != images.shape:
            raise AttackError(f"start has the shape of the images, {tuple(images.shape)}, not {tuple(start.shape)}")
    noise = Noise.of(seed, images)
    search = _HopSkipJump(model, targeted, noise, start, norm, queries, estimates, quantize, batch_size)
    return minimum_norm(search, images, labels, quantize=False, batch_size=batch_size)


@dataclass
class _HopSkipJumpState(MinimumNormState):
    noise: Noise
    points: Tensor  # (n, ...) fooling, at the boundary; the image where none has been found
    found: Tensor  # (n,) whether there is such a point
    steps: Tensor  # (n,) so far
    queries: Tensor  # (n,) that are left


@dataclass
class _HopSkipJump:
    model: Model
    targeted: bool
    noise: Noise  # of all samples
    start: Tensor | None  # of all samples
    norm: str
    queries: int
    estimates: int
    quantize: bool
    batch_size: int | None

    def begin(self, samples: MinimumNormState) -> _HopSkipJumpState:
        zeros = torch.zeros_like(samples.labels)
        state = _HopSkipJumpState(
            **vars(samples),
            noise=self.noise[samples.numbers],
            points=samples.images,
            found=zeros > 0,
            steps=zeros,
            queries=zeros + self.queries,
        )
        tries = 1 if self.start is not None else TRIES
        for number in range(tries):
            trying = ~state.found & (state.queries > 0)
            if not trying.any():
                break
            points = self.start[state.numbers] if self.start is not None else self.random(state, trying, number)
            fooled = self.ask(state, points, trying)
            state.points = torch.where(batch_view(fooled, points), points, state.points)
            state.found = state.found | fooled
        self.bisect(state)
        return state

    def step(self, state: _HopSkipJumpState) -> Tensor:
        going = state.found & (state.queries > 0)
        if going.any():
            state.steps = state.steps + going
            directions = self.slopes(state, going)
            self.jump(state, directions, going)
            self.bisect(state)
        return ~state.found | (state.queries <= 0)

    def ask(self, state: _HopSkipJumpState, points: Tensor, chosen: Tensor) -> Tensor:
        """(n,) whether points (n, ...) fool; those not chosen (n,) are not asked about, and do not."""
        fooled = torch.zeros_like(chosen)
        asked = self.seen(points, state.images)
        parts = [part for part in chosen.nonzero()[:, 0].split(self.batch_size or len(chosen)) if len(part)]
        for part in parts:
            fooled[part] = is_fooled(logits_of(self.model, asked[part]), state.labels[part], self.targeted)
        state.queries = state.queries - chosen.long()
        state.keep_nearest(asked, fooled, self.norm)
        return fooled

    def seen(self, points: Tensor, images: Tensor) -> Tensor:
        """What the model is asked about: points (n, ...), or where they move the images, their nearest levels."""
        if not self.quantize:
            return points
        levels = to_levels(points)
        return torch.where(levels == to_levels(images), images, levels)

    def random(self, state: _HopSkipJumpState, trying: Tensor, number: int) -> Tensor:
        """(n, ...) noise, every second time of a random brightness, for the samples that are still trying (n,)."""
        noise, points = state.noise[trying], state.images.clone()
        drawn = noise.uniform(*points.shape[1:], like=points)
        if number % 2:
            drawn = drawn ** batch_view(2 ** (6 * noise.uniform(1, like=points)[:, 0] - 3), points)
        state.noise[trying] = noise
        points[trying] = drawn
        return points

    def slopes(self, state: _HopSkipJumpState, going: Tensor) -> Tensor:
        """(n, ...) the directions, of norm 1, in which most of the perturbed copies of the points fool."""
        slopes = torch.zeros_like(state.points)
        radius = self.radii(state)
        for index in going.nonzero()[:, 0].tolist():
            one = torch.tensor([index], device=going.device)
            slopes[index] = self.slope(state, one, radius[index])
        return norm_named(self.norm).steepest(slopes)

    def slope(self, state: _HopSkipJumpState, one: Tensor, radius: Tensor) -> Tensor:
        """(...) the estimate of equation 16 for one sample, whose index is in (1,)."""
        noise, point, image = state.noise[one.cpu()], state.points[one], state.images[one]
        count = round(self.estimates * float(state.steps[one]) ** 0.5)
        count = max(1, min(count, int(state.queries[one])))
        weighted, plain, answers = torch.zeros_like(point[0]), torch.zeros_like(point[0]), []
        most = max(1, VALUES_AT_A_TIME // point.numel())  # not the batch size, on which no result depends
        for size in [most] * (count // most) + [count % most] * (count % most > 0):
            copies = (point + radius * self.directions(noise, size, point)).clamp(0, 1)
            copies = self.seen(copies, image.expand_as(copies))
            signs = self.signs(copies, state.labels[one])
            moved = (copies - point) / radius  # what clamping and rounding have left of the directions
            weighted, plain = weighted + (moved * batch_view(signs, moved)).sum(0), plain + moved.sum(0)
            answers.append(signs)
        state.noise[one.cpu()] = noise
        state.queries = state.queries.index_add(0, one, torch.full_like(one, -count))
        mean = torch.cat(answers).mean()
        return weighted if mean.abs() == 1 else weighted - mean * plain  # where all agree, there is no mean to take

    def directions(self, noise: Noise, count: int, point: Tensor) -> Tensor:
        """(count, ...) random directions of length 1 (section 3.2)."""
        draw: Callable = noise.normal if self.norm == "L2" else noise.uniform
        drawn = draw(count, *point.shape[1:], like=point)[0]
        drawn = drawn if self.norm == "L2" else 2 * drawn - 1
        return drawn / batch_view(torch.linalg.vector_norm(drawn.flatten(1), dim=1), drawn)

    def signs(self, copies: Tensor, label: Tensor) -> Tensor:
        """(B,) 1 where a copy (B, ...) of a sample with a label (1,) fools, and -1 elsewhere (eq. 5)."""
        parts = copies.split(self.batch_size or len(copies))
        fooled = [is_fooled(logits_of(self.model, part), label.expand(len(part)), self.targeted) for part in parts]
        return torch.cat(fooled).to(copies) * 2 - 1

    def radii(self, state: _HopSkipJumpState) -> Tensor:
        """(n,) how far the copies lie from the points (delta_t, section 3.3), but never too near to differ."""
        values = state.images[0].numel()
        distance = norm_named(self.norm).size(state.points - state.images)
        radius = distance * (values**0.5 if self.norm == "L2" else values) * self.tolerance(values)
        radius = torch.where(state.steps == 1, FIRST_RADIUS, radius)
        return radius.clamp_min((LEVEL if self.quantize else FINEST) * values**0.5)

    def tolerance(self, values: int) -> float:
        """Where bisection ends (theta)."""
        return float(values) ** (-1.5 if self.norm == "L2" else -2.0)

    def jump(self, state: _HopSkipJumpState, directions: Tensor, going: Tensor) -> None:
        """Step from the points along directions, half as far until the new points fool (equation 10)."""
        length = norm_named(self.norm).size(state.points - state.images) / state.steps.clamp_min(1).sqrt()
        for _ in range(MOST_HALVINGS):
            trying = going & (state.queries > 0)
            if not trying.any():
                return
            points = (state.points + batch_view(length, directions).to(directions) * directions).clamp(0, 1)
            fooled = self.ask(state, points, trying)
            state.points = torch.where(batch_view(fooled, points), points, state.points)
            going, length = trying & ~fooled, length / 2

    def bisect(self, state: _HopSkipJumpState) -> None:
        """Move the points to the boundary, on their way to the images (algorithm 1)."""
        far, low = state.points, torch.zeros_like(state.distance)
        high = torch.ones_like(low) if self.norm == "L2" else norm_named("Linf").size(far - state.images)
        least = max(self.tolerance(state.images[0].numel()), LEVEL / 4 if self.quantize else FINEST)
        while (trying := state.found & (high - low > least) & (state.queries > 0)).any():
            middle = (low + high) / 2
            points = self.between(state.images, far, middle)
            fooled = self.ask(state, points, trying)
            state.points = torch.where(batch_view(fooled, points), points, state.points)
            high, low = torch.where(fooled, middle, high), torch.where(trying & ~fooled, middle, low)

    def between(self, images: Tensor, far: Tensor, how_far: Tensor) -> Tensor:
        """(n, ...) points on the way from images to far ones; for Linf those within a distance (n,) of the images."""
        delta, share = far - images, batch_view(how_far, images)
        delta = delta * share if self.norm == "L2" else torch.minimum(torch.maximum(delta, -share), share)
        return (images + delta).clamp(0, 1)
