"""`interp attack patch` and `universal`: one change for all pictures, tried on pictures that were held out."""

from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError, PictureError

from .. import options
from ..drawn import about_run
from ..inputs import find_pictures
from ..outputs import Outputs, output_option, write_result

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from interpret.classifier import Classifier

HELD_OUT = 4  # every fourth picture

common_options = options.applied(
    click.argument("pictures", nargs=-1, metavar="[PICTURE...]", shell_complete=options.complete_pictures),
    options.recursive_option,
    click.option("--target", metavar="CLASS", shell_complete=options.complete_classes, help="What shall be seen."),
    click.option("--steps", type=click.IntRange(1), default=200, show_default=True, help="Of the training."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
    output_option,
    options.model_options,
    options.message_options,
)


@click.command(short_help="A printable patch that fools wherever it lies.")
@click.option("--share", type=click.FloatRange(0.01, 0.8), default=0.2, show_default=True, help="Of a picture's area.")
@click.option("--shape", type=click.Choice(["circle", "square"]), default="circle", show_default=True)
@click.option("--degrees", type=float, default=20, show_default=True, help="How far it may turn, to either side.")
@common_options
def patch(share: float, shape: str, degrees: float, **settings: Any) -> None:
    """A printable patch that makes a network see --target wherever it lies (by default a toaster).

    It is trained on three quarters of the pictures (by default the bundled photos), at random places and
    angles, and tried on the others. Written are the patch and a figure of it at work.

    The adversarial patch (Brown et al. 2017): https://arxiv.org/abs/1712.09665
    """
    import torch

    from attacks.patch import train_patch
    from attacks.transforms.patch_placement import apply_patch
    from interpret.figures import shared_change_figure

    settings["target"] = settings["target"] or "toaster"
    work = _Work("patch", settings, {"share": share, "shape": shape, "degrees": degrees})
    labels = work.classifier.find(work.target, work.train[:1]).expand(len(work.train))
    laid = {"share": share, "shape": shape, "degrees": degrees}
    made = train_patch(work.view, work.train, labels, targeted=True, steps=work.steps, seed=work.seed, **laid)
    places = [apply_patch(work.held, made, seed=work.seed + draw + 1, **laid) for draw in range(3)]
    hits = torch.cat([work.view(patched).argmax(1) == labels[0] for patched in places])
    work.note(f"{hits.float().mean():.0%} of {len(work.held)} held-out pictures, at 3 places each, are a {work.target}")
    shown = _cut_out(made, shape)
    work.write(shown, figure=shared_change_figure(work.view, shown, work.held, places[0], title="the patch"))


@click.command(short_help="One perturbation that fools on most pictures.")
@click.option("--eps", type=options.Radius(), default="10/255", show_default=True, help="Radius of the Linf ball.")
@common_options
def universal(eps: float, **settings: Any) -> None:
    """One perturbation that fools a network on most pictures it is added to.

    It is trained on three quarters of the pictures (by default the bundled photos) and tried on the
    others, beside random signs of the same size. Written are the perturbation, magnified around grey,
    a figure of it at work, and the exact values where -o ends in .npy.

    Universal adversarial perturbations (Shafahi et al. 2020): https://arxiv.org/abs/1811.11304
    """
    import torch

    from attacks.core.labels import predictions
    from attacks.universal import universal_perturbation
    from interpret.figures import shared_change_figure

    work = _Work("universal", settings, {"eps": eps})
    labels, targeted = predictions(work.view, work.train), work.target is not None
    if targeted:
        labels = work.classifier.find(work.target, work.train[:1]).expand(len(work.train))
    found = universal_perturbation(
        work.view, work.train, labels, eps=eps, targeted=targeted, steps=work.steps, seed=work.seed, batch_size=8
    )
    before = predictions(work.view, work.held)
    signs = torch.randint(2, found.shape, generator=torch.Generator().manual_seed(work.seed)).to(found) * 2 - 1
    shares = []
    for change in (found, signs * eps):
        after = predictions(work.view, (work.held + change).clamp(0, 1))
        shares.append(float((after == labels[0] if targeted else after != before).float().mean()))
    what = f"are a {work.target}" if targeted else "are seen as something else"
    work.note(f"{shares[0]:.0%} of {len(work.held)} held-out pictures {what}; with random signs {shares[1]:.0%}")
    shown = _around_grey(found, eps)
    attacked = (work.held + found).clamp(0, 1)
    title = f"the perturbation x {0.5 / eps:.0f}"
    work.write(shown, figure=shared_change_figure(work.view, shown, work.held, attacked, title=title), raw=found)


class _Work:
    """The pictures on the network's input grid, some of them held out, and where the result goes."""

    def __init__(self, name: str, settings: dict[str, Any], asked: dict[str, Any]) -> None:
        import torch

        self.name, self.target = name, settings["target"]
        self.steps, self.seed, self.quiet = settings["steps"], settings["seed"], settings["quiet"]
        words = settings.pop("pictures") or _bundled()
        sources = find_pictures(words, settings.pop("recursive"))
        if len(sources) < 2:
            raise InterpretError("one change for all pictures needs several pictures")
        self.outputs = Outputs(settings.pop("output") or f"{name}.png", sources[:1])
        named = dict(settings)
        self.classifier: Classifier = options.open_classifier(settings)
        self.view = self.classifier.on_inputs()
        images = []
        for source in sources:
            try:
                images.append(self.classifier.prepare(source.read())[0].clamp(0, 1))
            except (PictureError, RuntimeError) as error:
                options.note_failure(source.shown, error, settings["verbose"])
        if len({image.shape for image in images}) != 1:
            raise InterpretError("the pictures differ in size; give --input-size")
        every = torch.cat(images).to(self.classifier.mean.device)
        held = torch.arange(len(every)) % HELD_OUT == HELD_OUT - 1
        held[-1] |= not held.any()
        self.train, self.held = every[~held], every[held]
        options_of_it = {**asked, "target": self.target, "steps": self.steps, "seed": self.seed}
        self.about = about_run(f"attack {name}", named, self.classifier, pictures=len(every), options=options_of_it)

    def note(self, text: str) -> None:
        options.note(text, self.quiet)

    def write(self, picture: Any, *, figure: "Figure", raw: "Tensor | None" = None) -> None:
        path = self.outputs.file
        exact = path.suffix in (".npy", ".npz")
        if exact and raw is None:
            raise InterpretError(f"a patch is a picture; {path.suffix} holds numbers")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_result(path, {"perturbation": raw.cpu().numpy()} if exact else picture, self.about)
        drawn = path.with_name(f"{path.stem}_figure.png")
        write_result(drawn, figure, self.about)
        for written in (path, drawn):
            options.tell(str(written))


def _bundled() -> tuple[str, ...]:
    from interpret.bundled import samples

    return tuple(f"sample:{name}" for name in samples() if not name.startswith("painting"))


def _cut_out(patch: "Tensor", shape: str) -> Any:
    """The patch as a Pillow picture, white outside the circle, to be printed and cut out."""
    import torch

    from interpret.images.files import to_pil

    side = patch.shape[-1]
    places = torch.linspace(-1, 1, side)
    inside = (places[:, None] ** 2 + places**2 <= 1) if shape == "circle" else torch.ones(side, side, dtype=torch.bool)
    picture = torch.where(inside, patch.cpu(), torch.ones(()))
    return to_pil(picture.expand(3, -1, -1)).resize((4 * side, 4 * side), 1)  # Lanczos; prints want pixels


def _around_grey(change: "Tensor", eps: float) -> Any:
    from interpret.images.files import to_pil

    return to_pil((0.5 + change.cpu() / (2 * eps or 1)).clamp(0, 1).expand(3, -1, -1))
