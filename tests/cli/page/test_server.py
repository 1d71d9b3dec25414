"""The page's server without a browser: what it shows is what the commands write, and who is refused."""

import io
import json
import shlex
import struct
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from tests.cli.page.site import served
from tests.command import TINY, interp


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    draws = np.random.default_rng(0)
    for name, size in (("one", (40, 60, 3)), ("two", (50, 36, 3))):
        Image.fromarray(draws.integers(0, 256, size, dtype=np.uint8)).save(folder / f"{name}.png")
    (folder / "secret.txt").write_text("secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with served(patch, "one.png", "two.png", *TINY) as found:
            found.folder = folder
            yield found


@pytest.fixture(autouse=True)
def _beside_the_pictures(site, monkeypatch):
    monkeypatch.chdir(site.folder)


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["gradcam"], {"methods": "gradcam"}),
        (["gradcam", "-c", "tulip", "--layer", "conv2", "--opacity", "0.4"], {"methods": "gradcam"}),
        (["guided-backprop", "-c", "2", "--versus", "rose"], {"methods": "guided-backprop"}),
        (["smoothgrad", "-c", "poppy"], {"methods": "smoothgrad,saliency"}),
        (["gradcam", "--unit", "conv2:3@4,5"], {"methods": "gradcam"}),
    ],
)
def test_a_map_is_the_commands_file(site, tmp_path, words, chosen):
    flags = dict(zip(words[1::2], words[2::2], strict=True))
    names = {"-c": "class", "--layer": "layer", "--opacity": "opacity", "--versus": "versus", "--unit": "unit"}
    asked = chosen | {names[flag]: value for flag, value in flags.items()}
    (found, *_) = site.found("look", "map", picture=site.id("one.png"), **asked)
    shown = site.ask(found["file"])
    ran = interp(words[0], "one.png", *words[1:], *TINY, "-o", f"{tmp_path}/")
    (path,) = ran.paths
    assert shown.headers["content-type"] == "image/png" and path.name == found["name"]
    assert shown.body == path.read_bytes()


def test_the_lines_repeat_what_is_shown(site, tmp_path, monkeypatch):
    (found,) = site.found("look", "map", picture=site.id("two.png"), methods="gradcam", **{"class": "daisy"})
    shown = site.ask(found["file"]).body
    program, *words = shlex.split(found["command"])
    assert program == "interp"
    (path,) = interp(*words).paths
    assert path.read_bytes() == shown
    path.unlink()
    monkeypatch.setattr("interpret.load", lambda name: site.studio.classifier)
    exec(compile(found["python"], "page", "exec"), {})
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(io.BytesIO(shown))))


def test_values_are_the_maps_own(site, tmp_path):
    (found,) = site.found("look", "map", picture=site.id("one.png"), methods="gradcam")
    width, height = found["grid"]
    values = np.frombuffer(site.ask(found["values"]).body, "<f4").reshape(height, width)
    (path,) = interp("gradcam", "one.png", *TINY, "-o", tmp_path / "raw.npy").paths
    assert np.array_equal(values, np.load(path)[0]) and found["largest"] == pytest.approx(values.max())


def test_maps_have_verdicts_and_failures_have_reasons(site):
    events = site.work("look", picture=site.id("one.png"), methods="gradcam,legrad")
    names = [name for name, _ in events if name not in ("progress", "place")]
    assert names == ["picture", "predictions", "map", "failed", "areas", "sanity", "done"]
    said = dict(events)
    assert said["failed"]["method"] == "legrad" and "attention" in said["failed"]["text"]
    assert 0 <= said["areas"]["deletion"] <= 1 and len(said["areas"]["floors"]) == 2
    assert len(said["predictions"]) == 5 and said["predictions"][0]["probability"] > 0


def test_a_dropped_picture_is_explained_as_its_file_is(site, tmp_path):
    content = (site.folder / "one.png").read_bytes()
    dropped = site.ask("/drop", method="POST", body=content, x_name=quote("../../one.png"))
    assert dropped.status == 200, dropped.body
    about = json.loads(dropped.body)
    assert about["name"] == "one.png" and (about["width"], about["height"]) == (60, 40)
    (found,) = site.found("look", "map", picture=about["id"], methods="gradcam")
    (path,) = interp("gradcam", "one.png", *TINY, "-o", f"{tmp_path}/").paths
    assert site.ask(found["file"]).body == path.read_bytes()


@pytest.mark.parametrize(
    "chosen",
    [
        {"picture": "nowhere"},
        {"methods": "no-such"},
        {"methods": "gradcam", "class": "submarine"},
        {"class": "--mask=secret.txt"},
        {"layer": "../secret.txt"},
        {"unit": "conv2:99"},
        {"opacity": "7"},
        {"opacity": "--raw"},
    ],
)
def test_what_cannot_be_is_one_sentence(site, chosen):
    events = site.work("look", **{"picture": site.id("one.png"), "methods": "gradcam", **chosen})
    told = [data if name == "trouble" else data["text"] for name, data in events if name in ("trouble", "failed")]
    assert len(told) == 1 and told[0] and "\n" not in told[0] and "Traceback" not in told[0]
    assert not list(site.folder.glob("*.npz"))


def test_strangers_are_refused(site):
    own = f"127.0.0.1:{site.port}"
    assert site.ask("/", Host=own).status == site.ask("/", Host=f"localhost:{site.port}").status == 200
    for host in ("evil.example", f"evil.example:{site.port}", "127.0.0.1", f"127.0.0.1:{site.port + 1}", ""):
        assert site.ask("/about", Host=host).status == 403
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://{own}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        refused = site.ask("/drop", method="POST", body=b"x", **headers)
        assert refused.status == 403 and b"another site" in refused.body
        assert site.ask(f"/work/look?picture={site.id('one.png')}", **headers).status == 403
    assert site.ask("/", Sec_Fetch_Site="cross-site").status == 200  # a link to the page
    policy = site.ask("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/page/../command.py",
        "/page/..%2Fcommand.py",
        "/page/%2e%2e/server.py",
        "/page//etc/passwd",
        "/picture/../secret.txt/160",
        "/picture/secret.txt/160",
        "/picture/..%2Fsecret.txt/1600",
        "/file/..%2F..%2Fsecret.txt",
        "/values/secret.txt",
        "/secret.txt",
        "/work/../about.py",
    ],
)
def test_no_path_leads_out_of_the_page(site, path):
    answer = site.ask(path)
    assert answer.status == 404 and b"secret" not in answer.body


def _bomb(side: int) -> bytes:
    """A PNG whose head says that it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 422, b"no picture"),
        (b"\x80\x04\x95.", 422, b"no picture"),  # a pickle
        (b"<svg onload='alert(1)'/>", 422, b"no picture"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, 422, b"a.png"),
        (_bomb(8_000), 422, b"million pixels"),
        (_bomb(60_000), 422, b"too large"),
        (b"\0" * (32 * 2**20 + 1), 413, b"32 MB"),
    ],
)
def test_bad_uploads_are_refused(site, content, status, said):
    answer = site.ask("/drop", method="POST", body=content, x_name="a.png")
    assert answer.status == status and said in answer.body and b"\n" not in answer.body.strip()


def test_an_upload_that_says_it_is_small_is_still_cut_off(site):
    answer = site.ask("/drop", method="POST", body=b"\0" * 100, Content_Length=str(10**12))
    assert answer.status == 413


def test_the_page_is_small_and_needs_nothing_from_outside(site):
    from cli.commands.page.server import page_files

    files = page_files()
    assert sum(len(content) for content, _ in files.values()) < 150_000
    for name, (content, kind) in files.items():
        answer = site.ask(f"/page/{name}")
        assert answer.body == content and answer.headers["content-type"].startswith(kind)
        assert b"//" not in content.replace(b"http://www.w3.org/2000/svg", b"").replace(b"// ", b""), name
