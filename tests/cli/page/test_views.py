"""Units, Fool, Play and Keep without a browser: what the page shows is what the commands write."""

import http.client
import io
import json
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.page.site import served
from tests.command import TINY, interp


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    draws = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        Image.fromarray(draws.integers(0, 256, (40, 52, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with served(patch, "one.png", "two.png", "three.png", *TINY) as found:
            found.folder = folder
            yield found


@pytest.fixture(autouse=True)
def _beside_the_pictures(site, monkeypatch):
    monkeypatch.chdir(site.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(site.folder / "cache"))


def test_units_of_a_place_are_the_layers_values(site):
    from interpret import activation_maps, read

    (found,) = site.found("place", "units", picture=site.id("one.png"), layer="conv2", place="0.5,0.25")
    maps = activation_maps(site.studio.classifier, read("one.png"), "conv2")[0]
    here = maps[:, found["row"], found["column"]]
    assert (found["rows"], found["columns"]) == maps.shape[1:] and found["row"] == 8
    listed = [one["channel"] for one in found["found"]]
    assert listed == [channel for channel in here.argsort(descending=True).tolist() if here[channel] > 0]
    assert found["found"][0]["value"] == pytest.approx(float(here.max()))


def test_a_unit_has_the_crops_of_the_command_and_its_projection(site, tmp_path):
    events = site.work("unit", picture=site.id("one.png"), layer="conv2", channel="3", at="4,5")
    assert [name for name, _ in events if name in ("crops", "map", "pattern")] == ["crops", "map", *["pattern"] * 3]
    said = dict(events)
    words = ("one.png", "two.png", "three.png", "--layer", "conv2", "--channel", "3")
    ran = interp("top-activations", *words, *TINY, "-o", tmp_path / "crops.npz")
    assert ran.status == 0 and "scanned 0 of 3" in ran.err  # the page's index is the command's
    values = np.load(tmp_path / "crops.npz")["values"]
    assert [crop["value"] for crop in said["crops"]["crops"]] == pytest.approx(values.tolist())
    (path,) = interp("guided-backprop", "one.png", "--unit", "conv2:3@4,5", *TINY, "-o", f"{tmp_path}/").paths
    assert site.ask(said["map"]["file"]).body == path.read_bytes()


def test_what_is_drawn_is_the_commands_picture(site, tmp_path):
    events = site.work("draw", layer="conv2", channel="3")
    assert any(name == "frame" and data["src"].startswith("data:image/webp") for name, data in events)
    found = dict(events)["file"]
    (path,) = interp("visualize", "conv2:3", *TINY, "-o", f"{tmp_path}/").paths
    assert path.name == found["name"] and site.ask(found["file"]).body == path.read_bytes()


@pytest.mark.parametrize(("attack", "target"), [("fgsm", ""), ("pgd", "tulip")])
def test_an_attacked_picture_is_the_commands_file(site, tmp_path, attack, target):
    events = site.work("fool", picture=site.id("two.png"), attack=attack, target=target, level="4")
    assert events[-1][0] == "done"
    levels = {data["level"]: data for name, data in events if name == "level"}
    wanted = ["--target", target] if target else []
    words = ("attack", attack, "two.png", "--eps", "4lv", *wanted, *TINY, "--no-figure", "-o", f"{tmp_path}/")
    ran = interp(*words)
    (path,) = ran.paths
    assert path.name == levels[4]["name"] and site.ask(levels[4]["file"]).body == path.read_bytes()
    assert levels[4]["sentence"] in ran.err.replace(f", read back from {path}", "")
    maps = {data["when"]: data for name, data in events if name == "map"}
    (after,) = interp("gradcam", path, *TINY, "-o", f"{tmp_path}/maps/").paths
    shown = Image.open(io.BytesIO(site.ask(maps["after"]["file"]).body))
    assert np.array_equal(np.asarray(shown), np.asarray(Image.open(after)))


def test_the_smallest_level_that_fools_is_found_and_costs_nothing_again(site, monkeypatch):
    asked = {"picture": site.id("three.png"), "attack": "pgd", "level": "16"}
    events = site.work("fool", **asked)
    levels = {data["level"]: data["success"] for name, data in events if name == "level"}
    (least,) = (data for name, data in events if name == "least")
    assert least["level"] == min((level for level, fools in levels.items() if fools), default=None)
    assert len(levels) <= 5  # of twelve

    def never(*_, **__):
        raise AssertionError("it is known already")

    monkeypatch.setattr("cli.commands.attack.job.Attacking.attempt", never)
    kept = ("level", "map", "least")
    assert [event for event in site.work("fool", **asked) if event[0] in kept] == [
        event for event in events if event[0] in kept
    ]


def test_dreams_and_paintings_are_the_commands_files(site, tmp_path):
    one, two = site.id("one.png"), site.id("two.png")
    (dreamt,) = site.found("dream", "file", picture=one, octaves="1", steps="3", layer="conv2")
    words = ("dream", "one.png", "--layer", "conv2", "--octaves", "1", "--steps", "3")
    (path,) = interp(*words, *TINY, "-o", f"{tmp_path}/").paths
    assert site.ask(dreamt["file"]).body == path.read_bytes() and dreamt["name"] == path.name
    events = site.work("style", picture=one, style=two, steps="3", color="1")
    assert any(name == "frame" for name, _ in events)
    words = ("style", "one.png", "two.png", "--steps", "3", "--preserve-color")
    (path,) = interp(*words, *TINY, "-o", f"{tmp_path}/").paths
    assert site.ask(dict(events)["file"]["file"]).body == path.read_bytes()


def test_the_report_is_the_commands_file(site, tmp_path):
    events = site.work("report", picture=site.id("one.png"), methods="gradcam", **{"class": "poppy"})
    found = dict(events)["file"]
    answer = site.ask(found["file"])
    assert "attachment" in answer.headers["content-disposition"]
    (path,) = interp("report", "one.png", "--methods", "gradcam", "-c", "poppy", *TINY, "-o", tmp_path / "a.html").paths
    assert answer.body == path.read_bytes()


def test_a_place_that_the_network_crops_away_is_told(site):
    Image.fromarray(np.zeros((20, 60, 3), dtype=np.uint8)).save(content := io.BytesIO(), "png")
    dropped = site.ask("/drop", method="POST", body=content.getvalue(), x_name="wide.png")
    (_, told), *_ = site.work("place", picture=json.loads(dropped.body)["id"], place="0.01,0.5")
    assert "crops" in told


def test_a_closed_tab_ends_its_work(site, monkeypatch):
    """The request is cut in the middle of a drawing, which then does not take the rest of its steps."""
    steps = []

    def watched(self, step):
        steps.append(step.number)
        self.ticket.check()
        time.sleep(0.05)
        self.ticket.say("frame", {"step": step.number})

    monkeypatch.setattr("cli.commands.page.frames.Frames.__call__", watched)
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.request("GET", "/work/draw?layer=conv2&channel=5")
    connection.getresponse().read(10)
    connection.sock.close() if connection.sock else None
    connection.close()
    (found,) = site.found("place", "units", picture=site.id("one.png"), layer="conv2", place="0.5,0.5")
    assert found["rows"] and 0 < len(steps) < 90


def test_who_waits_knows_their_place_and_gets_the_same(site):
    """Several at once: each is told how many are before it, and nothing gets mixed up."""
    names, found = ("one.png", "two.png", "three.png"), {}

    def ask(name: str, query: str) -> None:
        found[name, query] = site.work("look", picture=site.id(name), methods="saliency,gradcam", **{"class": query})

    threads = [threading.Thread(target=ask, args=(name, query)) for name in names for query in ("rose", "poppy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(event == "place" and data > 0 for events in found.values() for event, data in events)
    for (name, query), events in found.items():
        maps = [data for event, data in events if event == "map"]
        assert [one["method"] for one in maps] == ["saliency", "gradcam"], (name, query)
        assert all(one["label"].startswith(query) and name in one["command"] for one in maps)
        with torch.no_grad():
            shares = site.studio.classifier(site.studio.gallery.find(site.id(name)).read()).softmax(1)[0]
        index = site.studio.classifier.labels.find(query).indices[0]
        assert maps[0]["label"].endswith(f"{shares[index]:.2f}")
