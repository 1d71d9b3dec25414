"""`interp attack`: the file that is written fools, and the command says exactly how."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import interpret
from attacks import ATTACKS
from cli.commands.attack.verdict import parse_transforms
from tests.command import CAT, FLOWERS, SQUEEZE, TINY, interp, stored


def known_flowers():
    return interpret.load(TINY[1])


def seen(classifier, path):
    with torch.no_grad():
        return int(classifier(interpret.read(path)).argmax())


def levels(path, clean):
    return (interpret.read(path) - interpret.read(clean)).abs().max() * 255


def test_a_bare_attack_fools_with_the_panda(squeezenet):
    ran = interp("attack", "fgsm", "--eps", "2lv")
    assert ran.status == 0 and "giant-panda" in ran.err and "squeezenet1_1" in ran.err
    assert [path.name for path in ran.paths] == ["giant-panda_fgsm.png", "giant-panda_fgsm_figure.png"]
    assert "fooled: giant panda 1.00 ->" in ran.err and "Linf 2/255" in ran.err and "read back from" in ran.err
    clean = interpret.bundled.sample("giant-panda")
    assert squeezenet.name(seen(squeezenet, clean)) == "giant panda"
    assert squeezenet.name(seen(squeezenet, ran.paths[0])) != "giant panda"
    assert round(float(levels(ran.paths[0], clean)), 3) == 2


def test_the_lemur_of_the_default_network_falls_too(lite0):
    ran = interp("attack", "fgsm", "sample:lemur", "--eps", "2lv", "--no-figure", "--json")
    row = json.loads(ran.out)
    assert row["success"] and row["right"] and row["levels"] == 2
    assert row["before_name"] == "Madagascar cat" != row["after_name"]
    assert seen(lite0, row["path"]) == row["after"]


def test_a_named_class_can_be_the_target(squeezenet):
    ran = interp("attack", "pgd", "sample:cat", "--target", "toaster", "--eps", "4/255", "--no-figure", *SQUEEZE)
    assert ran.status == 0 and ran.paths[0].name == "cat_pgd_toaster.png"
    assert squeezenet.name(seen(squeezenet, ran.paths[0])) == "toaster"
    assert levels(ran.paths[0], CAT) <= 4.001


def test_every_step_makes_a_target_surer():
    sure = []
    for extra in ((), ("--all-steps",)):
        options = ("--target", "toaster", "--eps", "4lv", "--steps", 8, "--json", "--no-figure")
        sure.append(json.loads(interp("attack", "pgd", CAT, *options, *extra, *SQUEEZE).out))
    assert sure[1]["after_probability"] > sure[0]["after_probability"] and sure[1]["forwards"] > sure[0]["forwards"]


def test_the_verdict_is_what_the_file_shows():
    ran = interp("attack", "pgd", CAT, "--eps", "6lv", "--json", *TINY)
    row = json.loads(ran.out)
    classifier, clean, found = known_flowers(), interpret.read(CAT), interpret.read(row["path"])
    with torch.no_grad():
        before, after = (classifier(image).softmax(1)[0] for image in (clean, found))
    assert row["before"] == before.argmax() and abs(row["before_probability"] - before.max()) < 1e-6
    assert row["after"] == after.argmax() and abs(row["after_probability"] - after.max()) < 1e-6
    delta = found.double() - clean.double()
    assert abs(row["l2"] - delta.norm()) < 1e-9 and abs(row["linf"] - delta.abs().max()) < 1e-12
    assert row["l0"] == int((delta != 0).sum()) and row["seed"] == 0
    assert row["success"] == (before.argmax() != after.argmax())
    about = stored(row["path"])
    assert about["verdict"]["after"] == row["after"] and about["options"]["eps"] == 6 / 255


def test_a_wrong_prediction_is_not_attacked():
    seen_now = known_flowers().name(seen(known_flowers(), CAT))
    other = next(name for name in ("rose", "tulip") if name != seen_now)
    ran = interp("attack", "pgd", CAT, "--label", other, "--json", *TINY)
    row = json.loads(ran.out)
    assert not row["right"] and not row["success"] and row["forwards"] == 0 and row["linf"] == 0


def test_what_survives_is_said():
    ran = interp(
        "attack", "fgsm", "--eps", "4lv", "--no-figure", "--jpeg", 90, "--through", "resize:0.9,blur:0.5,noise"
    )
    lines = [line for line in ran.err.splitlines() if line.startswith("  through")]
    assert [line.split()[1].split(":")[0] for line in lines] == ["resize", "blur", "noise", "jpeg"]
    assert all(line.endswith(("still fooled", "fooled no more")) for line in lines)


def test_ways_that_make_no_sense_are_refused():
    assert parse_transforms("resize, jpeg:75", 90) == [("resize", 0.5), ("jpeg", 75.0), ("jpeg", 90.0)]
    for words in ("jpg", "jpeg:0", "jpeg:abc", "blur:-1"):
        with pytest.raises(interpret.InterpretError, match="--through"):
            parse_transforms(words, None)


def test_a_folder_is_resumed_and_its_table_grows(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a", "b"):
        shutil.copy(CAT, photos / f"{name}.jpg")
    (photos / "broken.png").write_bytes(b"no picture")
    words = ("attack", "fgsm", photos, "-o", "made", "--csv", "verdicts.csv", "--no-clobber", *TINY)
    first = interp(*words)
    assert first.status == 1 and "broken.png" in first.err and len(first.paths) == 2
    (photos / "broken.png").unlink()
    shutil.copy(CAT, photos / "c.jpg")
    second = interp(*words)
    assert second.status == 0 and [path.name for path in second.paths] == ["c_fgsm.png"]
    rows = list(csv.DictReader(Path("verdicts.csv").read_text().splitlines()))
    assert [row["picture"].split("/")[-1] for row in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    other = interp(*words, "--eps", "1lv")
    assert other.status == 1 and "a_fgsm.png was made with other options" in other.err and not other.paths


@pytest.mark.parametrize("content", ["file,label\na.png,1\n", "my diary\n", "no line at all", "\x00\xff" * 9])
def test_rows_are_added_to_an_own_table_alone(content):
    Path("mine.csv").write_bytes(content.encode("latin-1"))
    run = interp("attack", "fgsm", CAT, "--csv", "mine.csv", *TINY)
    assert (run.status, run.out) == (2, "")
    assert (
        run.err
        == "Error: mine.csv holds other columns; it is from another run, or no such table. Choose another --csv\n"
    )
    assert Path("mine.csv").read_bytes() == content.encode("latin-1") and len(list(Path().iterdir())) == 1
    run = interp("attack", "fgsm", CAT, "--csv", "nowhere/mine.csv", *TINY)
    assert (run.status, run.err) == (2, "Error: cannot write nowhere/mine.csv: there is no folder nowhere\n")


def test_half_a_row_of_a_killed_run_is_cut_off():
    words = ("attack", "fgsm", CAT, "--csv", "rows.csv", "--no-figure", *TINY)
    for expected in (1, 2, 2):
        assert interp(*words).status == 0
        rows = list(csv.DictReader(Path("rows.csv").read_text().splitlines()))
        assert len(rows) == expected and len({tuple(row) for row in rows}) == 1
        if expected == 2:
            Path("rows.csv").write_bytes(Path("rows.csv").read_bytes()[:-9])


def test_success_can_be_required():
    assert interp("attack", "fgsm", "--eps", "0", "--require-success", "--no-figure").status == 3
    assert interp("attack", "fgsm", "--eps", "2lv", "--require-success", "--no-figure").status == 0


@pytest.mark.parametrize(
    "words, message",
    [
        (("pgd", CAT, "--eps", "8"), "did you mean 8/255?"),
        (("pgd", CAT, "--eps", "eight"), "8lv"),
        (("pgd", CAT, "--eps", "0.5lv"), "less than one level"),
        (("pgd", CAT, "--norm", "L7"), "Linf, L2"),
        (("pgd", CAT, "-o", "out.jpg"), "would change what was found"),
        (("pgd", CAT, "--target", "toastre"), "toastre"),
        (("pgd", CAT, "--target", "rose", "--label", "tulip"), "--label or --target"),
        (("pgdd", CAT), "did you mean 'pgd'"),
        (("pgd", "nowhere.jpg"), "no picture"),
    ],
)
def test_mistakes_are_one_line(words, message):
    ran = interp("attack", *words, *(TINY if "pgdd" not in words else ()))
    assert ran.status == 2 and message in ran.err and len(ran.err.strip().splitlines()) == 1


def test_every_attack_has_a_command_and_help():
    listed = interp("attack", "--help").out
    for name in ATTACKS:
        assert name.replace("_", "-") in listed
        told = interp("attack", name.replace("_", "-"), "--help")
        assert told.status == 0 and "http" in told.out and "``" not in told.out


@pytest.mark.parametrize("name", [name for name, kind in ATTACKS.items() if kind in ("eps", "minimum_norm")])
def test_every_attack_runs_from_the_shell(name):
    Image.open(CAT).resize((48, 40)).save("small.png")
    quick = {"steps": 8, "queries": 40, "population": 12, "target-classes": 2, "searches": 2}
    told = interp("attack", name.replace("_", "-"), "--help").out
    words = [part for key, value in quick.items() if f"--{key} " in told for part in (f"--{key}", value)]
    ran = interp("attack", name.replace("_", "-"), "small.png", "--no-figure", "--json", *words, *TINY)
    assert ran.status == 0, ran.err
    row = json.loads(ran.out)
    assert row["success"] == (row["after"] != row["before"]) and seen(known_flowers(), row["path"]) == row["after"]


def test_options_come_from_the_configuration_too(monkeypatch):
    Path("interp.toml").write_text('[attack-pgd]\neps = "3lv"\nsteps = 2\n')
    monkeypatch.setenv("INTERP_ATTACK_PGD_RESTARTS", "2")
    with_config = json.loads(interp("attack", "pgd", CAT, "--json", *TINY).out)
    assert with_config["levels"] <= 3.001
    options = stored(with_config["path"])["options"]
    assert options["steps"] == 2 and options["restarts"] == 2
    Path("interp.toml").write_text("[attack-pgd]\nesp = 1\n")
    assert "did you mean 'eps'" in interp("attack", "pgd", CAT, *TINY).err


def test_a_patch_is_tried_on_pictures_that_were_held_out():
    ran = interp("attack", "patch", "--target", "daisy", "--steps", 3, "-o", "made/patch.png", *TINY)
    assert ran.status == 0 and "held-out pictures, at 3 places each, are a daisy" in ran.err
    assert [path.name for path in ran.paths] == ["patch.png", "patch_figure.png"]
    with Image.open(ran.paths[0]) as patch:
        assert patch.width == patch.height and patch.getpixel((0, 0)) == (255, 255, 255)  # outside the circle


def test_a_universal_perturbation_is_tried_beside_random_signs():
    ran = interp("attack", "universal", "--eps", "8lv", "--steps", 3, "-o", "change.npy", *TINY)
    assert ran.status == 0 and "with random signs" in ran.err
    change = np.load("change.npy")
    assert change.shape == (3, 32, 32) and 0 < np.abs(change).max() <= 8 / 255
    one = interp("attack", "universal", CAT, *TINY)
    assert one.status == 2 and "several pictures" in one.err


def test_an_explanation_moves_while_the_answer_stays(squeezenet):
    ran = interp("attack", "explanation", "sample:koala", "--to", "bottom-right", "--steps", 20, *SQUEEZE)
    assert ran.status == 0 and "moved to the bottom-right" in ran.err and "not moved" not in ran.err
    clean, found = interpret.read("sample:koala"), interpret.read(ran.paths[0])
    with torch.no_grad():
        before, after = (squeezenet(image).softmax(1)[0] for image in (clean, found))
    koala = int(before.argmax())
    assert after.argmax() == koala and abs(before[koala] - after[koala]) <= 0.05
    assert (found - clean).abs().max() <= 8.001 / 255
    seen = squeezenet.prepare(clean)[0]
    maps = [
        interpret.gradcam(squeezenet.on_inputs(), squeezenet.prepare(image)[0], torch.tensor([koala]))
        for image in (clean, found)
    ]
    peaks = [divmod(int(attribution.flatten().argmax()), seen.shape[-1]) for attribution in maps]
    assert min(peaks[1]) > 0.6 * seen.shape[-1] > min(peaks[0])


def test_a_physical_attack_says_how_often_a_photograph_destroys_it():
    ran = interp("attack", "physical", "--eps", "16lv", "--steps", 4, "--samples", 1, "--no-figure", "--json")
    row = json.loads(ran.out)
    assert row["success"] and 0 <= row["destruction_rate"] <= 0.5


def test_other_networks_judge_what_was_made_on_one(tmp_path):
    pieces = []
    for number in range(3):
        pieces.append(tmp_path / f"{number}.png")
        Image.open(CAT).crop((60 * number, 0, 60 * number + 80, 80)).save(pieces[-1])
    judges = ("--judge", "tests.command:dark_flowers", "--judge", TINY[1])
    words = ("attack", "fgsm", *pieces, "--eps", "8lv", "--json", "-o", "out", *judges, *TINY)
    ran = interp(*words)
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.status == 0 and [row["judge"] for row in rows[3:]] == ["tests.command:dark_flowers", TINY[1]]
    for row in rows[:3]:  # the attacked network judges as it did
        own = row["judges"][TINY[1]]
        assert (own["right"], own["success"], own["after"]) == (row["right"], row["success"], row["after"])
    assert rows[4]["right"] == 3 and rows[4]["fooled"] == sum(row["success"] for row in rows[:3])
    again = interp(*words, "--no-clobber")
    assert [json.loads(line) for line in again.out.splitlines()] == rows[3:]
    assert "other classes" in interp("attack", "fgsm", CAT, "--judge", "squeezenet1_1", *TINY).err


def test_an_attack_begins_from_a_picture_of_the_target(tmp_path):
    classifier, image = interpret.load(TINY[1]), interpret.read(CAT)[..., :40, :40]
    interpret.write(tmp_path / "cat.png", image)
    colours = torch.rand(200, 3, 1, 1).round(decimals=1).expand(-1, -1, 40, 40)
    start = colours[classifier.predict(colours) != classifier.predict(image)][:1]
    interpret.write(tmp_path / "start.png", start)
    words = ("--start", tmp_path / "start.png", "--target", FLOWERS[int(classifier.predict(start))])
    ran = interp("attack", "hopskipjump", tmp_path / "cat.png", "--queries", 150, "--json", *words, *TINY)
    assert json.loads(ran.out)["success"] and json.loads(ran.out)["l2"] < float((start - image).norm())
    assert "has no --start" in interp("attack", "fgsm", tmp_path / "cat.png", *words, *TINY).err
