"""Text of strangers, such as labels and names of files and weights, commands no terminal, table or figure."""

import csv
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from matplotlib.text import Text
from PIL import Image

import interpret
from interpret.errors import printable, shortened
from tests.command import REPOSITORY, STRANGE, TINY, interp, stored

ODD = ("-m", "tests.command:strange_flowers")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NAMES = ["\x1b[2Jclear.png", "new\nline.png", b"caf\xe9.png", "n" * 240 + ".png", "--help.png", "$5 and $10.png"]


@pytest.fixture
def photos(tmp_path):
    """A folder of small pictures with odd names."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Image.new("RGB", (24, 20), (40 * number, 99, 30)).save(folder / "plain.png")
        os.replace(folder / "plain.png", os.path.join(os.fsencode(folder), os.fsencode(name)))
    return folder


def clean(run):
    """What a run printed, once it is sure that nothing in it moves the cursor."""
    assert not CONTROLS.search(run.out) and not CONTROLS.search(run.err), (run.out, run.err)
    assert max(map(len, run.err.splitlines()), default=0) <= 1100
    return run


COMMANDS = {
    "predict": ["predict", "PHOTOS", "--top-k", "5"],
    "predict json": ["predict", "PHOTOS", "--top-k", "5", "--json"],
    "gradcam": ["gradcam", "PHOTOS", "--view", "side-by-side", "--top-k", "5"],
    "gradcam npz": ["saliency", "PHOTOS", "--raw", "--json"],
    "grid": ["grid", "PHOTOS", "--methods", "saliency,gradcam", "--top-k", "5", "-o", "grid.png", "--no-cache"],
    "attack": ["attack", "fgsm", "PHOTOS", "--csv", "rows.csv", "--figure", "--through", "blur", "-o", "out"],
    "patch": ["attack", "patch", "PHOTOS", "--target", "0", "--steps", "1"],
    "report": ["report", "PHOTOS", "--methods", "gradcam", "--no-attack"],
    "faithfulness": ["evaluate", "faithfulness", "PHOTOS", "--methods", "saliency", "--steps", "2"],
    "classes": ["classes", "--labels", "LABELS"],
    "layers": ["layers"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_odd_names_of_files_and_classes_do_nothing(photos, tmp_path, name):
    (tmp_path / "labels.json").write_text(json.dumps(STRANGE))
    words = [{"PHOTOS": photos, "LABELS": "labels.json"}.get(word, word) for word in COMMANDS[name]]
    run = clean(interp(*words, *(() if name == "classes" else ODD)))
    assert run.status == 0, run.err
    for path in tmp_path.rglob("*.csv"):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        assert rows and not any(CONTROLS.search(str(row)) for row in rows)
    for path in [*tmp_path.glob("**/*.html"), *tmp_path.glob("**/*.svg")]:
        assert not CONTROLS.search(path.read_text(encoding="utf-8").replace("\t", ""))


def test_what_is_stored_is_escaped(photos):
    clean(interp("gradcam", photos, *ODD))
    stems = sorted(stored(path)["picture"].rpartition("/")[2] for path in Path("interp-out").iterdir())
    expected = [printable(name if isinstance(name, str) else os.fsdecode(name)) for name in NAMES]
    assert stems == sorted(expected)
    assert "caf\\udce9.png" in stems


def test_names_under_the_c_locale(photos):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(REPOSITORY)}
    words = ["attack", "fgsm", "photos/été.png", *ODD, "--csv", "rows.csv", "--no-figure"]
    Image.new("RGB", (24, 20)).save(photos / "été.png")
    run = subprocess.run([sys.executable, "-m", "cli", *words], capture_output=True, env={**os.environ, **plain})
    assert run.returncode == 0, run.stderr
    assert b"\\udcc3" in run.stdout and b"\x1b" not in run.stdout + run.stderr
    assert "\\udcc3\\udca9t" in Path("rows.csv").read_text("ascii")


def test_names_of_weights_and_words_of_the_line(tmp_path):
    torch.save({"\x1b[31m" + "w" * 3000: torch.zeros(1)}, "odd.pth")
    for words in (
        ("gradcam", "sample:cat", "--weights", "odd.pth"),
        ("gradcam", "\x1b[31m.png"),
        ("gradcam", "sample:cat", *TINY, "-c", "x\x07" * 5000),
        ("gradcam", "sample:cat", "--view", "\x1b]0;title"),
        ("\x1b[31m",),
    ):
        run = clean(interp(*words))
        assert run.status == 2 and run.err.count("\n") == 1


def test_a_configuration_with_control_characters_is_refused(tmp_path):
    (tmp_path / "interp.toml").write_text('output = "\\u001b[31m"\n')
    run = clean(interp("gradcam", "--help"))
    assert run.status == 2 and "control characters" in run.err


def test_an_unexpected_error_with_all_it_knows(monkeypatch):
    def broken(*_, **__):
        raise ValueError("\x1b[31m")

    monkeypatch.setattr(importlib.import_module("cli.commands.predict"), "sources_of", broken)
    assert "Traceback" in clean(interp("predict", "x.png", "-vv")).err


def test_a_dollar_is_a_dollar():
    picture, map_ = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    odd = "cost $5 and $10 $\\frac{"
    figure = interpret.figures.side_by_side(picture, map_, title=odd, caption=odd, unit=odd)
    texts = [text for text in figure.findobj(Text) if text.get_text() == odd]
    assert len(texts) == 3 and not any(text.get_parse_math() for text in texts)
    figure.savefig(os.devnull, format="png")


def test_every_figure_has_plain_text():
    for name in interpret.figures.__all__:
        function = getattr(interpret.figures, name)
        if (
            inspect.isfunction(function)
            and name != "grid"
            and "Figure" in str(inspect.signature(function).return_annotation)
        ):
            assert getattr(function, "has_plain_text", False), name


def test_shortened_names_keep_both_ends():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdefghij", 6) == "abc…ij" and len(shortened("x" * 999)) == 80
