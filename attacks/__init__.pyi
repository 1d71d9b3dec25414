# Made by `python -m tests.typing.stubs`.
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from .answers import from_labels as from_labels
from .answers import from_scores as from_scores
from .core.contract import attack as attack
from .core.losses import Loss
from .core.model import Model
from .core.seeds import Seed
from .detectors.hiding import hiding_patch_laid as hiding_patch_laid
from .detectors.hiding import missed as missed
from .detectors.hiding import train_hiding_patch as train_hiding_patch
from .errors import AttackError as AttackError
from .errors import BudgetWarning as BudgetWarning
from .errors import GradientWarning as GradientWarning
from .patch import train_patch as train_patch
from .solids.mesh import solid_named as solid_named
from .solids.texture import seen_from_sides as seen_from_sides
from .solids.texture import train_texture as train_texture
from .training.fit import History as History
from .training.fit import train as train
from .transforms.destruction import destruction_rate as destruction_rate
from .transforms.patch_placement import apply_patch as apply_patch
from .transforms.random_transforms import ANY_POSE as ANY_POSE
from .transforms.random_transforms import PRINT_AND_PHOTOGRAPH as PRINT_AND_PHOTOGRAPH
from .transforms.random_transforms import Transform
from .transforms.random_transforms import transformed as transformed
from .universal import universal_perturbation as universal_perturbation

__all__ = [
    "ANY_POSE",
    "ATTACKS",
    "AttackError",
    "BudgetWarning",
    "GradientWarning",
    "History",
    "PRINT_AND_PHOTOGRAPH",
    "apgd",
    "apply_patch",
    "attack",
    "autoattack",
    "bim",
    "carlini_wagner",
    "ddn",
    "deepfool",
    "destruction_rate",
    "eot",
    "explanation",
    "fab",
    "fgsm",
    "fmn",
    "from_labels",
    "from_scores",
    "hiding_patch_laid",
    "hopskipjump",
    "jsma",
    "lbfgs",
    "mifgsm",
    "missed",
    "one_pixel",
    "patch",
    "pgd",
    "physical",
    "seen_from_sides",
    "solid_named",
    "square",
    "train",
    "train_hiding_patch",
    "train_patch",
    "train_texture",
    "transformed",
    "universal",
    "universal_perturbation",
]
ATTACKS: dict[str, str]

def attack_named(name: str) -> Any: ...
def fgsm(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    random_start: bool = False,
    step_size: float | Tensor | None = None,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One step along the sign of the gradient, as long as the ball allows (section 4)."""

def bim(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor = 8 / 255,
    step_size: float | Tensor = 1 / 255,
    steps: int | None = None,
    least_likely: bool = False,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The fast gradient sign method in small steps, from the image itself (section 2.2)."""

def pgd(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    step_size: float | Tensor | None = None,
    steps: int = 40,
    random_start: bool = True,
    restarts: int = 1,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
    start: Tensor | None = None,
) -> Tensor:
    """Steps along the gradient, each projected back into the ball."""

def mifgsm(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    step_size: float | Tensor | None = None,
    steps: int = 10,
    decay: float = 1.0,
    random_start: bool = False,
    loss: str | Loss = "cross_entropy",
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Steps along a decaying sum of gradients, which transfers better to other networks."""

def apgd(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    steps: int = 100,
    restarts: int = 1,
    loss: str | Loss | None = None,
    target_classes: int = 0,
    targeted: bool = False,
    stop_when_fooled: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """PGD with momentum that halves its step, and returns to the best point, when the loss stops rising."""

def square(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
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
    """Random search with squares that shrink, from the model's outputs alone."""

def autoattack(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    steps: int = 100,
    queries: int = 5000,
    target_classes: int = 9,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """The standard ensemble (section 5): APGD on cross-entropy, APGD-T, FAB-T and Square, each on the samples left."""

def fab(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    norm: str = "L2",
    steps: int = 100,
    target_classes: int = 0,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """The smallest change that fools, by steps onto the linearised boundary that are drawn to the clean image."""

def deepfool(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    norm: str = "L2",
    steps: int = 50,
    overshoot: float = 0.02,
    candidates: int = 10,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Step to the nearest boundary of the linearised model, until a boundary is crossed."""

def carlini_wagner(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    confidence: float = 0.0,
    steps: int = 200,
    step_size: float | None = None,
    searches: int = 6,
    first_weight: float | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Minimise the distance plus a weighted loss, with the smallest weight that fools."""

def ddn(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    steps: int = 100,
    step_size: float = 1.0,
    first_eps: float | None = None,
    change: float = 0.05,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Gradient steps on a sphere that shrinks while they fool, and grows while they do not (algorithm 1)."""

def fmn(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    norm: str = "Linf",
    steps: int = 100,
    step_size: float | None = None,
    change: float = 0.05,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Projected gradient steps in a ball whose radius converges to the distance of the boundary (algorithm 1)."""

def lbfgs(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    steps: int = 30,
    searches: int = 8,
    first_weight: float | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Minimise the distance plus a weighted cross-entropy, with the smallest weight that fools (section 4.1)."""

def jsma(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    change: float = 1.0,
    fraction: float = 0.145,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
) -> Tensor:
    """Change the two values that are most salient for a class, again and again, until it wins (algorithm 2)."""

def hopskipjump(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
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
    """Walk along the boundary towards the image, from nothing but which class the model answers (algorithm 2)."""

def one_pixel(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    pixels: int = 1,
    population: int = 400,
    steps: int = 100,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Search for a few pixels and their colours by differential evolution, without gradients (section 3.3)."""

def eot(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor | None = None,
    norm: str = "Linf",
    transforms: Sequence[Transform] = ...,
    samples: int = 8,
    step_size: float | Tensor | None = None,
    steps: int = 40,
    random_start: bool = False,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """Steps along the gradient averaged over random transforms, through which the result still fools."""

def physical(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | Tensor = 16 / 255,
    step_size: float | Tensor | None = None,
    steps: int = 40,
    samples: int = 4,
    transforms: Sequence[Transform] = ...,
    targeted: bool = False,
    quantize: bool = True,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """The basic iterative method, through a simulation of printing, photographing and cutting out."""

def universal(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    eps: float | None = None,
    norm: str = "Linf",
    step_size: float | None = None,
    steps: int = 200,
    pictures: int = 20,
    decay: float = 0.9,
    limit: float = 9.0,
    transforms: Sequence[Transform] | None = None,
    targeted: bool = False,
    quantize: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One perturbation for all images, and for others like them."""

def patch(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    share: float | tuple[float, float] = 0.25,
    shape: str = "circle",
    degrees: float = 20,
    steps: int = 300,
    pictures: int = 8,
    step_size: float = 0.05,
    smoothness: float = 10.0,
    transforms: Sequence[Transform] = (),
    targeted: bool = False,
    batch_size: int | None = None,
    seed: Seed = 0,
) -> Tensor:
    """One patch for all images, laid on each at a place of its own."""

def explanation(
    model: Model,
    images: Tensor | Any,
    labels: Any = None,
    *,
    explain: Callable[[Tensor], Tensor],
    goal: Tensor,
    eps: float | Tensor = 8 / 255,
    steps: int = 200,
    step_size: float | None = None,
    tolerance: float = 0.05,
    quantize: bool = False,
) -> Tensor:
    """Change what an explanation shows, and nothing else (Dombrowski et al., eq. 4)."""

def __dir__() -> list[str]: ...
