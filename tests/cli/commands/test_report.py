"""`interp report`: the file it writes, the lines it prints, and the commands on the page, which repeat it."""

import html
import json
import re
import shlex

import pytest
import torch

from interpret.errors import PictureError
from interpret.images.files import write
from tests.command import TINY, interp
from tests.interpret.report.outline import Outline

ASKED = ("--methods", "gradcam,guided-backprop", *TINY)


@pytest.fixture
def pictures(tmp_path):
    """Two pictures and a broken one in the current folder."""
    draws = torch.Generator().manual_seed(2)
    write("wide.png", torch.rand(1, 3, 40, 60, generator=draws))
    write("<b>tall & 'odd'.png", torch.rand(1, 3, 64, 40, generator=draws))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    return tmp_path


def test_the_command_writes_one_file(pictures):
    run = interp("report", "wide.png", "<b>tall & 'odd'.png", *ASKED, "-c", "rose", "-o", "out/page.html")
    assert run.status == 0, run.err
    assert [str(path) for path in run.paths] == ["out/page.html"]
    assert sorted(path.name for path in (pictures / "out").iterdir()) == ["page.html"]
    outline = Outline((pictures / "out" / "page.html").read_text(encoding="utf-8"))
    assert "What speaks for “rose”" in outline.words and "Contents" in outline.words
    assert "<b>tall & 'odd'.png" in outline.words


def test_more_pictures_than_methods_are_checked_on(pictures):
    for number in range(5):
        write(f"{number}.png", torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(number)))
    run = interp("report", *(f"{number}.png" for number in range(5)), *ASKED, "--no-attack", "--json")
    assert run.status == 0, run.err
    told = json.loads(run.out)
    assert len(told["found"]) == 5 and {check["pictures"] for check in told["checks"]} == {4}


def test_a_broken_picture_is_listed_and_the_others_are_shown(pictures):
    run = interp("report", "broken.png", "wide.png", *ASKED, "--no-attack", "--no-sanity")
    assert run.status == 1
    assert [line for line in run.err.splitlines() if "Error" in line] == [run.err.splitlines()[0]]
    words = Outline((pictures / "report.html").read_text(encoding="utf-8")).words
    assert "Not shown broken.png" in words and "wide.png" in words
    assert "How small a change" not in words and "depend on what it has learnt" not in words
    (pictures / "report.html").unlink()
    alone = interp("report", "broken.png", *ASKED)
    assert alone.status == 1 and not alone.out and not (pictures / "report.html").exists()


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (("-c", "roze"), 2, "rose"),
        (("--methods", "gradcm"), 2, "gradcam"),
        (("-o", "page.pdf"), 2, ".html"),
        (("-o", "wide.png/page.html"), 2, "in the way"),
    ],
)
def test_what_cannot_be_is_one_line(pictures, asked, status, said):
    run = interp("report", "wide.png", *TINY, *asked)
    assert run.status == status and not run.out
    assert len(run.err.splitlines()) == 1 and said in run.err


def test_a_read_only_folder_is_one_line_before_the_work(pictures, monkeypatch):
    monkeypatch.setattr("cli.commands.report.command.os.access", lambda path, mode: False)
    monkeypatch.setattr("cli.options.network.ModelOptions.open", lambda model: pytest.fail("it was too late"))
    run = interp("report", "wide.png", *TINY)
    assert run.status == 1 and "read-only" in run.err and len(run.err.splitlines()) == 1


def test_a_picture_is_not_overwritten(pictures):
    content = (pictures / "wide.png").read_bytes()
    (pictures / "wide.html").write_bytes(content)
    run = interp("report", "wide.html", *ASKED, "-o", "wide.html")
    assert run.status == 1 and "not overwritten" in run.err
    assert (pictures / "wide.html").read_bytes() == content


def test_a_page_goes_to_standard_output(pictures):
    run = interp("report", "wide.png", *ASKED, "--no-sanity", "--no-attack", "-o", "-")
    assert run.status == 0 and run.out.startswith("<!doctype html>") and run.out.endswith("</html>\n")
    assert not list(pictures.glob("*.html"))


def test_json_tells_the_numbers(pictures):
    run = interp("report", "wide.png", "broken.png", *ASKED, "--json", "--seed", "4")
    told = json.loads(run.out)
    assert told["path"] == "report.html" and told["seed"] == 4 and told["command"] == "report"
    assert [row["picture"] for row in told["failed"]] == ["broken.png"]
    (found,) = told["found"]
    assert found["name"] == "wide.png" and len(found["top"]) == 5
    assert [part["method"] for part in found["explained"][0]["maps"]] == ["gradcam", "guided_backprop"]
    assert {check["method"]: check["pictures"] for check in told["checks"]} == {"gradcam": 1, "guided_backprop": 1}


def test_its_commands_repeat_it(pictures):
    """Each line of the page runs, and gives the numbers of the page."""
    told = json.loads(interp("report", "wide.png", *ASKED, "--json", "--seed", "4").out)
    (found,), (first, *_) = told["found"], told["checks"]
    text = (pictures / "report.html").read_text(encoding="utf-8")
    lines = [shlex.split(line) for line in _codes(text) if line.startswith("interp ")]
    kinds = [" ".join(line[1:3]) for line in lines]
    assert kinds.count("gradcam wide.png") == kinds.count("guided-backprop wide.png") == 2
    for number, line in enumerate(lines):
        (pictures / f"run{number}").mkdir()
        away = (
            []
            if line[1] == "predict"
            else ["-o", f"run{number}/report.html" if line[1] == "report" else f"run{number}/"]
        )
        run = interp(*line[1:], *away)
        assert run.status == 0, (line, run.err)
        if line[1:3] == ["attack", "fmn"]:
            assert f"Linf {found['change']['levels']:.4g}/255" in run.err
        if line[1:3] == ["evaluate", "faithfulness"]:
            rows = (pictures / f"run{number}" / "faithfulness_pictures.csv").read_text().splitlines()
            places = rows[0].split(",")
            (row,) = [row.split(",") for row in rows[1:] if ",gradcam," in row]
            areas = found["explained"][0]["maps"][0]["areas"]
            for name, area in areas.items():
                assert float(row[places.index(f"{name}_blur")]) == pytest.approx(area, rel=1e-3)
        if line[1:3] == ["evaluate", "sanity"]:
            rows = (pictures / f"run{number}" / "sanity.csv").read_text()
            assert f"{first['likeness']:.4f}"[:5] in rows
        if line[1] == "report":
            again = (pictures / f"run{number}" / "report.html").read_text(encoding="utf-8")
            assert again == text


def _codes(text: str) -> list[str]:
    return [html.unescape(code) for code in re.findall("<code>(.*?)</code>", text, re.DOTALL)]


def test_an_unwritable_file_says_so(pictures, monkeypatch):
    def full(path, content):
        raise PictureError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("interpret.images.files.write_bytes", full)
    run = interp("report", "wide.png", *ASKED, "--no-sanity", "--no-attack")
    assert run.status == 1 and run.err.splitlines()[-1] == "Error: cannot write report.html: No space left on device"


def test_the_options_of_the_model_are_in_the_commands(pictures):
    (pictures / "my labels.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    kept = "--labels 'my labels.txt' --mean 0.1,0.2,0.3 --std 0.5,0.5,0.25 --input-size 32x40"
    model = ("-m", "tests.tiny:SmallCNN", *shlex.split(kept), "--device", "cpu", "--threads", "1")
    run = interp("report", "wide.png", *model, "--methods", "saliency", "--no-sanity", "--no-attack")
    assert run.status == 0, run.err
    lines = _codes((pictures / "report.html").read_text(encoding="utf-8"))
    assert len(lines) == 5  # the predictions, two views, the areas, and the page
    assert all(line.endswith(f"-m tests.tiny:SmallCNN {kept}") for line in lines)
