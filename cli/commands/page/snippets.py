"""What the page shows as lines of Python."""

from typing import TYPE_CHECKING, Any

from .gallery import Picture
from .studio import Studio

if TYPE_CHECKING:
    from ..explain.job import Result


def loaded(studio: Studio) -> str:
    """The line that loads the network."""
    from ...own_code import networks_in

    names = networks_in(studio.model.model)
    given = [repr(names[0] if len(names) == 1 else names)]
    for name in ("weights", "labels", "mean", "std", "input_size", "crop", "task"):
        value = getattr(studio.model, name)
        given += [] if value is None else [f"{name}={value!r}"]
    if studio.model.precision != "float32":
        given.append(f"precision={studio.model.precision!r}")
    return f"classifier = interpret.load({', '.join(given)})"


def python_lines(studio: Studio, picture: Picture, method: str, result: "Result") -> str:
    """The lines that make a map again, raw and as a picture."""
    return "\n".join(
        [
            "import interpret",
            "from interpret.figures.display import Display",
            "",
            loaded(studio),
            f"image = interpret.read({picture.shown!r})",
            f"attribution = interpret.{method}(classifier, image, {_target(result)}{_options(result)})",
            "",
            f"display, geometry = Display.of({method!r}), classifier.prepare(image)[1]",
            "values = display.values(attribution)",
            "limit = display.limit(geometry.part_seen(values))",
            f"interpret.write({result.path.name!r}, display.draw(image, values, limit=limit, seen=geometry.seen()))",
        ]
    )


def _target(result: "Result") -> str:
    from interpret.unit_scores import unit_named

    about: dict[str, Any] = result.score.about
    if "unit" in about:
        named = unit_named(about["unit"])
        return f"interpret.unit({named.layer!r}, {named.channel}, {named.place})"
    index = about["indices"][0]
    return f"interpret.contrast({index}, {about['versus']})" if "versus" in about else str(index)


def _options(result: "Result") -> str:
    layer = result.about["options"].get("layer")
    return f", layer={layer!r}" if layer else ""
