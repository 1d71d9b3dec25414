"""Play: dreams and paintings with live frames. Keep: the report of a picture."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...job.provenance import provenance
from ...job.results import encoded
from .frames import Frames
from .gallery import Picture
from .look import asked_for
from .studio import File, Said, Studio, address, safe
from .worker import Event, Ticket

if TYPE_CHECKING:
    from torch import Tensor


def dream(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """A dream of a picture, step by step, and its file."""
    picture = studio.gallery.find(chosen.get("picture", ""))
    guide = studio.gallery.find(chosen["guide"]) if chosen.get("guide") else None
    words = ["dream", picture.shown, *_given(chosen, {"layer": "--layer", "class": "-c"})]
    words += ["--guide", guide.shown] if guide else []
    words += _given(chosen, {"octaves": "--octaves", "steps": "--steps"})
    yield "file", _kept(studio, picture, words, lambda: _dreamt(studio, picture, guide, words, Frames(ticket)))


def style(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """A picture painted in the manner of another, step by step, and its file."""
    picture = studio.gallery.find(chosen.get("picture", ""))
    manner = studio.gallery.find(chosen.get("style", ""))
    words = ["style", picture.shown, manner.shown, *_given(chosen, {"steps": "--steps"})]
    words += ["--preserve-color"] if chosen.get("color") else []
    yield "file", _kept(studio, picture, words, lambda: _painted(studio, picture, manner, words, Frames(ticket)))


def report(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The report of a picture, by the methods that are looked at."""
    from ..report.job import findings_of, page_of
    from ..report.shell_lines import ShellLines

    picture = studio.gallery.find(chosen.get("picture", ""))
    methods = ",".join(asked.method for asked in asked_for({"methods": chosen.get("methods") or "gradcam"}))
    words = ["report", picture.shown, "--methods", methods.replace("_", "-"), *_given(chosen, {"class": "-c"})]

    def make() -> File:
        choices = studio.read(*words)["choices"]
        named = {picture.shown: picture}
        findings = findings_of(named, studio.classifier, choices, Said())
        about = provenance("report", studio.model, studio.classifier, pictures=[picture.shown], **asdict(choices))
        page = page_of(findings, studio.classifier, about, ShellLines(named, choices, studio.words))
        return File("report.html", page.encode())

    yield "file", _kept(studio, picture, words, make)


def _given(chosen: Mapping[str, str], flags: Mapping[str, str]) -> list[str]:
    """The options that were chosen on the page, as words."""
    return [word for name, flag in flags.items() if chosen.get(name) for word in (flag, safe(chosen[name]))]


def _kept(studio: Studio, picture: Picture, words: list[str], make: Any) -> dict[str, Any]:
    """The file that a line makes, made where it is not kept, as the page is told of it."""
    key = "file", picture.id, picture.version, *words
    file = studio.files.find(address(key))
    if file is None:
        file = make()
        studio.keep_file(key, file)
    return {"file": f"/file/{address(key)}", "name": file.name, "command": studio.line(*words)}


def _dreamt(studio: Studio, picture: Picture, guide: Picture | None, words: list[str], frames: Frames) -> File:
    from ..dream import Dream
    from ..optimised import check_drawable

    values = studio.read(*words)
    values["subject"].check()
    check_drawable(studio.classifier)
    seen = None if guide is None else guide.read()
    dreamt = Dream(studio.classifier, values["subject"], values["steps"], values["size"], seen)
    image = picture.read().to(studio.classifier.mean.device)
    return _file(studio, picture, "dream", dreamt(image, frames), dreamt.record(image))


def _painted(studio: Studio, picture: Picture, manner: Picture, words: list[str], frames: Frames) -> File:
    from ..optimised import check_drawable
    from ..style import Painter

    values = studio.read(*words)
    check_drawable(studio.classifier)
    painter = Painter(studio.classifier, values["painting"], values["others"], values["style_weights"], values["size"])
    image = picture.read().to(studio.classifier.mean.device)
    return _file(
        studio, picture, "style", painter(image, [manner.read()], frames), painter.about([manner.shown], image)
    )


def _file(studio: Studio, picture: Picture, command: str, result: "Tensor", options: dict[str, Any]) -> File:
    from interpret.images.files import to_pil

    about = provenance(command, studio.model, studio.classifier, picture=picture.shown, options=options)
    path = studio.outputs(picture).place(picture.inside.with_suffix(""), command)
    return File(path.name, encoded(".png", to_pil(result.cpu()), about))
