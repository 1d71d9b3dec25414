"""`interp evaluate faithfulness` and `interp evaluate sanity`."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.command import CAT, TINY, interp, stored


@pytest.fixture(autouse=True)
def photos(tmp_path):
    """Six pieces of a photo in a folder that says nothing of their classes."""
    whole, folder = Image.open(CAT), tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        whole.crop((40 * number, 20 * number, 40 * number + 64, 20 * number + 64)).save(folder / f"{number}.png")
    return folder


def table(name):
    return list(csv.DictReader(Path("interp-out", name).read_text().splitlines()))


UNRULED = ("-m", "tests.cli.flower_networks:unruled")  # a network that LRP refuses
RANK = ("evaluate", "faithfulness", "photos", "--steps", 4)


def test_a_ranking_with_its_floors():
    ran = interp(*RANK, "--methods", "saliency,gradcam,occlusion,lrp", *UNRULED)
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) == 6 and "insertion-blur" in lines[0] and "above random" in lines[0]
    assert "lrp is left out" in ran.err
    rows = {row["method"]: row for row in table("faithfulness.csv")}
    assert set(rows) == {"saliency", "gradcam", "occlusion", "random", "centre"}
    assert sorted(row["rank"] for row in rows.values()) == ["", "", "1", "2", "3"]
    assert float(rows["random"]["insertion_blur_gain"]) == 0
    gains = [float(row["insertion_blur_gain"]) for row in table("faithfulness.csv")]
    assert gains == sorted(gains, reverse=True)
    for row in rows.values():
        assert float(row["deletion_blur_low"]) <= float(row["deletion_blur"]) <= float(row["deletion_blur_high"])
    each = table("faithfulness_pictures.csv")
    assert len(each) == 5 * 6
    mean = sum(float(row["insertion_blur"]) for row in each if row["method"] == "saliency") / 6
    assert mean == pytest.approx(float(rows["saliency"]["insertion_blur"]))
    for row in each:  # the areas are those below the curves
        curve = [float(value) for value in row["deletion_blur_curve"].split()]
        below = sum(one + other for one, other in zip(curve, curve[1:], strict=False)) / 8
        assert len(curve) == 5 and below == pytest.approx(float(row["deletion_blur"]), abs=1e-4)
    assert Path("interp-out/faithfulness_curves.png").stat().st_size > 10_000
    assert stored("interp-out/faithfulness.png")["command"] == "evaluate faithfulness"


def test_a_budget_and_a_limit_are_spoken_of():
    words = (*RANK, "--methods", "saliency,smoothgrad", "--json")
    ran = interp(*words, "--budget", 60, "--limit", 4, *TINY)
    rows = {row["method"]: row for row in map(json.loads, ran.out.splitlines())}
    assert rows["smoothgrad"]["pictures"] == 2 and rows["smoothgrad"]["passes"] == 25
    assert rows["saliency"]["pictures"] == rows["random"]["pictures"] == 4
    assert "smoothgrad takes 25 passes a picture: 2 of 4 pictures" in ran.err
    assert interp(*words, "--budget", 60, "--limit", 4, *TINY).out == ran.out
    assert interp(*words, "--budget", 60, "--limit", 4, "--seed", 1, *TINY).out != ran.out


def test_an_interrupted_run_goes_on():
    words = (*RANK, "--methods", "saliency,gradcam", "--json", *TINY)
    whole = interp(*words).out
    path = Path("interp-out/faithfulness_pictures.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:7]) + "\n" + lines[7][:-2])  # killed in the middle of a line
    ran = interp(*words, "--no-clobber")
    assert ran.out == whole
    assert sorted(row["file"] + row["method"] for row in table(path.name) if row["run"]) == sorted(
        f"photos/{number}.png{method}" for number in range(6) for method in ("random", "centre", "saliency", "gradcam")
    )
    other = interp(*words, "--no-clobber", "--seed", 1)
    assert other.status == 2 and "other weights, options" in other.err


def test_other_metrics_and_baselines():
    ran = interp(*RANK, "--methods", "saliency", "--metrics", "all", "--baselines", "black,mean", "--limit", 2, *TINY)
    assert ran.status == 0, ran.err
    (row,) = [row for row in table("faithfulness.csv") if row["method"] == "saliency"]
    columns = "insertion_black insertion_mean deletion_black deletion_mean road infidelity max_sensitivity"
    assert all(row[name] for name in columns.split()) and "pointing_game" not in row


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_regions_say_where_the_object_is(kind, photos):
    if kind == "boxes":
        boxes = {f"{number}.png": [0, 0, 64, 64] for number in range(3)} | {"3.png": {"box": [0, 0, 32, 64]}}
        Path("where").write_text(json.dumps(boxes))
    else:
        Path("where").mkdir()
        for number in range(3):
            Image.new("L", (64, 64), 255).save(f"where/{number}.png")
        half = Image.new("L", (64, 64), 0)
        half.paste(255, (0, 0, 32, 64))
        half.save("where/3.png")
    ran = interp(*RANK, "--methods", "saliency", "--metrics", "insertion", "--regions", "where", *TINY)
    assert ran.status == 0, ran.err
    mass = {
        row["file"]: row["relevance_mass"] for row in table("faithfulness_pictures.csv") if row["method"] == "random"
    }
    assert [mass[f"photos/{number}.png"] for number in range(6)].count("nan") == 2  # nothing is known of two
    values = [float(mass[f"photos/{number}.png"]) for number in range(4)]
    assert values[:3] == pytest.approx([1, 1, 1]) and abs(values[3] - 0.5) < 0.1


@pytest.mark.parametrize(
    "words, message",
    [
        (("faithfulness", "photos", "--methods", "gradcm"), "did you mean 'gradcam'"),
        (("faithfulness", "photos", "--metrics", "pointing-game"), "--regions"),
        (("faithfulness", "photos", "--regions", "nowhere.json"), "nowhere.json"),
        (("faithfulness", "nowhere"), "no picture"),
        (("sanity", "photos", "--methods", "guided-bakprop"), "guided-backprop"),
        (("sanity", "photos", "--methods", "lrp", *UNRULED), "none of the methods"),
    ],
)
def test_mistakes_are_one_line(words, message):
    ran = interp("evaluate", *words, "-q", *(() if "-m" in words else TINY))
    assert ran.status == 2 and message in ran.err and len(ran.err.strip().splitlines()) == 1


def test_a_broken_picture_does_not_end_the_run(photos):
    (photos / "broken.png").write_bytes(b"no picture")
    for command in (RANK, ("evaluate", "sanity", "photos", "--depths", 2)):
        ran = interp(*command, "--methods", "saliency", *TINY)
        assert ran.status == 1 and "broken.png" in ran.err and "saliency" in ran.out


def test_sanity_tells_a_verdict_and_every_depth():
    ran = interp("evaluate", "sanity", "photos", "--methods", "saliency,gradcam", "--json", *TINY)
    assert ran.status == 0, ran.err
    found = {row["method"]: row for row in map(json.loads, ran.out.splitlines())}
    assert found["saliency"]["blocks"] == ["head", "bn2", "conv2", "bn1", "conv1"]
    assert len(found["gradcam"]["spearman"]) == 5 and found["gradcam"]["pictures"] == 6
    rows = [row for row in table("sanity.csv") if row["method"] == "gradcam"]
    assert len(rows) == 5 + 5 + 1 and rows[-1]["randomisation"] == "two random networks"
    assert float(rows[0]["spearman"]) == pytest.approx(found["gradcam"]["spearman"][0])
    for row in found.values():
        assert row["passed"] == (row["spearman"][0] < 0.8)
        assert (row["verdict"] == "depends on the weights") == row["passed"]
    with Image.open("interp-out/sanity.png") as picture:
        assert picture.width > 600


def test_sanity_needs_no_pictures_and_keeps_to_its_budget():
    ran = interp("evaluate", "sanity", "--methods", "smoothgrad", "--budget", 160, *TINY)
    assert ran.status == 0 and "1 of 5 pictures at 3 depths, cascading only" in ran.err
    assert len(table("sanity.csv")) == 4
