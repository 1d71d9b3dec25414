"""`interp attack explanation`: the same picture, the same answer, another explanation."""

from typing import TYPE_CHECKING, Any

import click

from interpret.errors import InterpretError

from .. import options
from ..drawn import about_run, one_picture
from ..outputs import Outputs, output_option, write_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from interpret.classifier import Classifier

PLACES = {"top-left": (0, 0), "top-right": (0, 1), "bottom-left": (1, 0), "bottom-right": (1, 1)}
# Those whose maps are made of one layer, and can be differentiated through.
METHODS = ("gradcam", "gradcam-plusplus", "layercam", "hirescam", "xgradcam")
CORNER = 1 / 3  # of the side


@click.command(short_help="Move what an explanation shows, and leave the prediction.")
@click.argument("picture", default="sample:lemur", shell_complete=options.complete_pictures)
@click.option("--method", type=click.Choice(METHODS), default="gradcam", show_default=True)
@click.option(
    "--to", "place", type=click.Choice([*PLACES]), default="bottom-right", show_default=True, help="Where to."
)
@click.option("--layer", metavar="LAYER", help="Of the method; the last feature map by default.")
@click.option("--eps", type=options.Radius(), default="8/255", show_default=True, help="Radius of the Linf ball.")
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--tolerance", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Change of the probability."
)
@output_option
@options.model_options
@options.message_options
def explanation(picture: str, method: str, place: str, eps: float, output: str | None, **settings: Any) -> None:
    """Move what an explanation of a PICTURE shows, while the network's answer stays what it is.

    The picture is written as PNG and read back; it looks and is classified the same, but the map points
    to a corner. That a map can be moved so says how far to trust it.

    Explanations can be manipulated (Dombrowski et al. 2019): https://arxiv.org/abs/1906.07983
    """
    import torch

    from interpret.figures import explanation_figure
    from interpret.images.files import read, to_pil

    source = one_picture(picture)
    outputs = Outputs(output, [source])
    if outputs.suffix != ".png":
        raise InterpretError(f"{outputs.suffix} would change what was found; write .png")
    named = dict(settings)
    classifier = options.open_classifier(settings)
    image = source.read().to(classifier.mean.device)
    with torch.no_grad():
        labels = classifier(image).argmax(1)
    explain = _differentiable(classifier, image, labels, method, settings["layer"])
    found = _attacked(classifier, image, labels, explain, place, eps=eps, **_chosen(settings))
    asked = {"method": method, "to": place, "eps": eps, **_chosen(settings), "layer": settings["layer"]}
    about = about_run("attack explanation", named, classifier, picture=source.shown, options=asked)
    path = outputs.place(source.inside.with_suffix(""), "explanation", place)
    write_result(path, to_pil(found.cpu()), about)
    if path is None:
        return
    found = read(path).to(image)
    options.note(_sentence(classifier, image, found, labels, explain, place), settings["quiet"])
    drawn = path.with_name(f"{path.stem}_figure.png")
    shown = {"method": method.replace("-", "_"), "layer": settings["layer"]}
    write_result(drawn, explanation_figure(classifier, image, found, **shown), about)
    for written in (path, drawn):
        options.tell(str(written))


def _chosen(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("steps", "tolerance")}


def _differentiable(
    classifier: "Classifier", image: "Tensor", labels: "Tensor", method: str, layer: str | None
) -> "Callable[[Tensor], Tensor]":
    """The method's core, from pictures (1, C, H, W) to maps of the layer's resolution, with a graph."""
    from interpret.classifier import layer_of, on_input_grid
    from interpret.explainers import explainer_named

    view, inputs, _ = on_input_grid(classifier, image)
    layer = layer_of(view, inputs, layer)
    core = explainer_named(method.replace("-", "_")).__wrapped__
    return lambda images: core(view, classifier.prepare(images)[0], labels, layer=layer)


def _attacked(
    classifier: "Classifier",
    image: "Tensor",
    labels: "Tensor",
    explain: "Callable[[Tensor], Tensor]",
    place: str,
    **asked: Any,
) -> "Tensor":
    import torch

    from attacks import attack_named

    with torch.enable_grad():
        goal = torch.zeros_like(explain(image))
    rows, columns = (max(1, round(side * CORNER)) for side in goal.shape[-2:])
    down, across = PLACES[place]
    goal[..., slice(-rows, None) if down else slice(rows), slice(-columns, None) if across else slice(columns)] = 1
    return attack_named("explanation")(classifier, image, labels, explain=explain, goal=goal, quantize=True, **asked)


def _peak(maps: "Tensor") -> tuple[float, float]:
    """Where a map (1, 1, u, v) is highest: shares of its height and width, at the middle of the value."""
    height, width = maps.shape[-2:]
    row, column = divmod(int(maps.flatten().argmax()), width)
    return (row + 0.5) / height, (column + 0.5) / width


def _sentence(
    classifier: "Classifier",
    image: "Tensor",
    found: "Tensor",
    labels: "Tensor",
    explain: "Callable[[Tensor], Tensor]",
    place: str,
) -> str:
    import torch

    with torch.no_grad():
        before, after = (classifier(images).softmax(1)[0] for images in (image, found))
    row, column = _peak(explain(found).detach())
    down, across = PLACES[place]
    there = abs(row - down) < CORNER + 1e-6 and abs(column - across) < CORNER + 1e-6
    index = int(labels[0])
    levels = float((found - image).abs().max()) * 255
    moved = f"{'moved' if there and int(after.argmax()) == index else 'not moved'} to the {place}"
    return (
        f"{moved}: the peak lies {row:.0%} down and {column:.0%} across; "
        f"{classifier.name(index)} {before[index]:.2f} -> {classifier.name(int(after.argmax()))} {after[index]:.2f}, "
        f"Linf {levels:.4g}/255"
    )
