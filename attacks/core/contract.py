"""What every attack does with what it is given: arrays, narrow types, autocast, no samples, numbers out of bounds."""

import functools
import inspect
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ..bounds import check_bounds
from ..errors import AttackError, GradientWarning
from .ball import added_within, check_images
from .model import Model

NARROW = (torch.float16, torch.bfloat16)  # too narrow to search in; at 1 a step of bfloat16 is a level of a file

PROBABILITIES = "the model's outputs are probabilities"


def attack(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An attack that takes any array of images, of any floating type, any number of them, and numbers within bounds.

    In narrow types it searches in single precision; the model is asked in the type of the images, and results are
    rounded to it, where there is a bound towards the image.
    """
    bounded = "eps" in inspect.signature(function).parameters

    @functools.wraps(function)
    def run(model: Model, images: Tensor, labels: Any = None, **options: Any) -> Tensor:
        check_bounds(function.__name__, options)
        images = as_images(images, model)
        if not len(images):
            return images.clone()
        found = _searched(function, model, images, labels, options)
        return found if found.dtype == images.dtype else _in_type_of(images, found, bounded)

    return run


def given(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A search whose own arithmetic is single precision or more, whatever the images and the caller's autocast are.

    Its numbers are checked as those of an attack are.
    """

    @functools.wraps(function)
    def run(model: Model, images: Tensor, labels: Any = None, **options: Any) -> Tensor:
        check_bounds(function.__name__, options)
        return _searched(function, model, as_images(images, model), labels, options)

    return run


def _searched(
    function: Callable[..., Tensor], model: Model, images: Tensor, labels: Any, options: dict[str, Any]
) -> Tensor:
    asked = model if isinstance(model, AskedModel) else AskedModel(model, images)
    images = images.float() if images.dtype in NARROW else images
    with torch.autocast(images.device.type, enabled=False) if asked.autocast else nullcontext():
        return function(asked, images, labels, **options)


class AskedModel:
    """A model as attacks ask it: in the type that it takes, in the caller's autocast, with logits of the points' type.

    Where it is first asked for a gradient, it warns of outputs that are probabilities.
    """

    def __init__(self, model: Model, images: Tensor) -> None:
        self.model, self.device = model, images.device.type
        self.kind = images.dtype if images.dtype in NARROW else None  # in which the model is asked
        enabled = torch.is_autocast_enabled(self.device)
        self.autocast = torch.get_autocast_dtype(self.device) if enabled else None
        self.asked = self.differentiated = False

    @property
    def task(self) -> str:
        """What the model's outputs are; it is known once the model was asked."""
        return getattr(self.model, "task", "classification")

    def __call__(self, points: Tensor) -> Tensor:
        """The model's logits."""
        with self._autocast():
            logits = self._first(points) if not self.asked else self.model(_in(points, self.kind))
        if points.requires_grad and not self.differentiated:
            self.differentiated = True
            _warn_of_probabilities(logits)
        if not isinstance(logits, Tensor) or logits.dtype == points.dtype or not logits.is_floating_point():
            return logits
        return logits.to(points.dtype)

    def _autocast(self) -> AbstractContextManager:
        return nullcontext() if self.autocast is None else torch.autocast(self.device, self.autocast)

    def _first(self, points: Tensor) -> Tensor:
        own, kind = _type_of(self.model), self.kind or points.dtype
        try:
            logits = self.model(_in(points, kind))
        except RuntimeError:
            if own is None or own == kind:
                raise
            self.kind = own
            logits = self.model(_in(points, own))
        self.asked = True
        return logits


def _warn_of_probabilities(logits: Any) -> None:
    if isinstance(logits, Tensor) and logits.dim() == 2 and len(logits) and are_probabilities(logits.detach()):
        blind = "whose gradients vanish where it is sure: an attack may be blind; give a model of logits"
        warnings.warn(f"{PROBABILITIES}, {blind}", GradientWarning, stacklevel=4)


def are_probabilities(outputs: Tensor) -> bool:
    """Whether outputs (n, C) are those of a softmax."""
    tolerance = 1e-2 if outputs.dtype in NARROW else 1e-4
    return bool((outputs >= 0).all()) and bool(((outputs.double().sum(1) - 1).abs() < tolerance).all())


def as_images(images: Any, model: Model) -> Tensor:
    """(N, ...) images in [0, 1]; those of an array in single precision, where the model is.

    What lies outside by no more than rounding is put inside.
    """
    if not isinstance(images, Tensor):
        try:
            images = torch.as_tensor(images)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(images).__name__
            wanted = "a tensor or an array (N, ...) in [0, 1]"
            raise AttackError(f"images are {wanted}, not a {kind}; interpret.read reads one") from error
        images = images.float() if images.dtype == torch.float64 else images
        images = images.to(next(model.parameters(), images).device) if isinstance(model, nn.Module) else images
    check_images(images)
    outside = images.numel() and bool(images.min() < 0 or images.max() > 1)
    return images.detach().clamp(0, 1) if outside else images


def _in(points: Tensor, kind: torch.dtype | None) -> Tensor:
    return points if kind is None else points.to(kind)


def _type_of(model: Model) -> torch.dtype | None:
    """The type of a module's weights."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next((weight.dtype for weight in weights if weight.is_floating_point()), None)


def _in_type_of(images: Tensor, found: Tensor, bounded: bool) -> Tensor:
    """Results in the narrow type of the images; with ``bounded`` no further from them than they were."""
    return added_within(images, found - images.to(found.dtype)) if bounded else found.to(images.dtype)
