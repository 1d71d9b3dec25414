"""Fool: what becomes of a picture at each size of change, and the smallest one that fools."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...options.signature import attack_method
from ...options.types import dashed
from ..attack.command import job_of
from ..attack.verdict import sentence
from ..report.shell_lines import class_word
from .about import LEVELS, STEPPED
from .frames import inline
from .gallery import Picture
from .look import Asked, map_of
from .studio import File, Said, Studio, address, as_chosen, safe
from .worker import LATER, Event, Ticket

if TYPE_CHECKING:
    from torch import Tensor

    from ..attack.job import Attacking

SIDE = 640  # pixels of the longer side of the change as the page shows it


def fool(studio: Studio, chosen: Mapping[str, str], ticket: Ticket) -> Iterator[Event]:
    """The attack at one level, where the network looks before and after it, and from which level on it fools."""
    picture = studio.gallery.find(chosen.get("picture", ""))
    attack, target = chosen.get("attack", "pgd"), safe(chosen.get("target", ""))
    if attack not in STEPPED:
        raise InterpretError(f"there is no attack {attack[:40]!r} for the slider")
    with as_chosen("the level"):
        level = float(chosen.get("level", "1"))
    if level not in LEVELS:
        raise InterpretError("the slider has no such level")
    row = at_level(studio, picture, attack, target, level)
    yield "level", row
    for when, shown in (("before", picture), ("after", _attacked(studio, row))):
        query = row["queries"][when]
        yield "map", {"when": when, **map_of(studio, shown, Asked("gradcam", query=query)).about}
    yield LATER
    low, high = -1, len(LEVELS)  # the strongest level known to fail, and the weakest known to fool
    while row["right"] and high - low > 1:
        middle = (low + high) // 2
        row = at_level(studio, picture, attack, target, LEVELS[middle])
        low, high = (low, middle) if row["success"] else (middle, high)
        yield "level", row
    if row["right"]:
        yield "least", {"level": LEVELS[high] if high < len(LEVELS) else None, "most": LEVELS[-1]}


def at_level(studio: Studio, picture: Picture, attack: str, target: str, level: float) -> dict[str, Any]:
    """What came of an attack at a level, with its file; the same again costs nothing."""
    key = "fool", picture.id, picture.version, attack, target, level
    row = studio.made.find(key)
    if row is None or studio.files.find(row["key"]) is None:
        row = _made(studio, picture, [attack, target, level], key)
        studio.made.keep(key, row, 3000 + len(row["change"]))
    return row


def _made(studio: Studio, picture: Picture, asked: list[Any], key: tuple) -> dict[str, Any]:
    from interpret.images.files import read
    from interpret.images.levels import in_unit_range, to_levels

    attack, target, level = asked
    whole = level >= 1
    words = ["attack", dashed(attack), picture.shown, "--eps", f"{level:g}lv"]
    words += (["--target", target] if target else []) + ([] if whole else ["--no-quantize"])
    job = _job(studio, picture, attack, words)
    image = picture.read().to(studio.classifier.mean.device)
    about, path = job.about_picture(picture, image), job.place(picture.inside.with_suffix(""))
    attempt = job.attempt(image)
    held = in_unit_range(to_levels(attempt.adversarial))  # what a file of 8 bits holds of it
    found = held if whole else attempt.adversarial
    row = job.judged(picture, image, found, attempt, None)
    content = job.content(attempt, about, row)
    if not read(io.BytesIO(content)).to(held).equal(held):
        raise InterpretError("the file does not hold what was judged")
    queries = {when: class_word(studio.classifier.labels, row[when]) for when in ("before", "after")}
    if job.subject is not studio.classifier:  # one label of several, which holds or not
        queries = dict.fromkeys(queries, "")
    name = address(key)
    shown = Picture(path.name, None, path, f"a{name[:16]}", content, studio.gallery.decoded)
    if not whole:
        shown = replace(shown, exact=found.cpu())
    studio.files.keep(name, File(path.name, content), len(content) + 1000)
    studio.files.keep(("attacked", name), shown, len(content) + (0 if whole else found.nbytes))
    return {
        **{key: value for key, value in row.items() if key not in ("survives", "judges")},
        "queries": queries,
        "level": level,
        "sentence": sentence(row, job.subject, 0),
        "file": f"/file/{name}",
        "key": name,
        "name": path.name if whole else "",
        "command": studio.line(*words),
        "python": _python(studio, picture, asked, row),
        **_change(image, found),
    }


def _attacked(studio: Studio, row: Mapping[str, Any]) -> Picture:
    found = studio.files.find(("attacked", row["key"]))
    if found is None:
        raise InterpretError("this picture is not here any more; move the slider again")
    return found


def _job(studio: Studio, picture: Picture, attack: str, words: list[str]) -> "Attacking":
    values = studio.read(*words)
    given = {"chosen": values["chosen"], "attack": values["attack"], "model": studio.model, "messages": Said()}
    more = {"transforms": [], "figure": False, "as_json": False, "no_clobber": False}
    return job_of(attack_method(attack), studio.classifier, studio.outputs(picture), **given, **more)


def _change(image: "Tensor", found: "Tensor") -> dict[str, Any]:
    """The change around grey, and how many times it is magnified."""
    from interpret.figures.overlays import own_colours

    change = (found - image).cpu()
    largest = float(change.abs().max())
    drawn = own_colours(change)
    drawn.thumbnail((SIDE, SIDE))
    return {"change": inline(drawn, 85), "times": 0.5 / largest if largest else 0.0}


def _python(studio: Studio, picture: Picture, asked: list[Any], row: Mapping[str, Any]) -> str:
    from .snippets import loaded

    attack, target, level = asked
    options = f"eps={level:g} / 255, " + ("targeted=True, " if target else "")
    return "\n".join(
        [
            "import attacks",
            "import interpret",
            "import torch",
            "",
            loaded(studio),
            f"image = interpret.read({picture.shown!r})",
            f"labels = torch.tensor([{row['label']}])  # {'what it shall see' if target else 'what it sees'}",
            f"adversarial = attacks.{attack}(classifier, image, labels, {options}quantize={level >= 1})",
            f"interpret.write({row['attack'] + '.png'!r}, adversarial)",
        ]
    )
