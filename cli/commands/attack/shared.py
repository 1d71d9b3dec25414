"""`interp attack patch` and `universal`: one change for all pictures, tried on pictures that were held out."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interpret.bundled import samples
from interpret.errors import InterpretError

from ...job.provenance import provenance
from ...job.results import RAW, Outputs, write_result
from ...job.sources import Source, find_pictures
from ...options.classes import class_option
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.numbers import Number
from ...options.output import output_option
from ...options.pictures import OptionalPictures, PictureOptions, seed_option
from ...options.radius import Radius, check_radius
from ...options.record import command, option
from ...options.types import COUNT

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

    from interpret.classifier import Classifier

HELD_OUT = 4  # every fourth picture


@dataclass(frozen=True)
class SharedOptions:
    """What both commands take."""

    target: str | None = class_option("What the network is to see.")
    steps: int = option("How many steps the change is trained for.", default=200, type=COUNT)
    seed: int = seed_option()


@dataclass(frozen=True)
class PatchOptions:
    """How a patch lies on pictures."""

    share: float = option("The share of a picture's area that the patch covers.", default=0.2, type=Number(0.01, 0.8))
    shape: Literal["circle", "square"] = option("The shape of the patch.", default="circle")
    degrees: float = option("How many degrees it may be turned, to either side.", default=20.0)


@command(short_help="The adversarial patch: a print that fools wherever it lies.")
def patch(
    *,
    placement: PatchOptions,
    pictures: OptionalPictures,
    shared: SharedOptions,
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """A printable patch that makes a network see --target wherever it lies (by default a toaster).

    It is trained on three quarters of the pictures (by default the bundled photos), at random places and
    angles, and tried on the others. Written are the patch and a figure of it at work.

    The adversarial patch (Brown et al. 2017): https://arxiv.org/abs/1712.09665
    """
    from attacks.evaluation.held_out import patch_success
    from attacks.patch import train_patch
    from attacks.transforms.patch_placement import apply_patch, cut_out
    from interpret.images.files import in_colour, to_pil

    outputs = Outputs(output or "patch.png", [])
    if outputs.suffix in RAW:
        raise InterpretError(f"a patch is a picture; {outputs.suffix} holds numbers")
    target, laid = shared.target or "toaster", asdict(placement)
    data = _HeldOut.read(pictures, target, model, messages)
    labels = data.classifier.find(target, data.train[:1])
    every = labels.expand(len(data.train))
    with messages.noting_warnings():
        made = train_patch(data.view, data.train, every, targeted=True, steps=shared.steps, seed=shared.seed, **laid)
    wanted, seed = labels.expand(len(data.held)), shared.seed + 1
    hits = patch_success(data.view, data.held, made, wanted, seed=seed, **laid)
    messages.note(f"{hits:.0%} of {len(data.held)} held-out pictures, at 3 places each, are a {target}")
    side = 4 * made.shape[-1]
    picture = to_pil(in_colour(cut_out(made, placement.shape)[None]).cpu()).resize((side, side), 1)  # Lanczos, to print
    figure = data.figure(picture, apply_patch(data.held, made, seed=seed, **laid), "the patch")
    told = {**laid, "target": target, "steps": shared.steps, "seed": shared.seed}
    about = provenance("attack patch", model, data.classifier, pictures=data.count, options=told)
    _write(outputs, "patch", picture, figure, about)


@command(short_help="Universal perturbation: one change that fools on most pictures.")
def universal(
    *,
    eps: float = option("The largest change of a value.", default="10/255", type=Radius()),
    pictures: OptionalPictures,
    shared: SharedOptions,
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """One perturbation that fools a network on most pictures it is added to.

    It is trained on three quarters of the pictures (by default the bundled photos) and tried on the
    others, beside random signs of the same size. Written are the perturbation, magnified around grey,
    a figure of it at work, and the exact values where -o ends in .npy.

    Universal adversarial perturbations (Shafahi et al. 2020): https://arxiv.org/abs/1811.11304
    """
    import torch

    from attacks.evaluation.held_out import perturbation_success
    from attacks.universal import universal_perturbation
    from interpret.images.files import in_colour, to_pil

    check_radius(eps)
    outputs = Outputs(output or "universal.png", [])
    target = shared.target
    data = _HeldOut.read(pictures, target, model, messages)
    labels = wanted = None
    if target is not None:
        index = data.classifier.find(target, data.train[:1])
        labels, wanted = index.expand(len(data.train)), index.expand(len(data.held))
    chosen = {"eps": eps, "targeted": target is not None, "steps": shared.steps, "seed": shared.seed}
    with messages.noting_warnings():
        found = universal_perturbation(data.view, data.train, labels, batch_size=8, **chosen)
    signs = torch.randint(2, found.shape, generator=torch.Generator().manual_seed(shared.seed)).to(found) * 2 - 1
    share, by_chance = (
        perturbation_success(data.view, data.held, change, wanted, targeted=target is not None)
        for change in (found, signs * eps)
    )
    what = "are seen as something else" if target is None else f"are a {target}"
    messages.note(f"{share:.0%} of {len(data.held)} held-out pictures {what}; with random signs {by_chance:.0%}")
    picture = to_pil(in_colour((0.5 + found.cpu() / (2 * eps or 1)).clamp(0, 1)[None]))
    figure = data.figure(picture, (data.held + found).clamp(0, 1), f"the perturbation x {0.5 / eps:.0f}")
    told = {"eps": eps, "target": target, "steps": shared.steps, "seed": shared.seed}
    about = provenance("attack universal", model, data.classifier, pictures=data.count, options=told)
    result = {"perturbation": found.cpu().numpy()} if outputs.suffix in RAW else picture
    _write(outputs, "universal", result, figure, about)


@dataclass(frozen=True)
class _HeldOut:
    """Pictures on the network's input grid, some of them held out."""

    classifier: "Classifier"
    train: "Tensor"  # (N, 3, h, w) in [0, 1]
    held: "Tensor"  # (M, 3, h, w)

    @classmethod
    def read(cls, pictures: PictureOptions, target: str | None, model: ModelOptions, messages: Messages) -> "_HeldOut":
        """The pictures that a command was given, by default the bundled photos; a wrong target is found before."""
        import torch

        from interpret.datasets.batches import stacked_inputs

        photos = tuple(f"sample:{name}" for name in samples() if not name.startswith("painting"))
        sources = find_pictures(pictures.pictures or photos, pictures.recursive)
        if len(sources) < 2:
            raise InterpretError("one change for all pictures needs several pictures")
        model.check_classes(target)
        classifier = model.open()

        def failed(source: Source, error: Exception) -> None:
            messages.failure(source.shown, error)

        every = stacked_inputs(sources, classifier, failed, read=Source.read)
        held = torch.arange(len(every)) % HELD_OUT == HELD_OUT - 1
        held[-1] |= not held.any()
        return cls(classifier, every[~held], every[held])

    @property
    def view(self) -> "Classifier":
        """The classifier for pictures on its input grid."""
        return self.classifier.on_inputs()

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.train) + len(self.held)

    def figure(self, made: "Image", attacked: "Tensor", title: str) -> "Figure":
        """What was made, and held-out pictures with it, with what the network sees in them."""
        from interpret.figures.attacks import shared_change_figure

        return shared_change_figure(self.view, made, self.held, attacked, title=title)


def _write(outputs: Outputs, name: str, result: object, figure: "Figure", about: dict[str, Any]) -> None:
    path = outputs.place(Path(name))
    write_result(path, result, about)
    if path is not None:
        drawn = path.with_name(f"{path.stem}_figure.png")
        write_result(drawn, figure, about)
        for written in (path, drawn):
            tell(str(written))
