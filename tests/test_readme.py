"""The pages: their commands do what they show, their Python runs, their tables are those of methods and attacks."""

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest
import torch

from cli.app import main
from cli.commands import app
from cli.options.signature import attack_methods, methods
from interpret.bundled import samples

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / name / "README.md" for name in ("", "interpret", "attacks", "cli", "tests/benchmarks")]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
README = "\n".join(TEXTS.values())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def sessions() -> list[tuple[str, list[str]]]:
    """Each command of the shell sessions, and the lines shown below it."""
    found = []
    for part in "".join(blocks("console")).split("$ ")[1:]:
        command, *shown = part.rstrip().split("\n")
        found.append((command, shown))
    return found


@pytest.mark.parametrize(("command", "shown"), sessions())
def test_shell_session(command, shown, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "interp" and main(arguments) == 0
    out, err = capfd.readouterr()
    # A terminal shows both streams; which line comes first is left open.
    assert sorted(out.splitlines() + err.splitlines()) == sorted(shown)


def test_python_session(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):  # one session: later blocks use the names of earlier ones
        exec(compile(block, "README.md", "exec"), names)
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks("pycon")), names, "README.md", None, 0)
    assert examples.examples and not doctest.DocTestRunner().run(examples).failed
    assert (tmp_path / "cat.png").stat().st_size > 10_000
    assert names["picture"].shape == (1, 3, 96, 96)
    robust = names["interpret"].load("robust.pt")
    images, labels = names["unseen"].batch(torch.arange(200))
    found = names["attacks"].pgd(robust, images, labels, eps=0.1, steps=10)
    assert (robust(found).argmax(1) == labels).float().mean() > 0.4


def test_every_method_has_its_row():
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \| \[(.*?)\]\((.*?)\) \|", README, re.MULTILINE)
    assert rows == [(m.command, m.summary.rstrip("."), m.title, m.url) for m in methods()]


def test_every_attack_has_its_row():
    rows = re.findall(r"^\| \[(.*?)\]\((.*?)\) \| `interp attack ([\w-]+)` \| (.*?) \|", README, re.MULTILINE)
    alone = [(m.title, m.url, m.command, m.summary.rstrip(".")) for m in attack_methods()]
    assert rows[: len(alone)] == alone and [row[2] for row in rows[len(alone) :]] == ["patch", "universal"]


def test_links_lead_somewhere():
    for page, text in TEXTS.items():
        links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", text)
        assert links and [link for link, _ in links if not (page.parent / link).exists()] == []
        for link, place in links:
            if place:
                headings = re.findall(r"^#+ (.*)$", (page.parent / link).read_text(encoding="utf-8"), re.MULTILINE)
                assert place in [heading.lower().replace(",", "").replace(" ", "-") for heading in headings]


def test_the_first_page_takes_ten_minutes():
    prose = re.sub(r"^```.*?^```|^\|.*?$", "", TEXTS[PAGES[0]], flags=re.DOTALL | re.MULTILINE)
    assert len(prose.split()) < 2000


def commands() -> list[str]:
    """Every command in the text, in blocks and in lines indented as code, beside those of the shell sessions."""
    inline = re.findall(r"`(interp [^`]+)`", README)
    indented = re.findall(r"^    (interp .*)$", README, re.MULTILINE)
    scripts = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    found = [*inline, *indented, *(line for line in scripts if line.startswith("interp "))]
    return sorted({command for command in found if "…" not in command})


@pytest.mark.parametrize("command", commands())
def test_every_command_is_one_that_the_shell_takes(command):
    """Its words are read as a user's would be; what it makes is tested where it belongs."""
    group, words = app, shlex.split(command)[1:]
    path = ["interp"]
    while isinstance(group, click.Group) and words[:1] != ["--help"]:
        assert words, command
        path.append(words[0])
        group = group.get_command(click.Context(group), words.pop(0))
        assert group is not None, command
    if command.endswith((path[-1], "--help")):
        return  # named, not shown: it wants more words
    with click.Context(app) as parent:
        assert group.make_context(path[-1], words, parent=parent) is not None


def test_the_samples_folder_holds_the_photos_alone():
    """So that a command that looks at all its pictures, such as ``top-activations samples``, finds no figures."""
    folder = REPOSITORY / "samples"
    pictures = {path for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".jpeg", ".webp")}
    assert pictures == set(samples().values())
