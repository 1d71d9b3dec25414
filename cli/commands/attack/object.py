"""`interp attack object`: a solid whose texture makes it look like something else from every side."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...job.provenance import provenance
from ...job.results import Outputs, write_result
from ...job.sources import one_picture
from ...options.classes import class_option
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.numbers import Number
from ...options.output import json_option, output_option
from ...options.pictures import complete_pictures, seed_option
from ...options.radius import Radius, check_radius
from ...options.record import command, option
from ...options.safety import Written
from ...options.types import COUNT
from ..optimised import check_animation, save_animation

if TYPE_CHECKING:
    from torch import Tensor

    from attacks.solids.mesh import Mesh
    from interpret.classifier import Classifier

SIZE = 224  # of views where a network takes any size
VIEWS, FRAMES, FRAME_SIDE = 8, 36, 224


@dataclass(frozen=True)
class SolidOptions:
    """What is attacked, and for how long."""

    solid: str = option(
        "The solid: sphere, cube, or an .obj file with places on a texture.", default="sphere", metavar="SOLID"
    )
    target: str = class_option("What the network is to see; by default a ladybug.")
    texture: str | None = option(
        "The picture that is on the solid at first; by default mid grey.",
        metavar="PICTURE",
        shell_complete=complete_pictures,
    )
    eps: float | None = option("The largest change of a value of the texture; by default any.", type=Radius())
    texels: int = option(
        "The side of the texture in pixels, where no picture is given.", default=64, type=Number(1, 4096)
    )
    steps: int = option("How many steps the texture is trained for.", default=320, type=COUNT)
    views: int = option("How many random views each step looks at.", default=6, type=COUNT)
    poses: int = option("How many other random views it is judged from.", default=200, type=COUNT)
    seed: int = seed_option()


@command("object", short_help="A solid that is seen as something else from every side.")
def textured(
    *,
    chosen: SolidOptions,
    gif: str | None = option(
        "Also write a turn on a turntable to this .gif, .webp or .mp4.", type=Written(dir_okay=False)
    ),
    output: str | None = output_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """A solid whose texture makes a network see --target from whichever side.

    The texture is trained on random views, any side up, near and far, in any light and on any background, and judged on
    views that it has not seen, once its PNG is read back; beside it stand the texture that it began with and a random
    one. Written are the texture and a figure of eight views.

    Synthesizing robust adversarial examples (Athalye et al. 2018): https://arxiv.org/abs/1707.07397
    """
    from attacks.solids.mesh import solid_named
    from interpret.images.files import read, to_pil

    outputs = Outputs(output or "object.png", [])
    if outputs.suffix != ".png":
        raise InterpretError(f"{outputs.suffix} would change what was found; write .png")
    if outputs.to_stdout:
        raise InterpretError("there are several results; give -o a file or a folder")
    check_animation(gif)
    check_radius(chosen.eps)
    mesh = solid_named(chosen.solid)
    start = None if chosen.texture is None else one_picture(chosen.texture).read()[0]
    target = chosen.target or "ladybug"
    model.check_classes(target)
    classifier = model.open()
    job = _Textured(classifier, mesh, _index(classifier, target), chosen, start)
    path = outputs.place(Path("object"))
    made = job.train(messages)
    about = provenance("attack object", model, classifier, options={**vars(chosen), "target": target})
    write_result(path, to_pil(made.cpu()), about)
    made = read(path)[0].to(made)
    hits = job.hits(made)
    seen = f"seen as {classifier.name(job.target)} in {hits['share']} of {chosen.poses} views it was not made for"
    messages.note(f"{seen}; before in {hits['before']}, with a random texture in {hits['random']}")
    drawn = path.with_name(f"{path.stem}_figure.png")
    write_result(drawn, job.figure(made, seen), about)
    written = [str(path), str(drawn)]
    if gif:
        save_animation(gif, job.frames(made))
        written.append(gif)
    if as_json:
        tell(json.dumps({"path": str(path), **_shares(hits, chosen.poses), **about}))
    else:
        for line in written:
            tell(line)


def _shares(hits: dict[str, int], poses: int) -> dict[str, Any]:
    from attacks.evaluation.robust_accuracy import interval

    told = {name: number / poses for name, number in hits.items()}
    return {**told, "interval": interval(hits["share"], poses), "poses": poses}


def _index(classifier: "Classifier", target: str) -> int:
    if classifier.labels is None:
        if not target.isdecimal():
            raise InterpretError(f"the network's classes have no names; --target is a number, not {target!r}")
        return int(target)
    found = classifier.labels.find(target).indices
    if len(found) > 1:
        raise InterpretError(f"{target!r} is {len(found)} classes; name one, such as {classifier.name(found[0])}")
    return int(found[0])


@dataclass(frozen=True)
class _Textured:
    """One solid that is attacked."""

    classifier: "Classifier"
    mesh: "Mesh"
    target: int
    chosen: SolidOptions
    start: "Tensor | None"  # (3, T, U)

    @property
    def size(self) -> tuple[int, int]:
        return self.classifier.input_size or (SIZE, SIZE)

    def train(self, messages: Messages) -> "Tensor":
        """The texture (3, T, U) that is found."""
        from attacks.solids.texture import train_texture
        from interpret.progress import progress_bar

        own = {name: getattr(self.chosen, name) for name in ("eps", "texels", "steps", "seed")}
        own |= {"start": self.start, "poses": self.chosen.views, "size": self.size}
        with progress_bar(self.chosen.steps, "texture", "step") as bar, messages.noting_warnings():
            return train_texture(
                self.classifier.on_inputs(),
                self.mesh,
                self.target,
                device=self.classifier.mean.device,
                watch=lambda step, share: bar.update(),
                **own,
            )

    def hits(self, made: "Tensor") -> dict[str, int]:
        """In how many of the views the target is seen, with this texture and with two others."""
        import torch

        draw = torch.Generator().manual_seed(self.chosen.seed + 2)
        before = torch.full_like(made, 0.5) if self.start is None else self.start.to(made)
        others = {"before": before, "random": torch.rand(made.shape, generator=draw).to(made)}
        return {name: self._hits(texture) for name, texture in {"share": made, **others}.items()}

    def _hits(self, texture: "Tensor") -> int:
        from attacks.solids.texture import seen_from_sides

        options = {"poses": self.chosen.poses, "seed": self.chosen.seed + 1, "size": self.size}
        seen = seen_from_sides(self.classifier.on_inputs(), self.mesh, texture, **options)
        return int((seen == self.target).sum())

    def figure(self, made: "Tensor", title: str) -> object:
        """Eight views from around, with what is seen in each."""
        import torch

        from interpret.figures.views import views_figure

        images, captions = [], []
        for number in range(VIEWS):
            picture = self._turned(made, number / VIEWS, self.size)
            with torch.no_grad():
                logits = self.classifier.on_inputs()(picture[None])[0]
            images.append(picture[None])
            captions.append(self.classifier.shown(logits, int(logits.argmax())))
        return views_figure(images, captions, title=title)

    def frames(self, made: "Tensor") -> list:
        """The pictures of one turn."""
        from interpret.images.files import to_pil

        size = (FRAME_SIDE, FRAME_SIDE)
        return [to_pil(self._turned(made, number / FRAMES, size).cpu()) for number in range(FRAMES)]

    def _turned(self, made: "Tensor", share: float, size: tuple[int, int]) -> "Tensor":
        from attacks.solids.views import turned, view_of

        return view_of(self.mesh, turned(share), size).to(made.device).picture(made).clamp(0, 1)
