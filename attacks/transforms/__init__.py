"""Changes of an image before a model sees it; differentiable, for attacks whose results are to survive them.

>>> from attacks.transforms import blur, jpeg, rotation, transformed
>>> seen = transformed(images, [rotation(10), blur(1), jpeg((50, 95))], seed=1)
"""

from .random_transforms import (
    ANY_POSE,
    PRINT_AND_PHOTOGRAPH,
    Transform,
    blur,
    brightness,
    colour,
    contrast,
    gaussian_noise,
    jpeg,
    mirror,
    perspective,
    resize,
    rotation,
    scale,
    shift,
    transformed,
)

__all__ = [
    "ANY_POSE",
    "PRINT_AND_PHOTOGRAPH",
    "Transform",
    "blur",
    "brightness",
    "colour",
    "contrast",
    "gaussian_noise",
    "jpeg",
    "mirror",
    "perspective",
    "resize",
    "rotation",
    "scale",
    "shift",
    "transformed",
]
