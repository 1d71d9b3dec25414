"""`interp attack explanation`: the same picture, the same answer, another explanation."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from interpret.errors import InterpretError

from ...job.provenance import provenance
from ...job.results import Outputs, write_result
from ...job.sources import one_picture
from ...options.messages import Messages, tell
from ...options.network import ModelOptions
from ...options.numbers import Number
from ...options.output import output_option
from ...options.pictures import complete_pictures
from ...options.radius import Radius, check_radius
from ...options.record import argument, command, option
from ...options.types import COUNT

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier

PLACES = {"top-left": (0, 0), "top-right": (0, 1), "bottom-left": (1, 0), "bottom-right": (1, 1)}
# Those whose maps are made of one layer, and can be differentiated through.
METHODS = ("gradcam", "gradcam-plusplus", "layercam", "hirescam", "xgradcam")
CORNER = 1 / 3  # of the side


@dataclass(frozen=True)
class Move:
    """Which explanation is moved where, and how."""

    method: str = option("The method whose map is moved.", default="gradcam", type=click.Choice(METHODS))
    to: str = option("The corner that the map is moved to.", default="bottom-right", type=click.Choice([*PLACES]))
    layer: str | None = option("The layer that the method looks at; by default the last feature map.", metavar="LAYER")
    eps: float = option("The largest change of a value of the picture.", default="8/255", type=Radius())
    steps: int = option("How many steps are taken.", default=100, type=COUNT)
    tolerance: float = option("How far the probability of the answer may change.", default=0.05, type=Number(0.0, 1.0))


@command(short_help="Attack on an explanation: it moves, and the prediction stays.")
def explanation(
    *,
    picture: str = argument(default="sample:lemur", shell_complete=complete_pictures),
    move: Move,
    output: str | None = output_option(),
    model: ModelOptions,
    messages: Messages,
) -> None:
    """Move what an explanation of a PICTURE, by default sample:lemur, shows, while the network's answer stays.

    The picture is written as PNG and read back; it looks and is classified the same, but the map points
    to a corner. That a map can be moved so says how far to trust it.

    Explanations can be manipulated (Dombrowski et al. 2019): https://arxiv.org/abs/1906.07983
    """
    from interpret.figures.attacks import explanation_figure
    from interpret.images.files import read, to_pil
    from interpret.single_label import of_top_label

    source = one_picture(picture)
    outputs = Outputs(output, [source])
    if outputs.suffix != ".png":
        raise InterpretError(f"{outputs.suffix} would change what was found; write .png")
    check_radius(move.eps)
    classifier = model.open()
    image = source.read().to(classifier.mean.device)
    classifier = of_top_label(classifier, image)
    manipulated = _Manipulated(classifier, image, classifier.predict(image), move)
    found = manipulated.attack()
    about = provenance("attack explanation", model, classifier, picture=source.shown, options=asdict(move))
    path = outputs.place(source.inside.with_suffix(""), "explanation", move.to)
    write_result(path, to_pil(found.cpu()), about)
    if path is None:
        return
    found = read(path).to(image)
    messages.note(manipulated.sentence(found))
    drawn = path.with_name(f"{path.stem}_figure.png")
    figure = explanation_figure(classifier, image, found, method=move.method.replace("-", "_"), layer=move.layer)
    write_result(drawn, figure, about)
    for written in (path, drawn):
        tell(str(written))


@dataclass(frozen=True)
class _Manipulated:
    """One picture whose explanation is moved."""

    classifier: "Classifier"
    image: "Tensor"  # (1, 3, H, W) in [0, 1]
    labels: "Tensor"  # (1,) the class that is explained, and stays
    move: Move

    def maps(self, images: "Tensor") -> "Tensor":
        """The method's core: maps of pictures (1, C, H, W), of the layer's resolution, with a graph."""
        from interpret.classifier import on_input_grid
        from interpret.explainers import explainer_named
        from interpret.layer_outputs import layer_of

        view, inputs, _ = on_input_grid(self.classifier, images)
        layer = layer_of(view, inputs, self.move.layer)
        return explainer_named(self.move.method.replace("-", "_")).__wrapped__(view, inputs, self.labels, layer=layer)

    def attack(self) -> "Tensor":
        """The picture, within eps, whose map points to the corner."""
        import torch

        from attacks import attack_named

        with torch.enable_grad():
            goal = torch.zeros_like(self.maps(self.image))
        rows, columns = (max(1, round(side * CORNER)) for side in goal.shape[-2:])
        down, across = PLACES[self.move.to]
        row, column = slice(-rows, None) if down else slice(rows), slice(-columns, None) if across else slice(columns)
        goal[..., row, column] = 1
        chosen = {name: getattr(self.move, name) for name in ("eps", "steps", "tolerance")}
        run = attack_named("explanation")
        return run(self.classifier, self.image, self.labels, explain=self.maps, goal=goal, quantize=True, **chosen)

    def sentence(self, found: "Tensor") -> str:
        """Whether the map has moved and the answer has not."""
        import torch

        with torch.no_grad():
            logits = (self.classifier(images)[0] for images in (self.image, found))
            before, after = map(self.classifier.probabilities, logits)
        row, column = _peak(self.maps(found).detach())
        down, across = PLACES[self.move.to]
        there = abs(row - down) < CORNER + 1e-6 and abs(column - across) < CORNER + 1e-6
        index, now = int(self.labels[0]), int(after.argmax())
        levels = float((found - self.image).abs().max()) * 255
        moved = f"{'moved' if there and now == index else 'not moved'} to the {self.move.to}"
        name = self.classifier.name
        return (
            f"{moved}: the peak lies {row:.0%} down and {column:.0%} across; "
            f"{name(index)} {before[index]:.2f} -> {name(now)} {after[index]:.2f}, Linf {levels:.4g}/255"
        )


def _peak(maps: "Tensor") -> tuple[float, float]:
    """Where a map (1, 1, u, v) is highest: shares of its height and width, at the middle of the value."""
    height, width = maps.shape[-2:]
    row, column = divmod(int(maps.flatten().argmax()), width)
    return (row + 0.5) / height, (column + 0.5) / width
