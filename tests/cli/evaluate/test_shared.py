"""Several processes evaluate as one does, each its share of the pictures."""

import csv
import json
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from PIL import Image

from cli.job.ledger import SharedLedger
from interpret.errors import InterpretError
from tests.cli.evaluate.photos import labelled_pieces
from tests.command import TINY, Ran, interp
from tests.processes import pair

COLUMNS = ("file", "label", "0", "0.1", "run")
LABELS = {"a.png": "1", "b.png": "2", "c.png": "3"}


def member(words: tuple, said: Connection) -> None:
    """One process of two, and what it leaves behind."""
    said.send(interp(*words))


def both(*words: object) -> list[Ran]:
    """What two processes leave behind."""
    members = pair(member, words)
    found = [said.recv() for _, said in members]
    for process, _ in members:
        process.join(20)
    return found


@pytest.fixture
def photos(tmp_path):
    """Seven pieces of a photo, all of which the network gets right but one, and a file that is no picture."""
    folder = labelled_pieces(tmp_path / "photos", right=6, wrong=1)
    (next(folder.iterdir()) / "broken.png").write_bytes(b"no picture")
    return folder


def table(path: Path) -> list[dict]:
    """The rows of a CSV file, by their files' names."""
    with path.open(newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["file"])


def test_two_processes_judge_as_one_does(photos, tmp_path):
    words = ("evaluate", "robustness", photos, "--eps", "0,2lv,8lv", "--steps", 4, "--threads", 1, *TINY)
    alone = interp(*words, "-o", tmp_path / "one")
    assert alone.status == 1 and "6 of 7" in alone.out
    first, second = both(*words, "-o", tmp_path / "two")
    assert (first.out, second.out) == (alone.out, "")
    assert table(tmp_path / "two" / "robustness_pgd.csv") == table(tmp_path / "one" / "robustness_pgd.csv")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["robustness_pgd.csv", "robustness_pgd.png"]
    assert (first.err + second.err).count("broken.png") == 1
    # The first process tells the status; torchrun would end the others of one that told it too.
    assert (first.status, second.status) == (1, 0)


@pytest.mark.slow
def test_two_processes_go_on_where_three_were_interrupted(photos, tmp_path):
    words = ("evaluate", "robustness", photos, "--eps", "0,2lv", "--steps", 3, "--threads", 1, "-o", tmp_path / "run")
    whole = interp(*words, *TINY)
    three = interp(*words[:-1], tmp_path / "three", "--limit", 3, *TINY)
    path = tmp_path / "run" / "robustness_pgd.csv"
    expected = table(path)
    header, *lines = path.read_text().splitlines()
    for name, part in {"": lines[:2], ".part1": lines[2:4], ".part2": lines[4:5]}.items():
        path.with_name(f"robustness_pgd{name}.csv").write_text("\n".join([header, *part, lines[5][:-4]]))
    # Nothing is looked at twice: pictures that are in the tables need not be there any more.
    for row in csv.DictReader([header, *lines[:5]]):
        Image.new("RGB", (8, 8)).save(row["file"])
    first, _ = both(*words, "--no-clobber", *TINY)
    assert first.out == whole.out and table(path) == expected
    assert [other.name for other in path.parent.glob("*.csv")] == [path.name]
    few, _ = both(*words, "--no-clobber", "--limit", 3, *TINY)
    assert few.out == three.out != whole.out
    first, second = both(*words, "--no-clobber", "--seed", 1, *TINY)
    assert "choose another -o" in first.err and first.status == 2 and second.status and not first.out + second.out
    assert table(path) == expected


def test_two_processes_count_together(photos):
    words = ("evaluate", "accuracy", photos, "--threads", 1, "--json", *TINY)
    first, second = both(*words, "--fail-under", 90)
    assert json.loads(first.out) == json.loads(interp(*words).out) and json.loads(first.out)["count"] == 7
    assert (first.status, second.status, second.out) == (3, 0, "")


def left_behind(folder: Path) -> Path:
    """A table, and the parts of an interrupted run beside it."""
    path = folder / "t.csv"
    path.write_text("file,label,0,0.1,run\na.png,1,1,1,x\n")
    (folder / "t.part1.csv").write_text("file,label,0,0.1,run\na.png,1,0,0,x\nb.png,2,1,0,x\nc.png,3,")
    (folder / "t.part2.csv").write_text("file,la")
    return path


def test_what_an_interrupted_run_left_is_taken_up(tmp_path):
    path = left_behind(tmp_path)
    ledger = SharedLedger(path, COLUMNS, resume=True, run="x", labels=LABELS)
    assert ledger.done == {"a.png", "b.png"} and list(tmp_path.iterdir()) == [path]
    ledger.add([dict(zip(COLUMNS, ("c.png", 3, 1, 1, "x"), strict=True))])
    assert [tuple(row.values()) for row in ledger.whole()] == [
        ("a.png", "1", "1", "1", "x"),
        ("b.png", "2", "1", "0", "x"),
        ("c.png", "3", "1", "1", "x"),
    ]
    assert table(path) == ledger.whole()


def test_a_run_from_the_beginning_forgets_the_parts(tmp_path):
    path = left_behind(tmp_path)
    assert not SharedLedger(path, COLUMNS, resume=False, run="x", labels=LABELS).done
    assert list(tmp_path.iterdir()) == [path] and path.read_text().count("\n") == 1


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,label,0,0.5,run\nb.png,2,1,0,x\n", "t.part1.csv holds other columns"),
        ("file,label,0,0.1,run\nb.png,2,1,0,y\n", "t.part1.csv was made with other weights"),
        ("file,label,0,0.1,run\nb.png,4,1,0,x\n", "t.part1.csv was made with other weights"),
    ],
)
def test_parts_of_another_run_are_refused_and_left(tmp_path, text, message):
    path = left_behind(tmp_path)
    (tmp_path / "t.part1.csv").write_text(text)
    with pytest.raises(InterpretError, match=message):
        SharedLedger(path, COLUMNS, resume=True, run="x", labels=LABELS)
    assert (tmp_path / "t.part1.csv").read_text() == text


def test_files_of_others_beside_a_table_stay(tmp_path):
    path = left_behind(tmp_path)
    others = [tmp_path / "t.part1.copy.csv", tmp_path / "t.partial.csv", tmp_path / "t.part7.csv"]
    for other in others:
        other.write_text("a,b\n1,2\n")
    for resume in (True, False):
        SharedLedger(path, COLUMNS, resume=resume, run="x", labels=LABELS)
        assert sorted(tmp_path.iterdir()) == sorted([path, *others])
