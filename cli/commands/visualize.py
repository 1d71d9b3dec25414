"""`interp visualize`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import options
from ..drawn import check_animation, write_animation
from ..expressions import objective_of
from ..outputs import slug, write_result

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

    from interpret.classifier import Classifier
    from interpret.drawing.objectives import Objective


@click.command()
@click.argument("what", nargs=-1, required=True, shell_complete=options.complete_classes)
@click.option(
    "--image",
    "parametrisation",
    type=click.Choice(["fourier", "maco", "pixels"]),
    default="fourier",
    show_default=True,
    help="How the picture is written down: frequencies and decorrelated colours; phases alone; or pixels.",
)
@click.option("--size", type=click.IntRange(8), help="Side of the picture; the network's input by default.")
@click.option("--steps", type=click.IntRange(1), default=96, show_default=True, help="Of the optimisation.")
@click.option("--copies", type=click.IntRange(1), default=2, show_default=True, help="Random views a step.")
@click.option("--transforms/--no-transforms", default=True, show_default=True, help="Whether to look from many sides.")
@click.option("--smoothness", type=float, default=50, show_default=True, help="Weight against small differences.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "nesterov", "rmsprop", "adam"]),
    default="adam",
    show_default=True,
    help="What takes the steps.",
)
@click.option("--learning-rate", type=float, help="Of the optimiser; 0.03, or 0.3 for maco.")
@click.option("--curve", type=click.Path(), help="Draw the objective over the steps into this file too.")
@click.option("--diversity", type=click.IntRange(1), default=1, show_default=True, help="Pictures that differ.")
@click.option("--apart-in", metavar="LAYER", help="Where they differ; the expression's layer, or the last map.")
@click.option("--negative", is_flag=True, help="Draw what lowers it as well.")
@click.option("--gif", type=click.Path(), help="The way there, as an animation.")
@click.option("--every", type=click.IntRange(1), default=4, show_default=True, help="Steps between its frames.")
@click.option("-o", "--output", type=click.Path(), help="The picture's file; named after what is drawn by default.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the start and the views.")
@options.model_options
@options.message_options
def visualize(what: tuple[str, ...], output: str | None, **settings: Any) -> None:
    """Draw what raises a class, a channel or a layer; several WHATs make a grid.

    \b
    interp visualize goldfish
    interp visualize "tabby + 0.5 x espresso" "volcano - goldfish"
    interp visualize _blocks.9:44 _blocks.9:44@7,7 _blocks.9

    Names are classes; LAYER:CHANNEL is a channel, LAYER:CHANNEL@ROW,COLUMN one neuron, and LAYER a
    whole layer. Ctrl-C keeps the picture so far.
    """
    asked = {name: settings[name] for name in ("model", "weights")}
    quiet = settings.pop("quiet")
    settings.pop("verbose")
    check_animation(settings["gif"])
    classifier = options.open_classifier(settings)
    wanted = []
    for text in what:
        objective = objective_of(text, classifier)
        wanted.append((text, objective))
        if settings["negative"]:
            wanted.append((f"not {text}", -objective))
    path = Path(output) if output else Path("_".join(slug(text) for text in what)[:80] + "_visualize.png")
    drawn, curves, frames = [], {}, []
    for text, objective in wanted:
        pictures, scores = _draw(classifier, objective, settings, frames)
        drawn += [(text, picture) for picture in pictures]
        curves[text] = scores
        options.note(f"{text}: {objective.name} rose from {scores[0]:.4g} to {scores[-1]:.4g}", quiet)
    about = {"command": "visualize", "what": list(what), **asked, **settings}
    _write(path, drawn, about)
    if settings["curve"]:
        _tell(Path(settings["curve"]), _curve(curves), about)
    if settings["gif"]:
        write_animation(settings["gif"], frames)


def _draw(
    classifier: "Classifier", objective: "Objective", settings: dict[str, Any], frames: list["Image"]
) -> tuple[list["Tensor"], list[float]]:
    """The pictures of one expression, and the objective at every step."""
    from interpret.drawing.feature_visualization import visualize as draw
    from interpret.pictures import to_pil

    scores: list[float] = []

    def watch(step: Any) -> None:
        scores.append(float(step.scores.mean()))
        if settings["gif"] and step.number % settings["every"] == 0:
            frames.append(to_pil(_coloured(step.image[:1])))

    maco = settings["parametrisation"] == "maco"
    extra = {} if settings["transforms"] else {"transform": None}
    images = draw(
        classifier,
        objective,
        image=_start(classifier, settings),
        steps=settings["steps"],
        copies=settings["copies"],
        learning_rate=settings["learning_rate"] or (0.3 if maco else 0.03),
        optimizer=settings["optimizer"],
        smoothness=settings["smoothness"],
        diversity=_where_apart(classifier, objective, settings),
        seed=settings["seed"],
        watch=watch,
        **extra,
    )
    return list(images.split(1)), scores


def _start(classifier: "Classifier", settings: dict[str, Any]) -> "nn.Module":
    import torch

    from interpret.drawing.parametrisations import Fourier, Maco, Pixels

    size = settings["size"] or classifier.input_size or 224
    shape = {"count": settings["diversity"], "channels": len(classifier.mean), "seed": settings["seed"]}
    device = classifier.mean.device
    if settings["parametrisation"] == "fourier":
        return Fourier(size, **shape).to(device)
    if settings["parametrisation"] == "maco":
        return Maco(size, **shape).to(device)
    height, width = (size, size) if isinstance(size, int) else size
    generator = torch.Generator().manual_seed(settings["seed"])
    grey = 0.5 + 0.01 * torch.randn(shape["count"], shape["channels"], height, width, generator=generator)
    return Pixels(grey.clamp(0, 1)).to(device)


def _where_apart(classifier: "Classifier", objective: "Objective", settings: dict[str, Any]) -> str | None:
    """The layer in which several pictures of one expression shall differ."""
    import torch

    from interpret.hooks import find_layer
    from interpret.layers import default_layer

    if settings["diversity"] == 1:
        return None
    if settings["apart_in"]:
        find_layer(classifier.network, settings["apart_in"])
        return settings["apart_in"]
    if objective.layers:
        return sorted(objective.layers)[0]
    height, width = classifier.input_size or (224, 224)
    grey = torch.full((1, len(classifier.mean), height, width), 0.5, device=classifier.mean.device)
    return default_layer(classifier.network, grey, classifier.on_inputs())


def _coloured(image: "Tensor") -> "Tensor":
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image


def _write(path: Path, drawn: list[tuple[str, "Tensor"]], about: dict[str, Any]) -> None:
    from interpret.pictures import to_pil

    pictures = [to_pil(_coloured(picture)) for _, picture in drawn]
    if len(pictures) == 1:
        return _tell(path, pictures[0], about)
    from matplotlib.figure import Figure

    columns = min(len(pictures), 4 if len(pictures) != 6 else 3)
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.85 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel in panels:
        panel.set_axis_off()
    for panel, (text, _), picture in zip(figure.axes, drawn, pictures, strict=False):
        panel.imshow(picture)
        panel.set_title(text if len(text) < 34 else text[:32] + "…", fontsize=9)
    return _tell(path, figure, about)


def _curve(curves: dict[str, list[float]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for text, scores in curves.items():
        axes.plot(scores, label=f"\u200b{text}")  # matplotlib hides labels that begin with an underscore
    axes.set(xlabel="step", ylabel="objective")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _tell(path: Path, result: Any, about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_result(path, result, about)
    options.tell(str(path))
