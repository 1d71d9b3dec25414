"""Several networks as one, and networks that only answer."""

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from PIL import Image, ImageStat

import interpret
from interpret import NetworkError
from interpret.models.ensemble import averaged
from tests.command import CAT, FLOWERS, TINY, flowers, interp

# Its scores are the mean brightness of the picture and the rest of 1.
BRIGHTNESS = """
import io, json, sys
from PIL import Image, ImageStat
bright = ImageStat.Stat(Image.open(io.BytesIO(sys.stdin.buffer.read())).convert("L")).mean[0] / 255
print(json.dumps(eval(sys.argv[1])))
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(tmp_path):
    """From what Python shall answer to the name of a network that is a command."""
    (tmp_path / "classify.py").write_text(BRIGHTNESS)
    return lambda answer: f"command:{sys.executable} {tmp_path / 'classify.py'} '{answer}'"


def test_several_networks_are_the_mean_of_their_logits():
    both = interpret.load(["tests.command:flowers", "tests.command:dark_flowers"])
    image = interpret.read(CAT)
    parts = [interpret.load(f"tests.command:{name}")(image) for name in ("flowers", "dark_flowers")]
    torch.testing.assert_close(both(image), (parts[0] + parts[1]) / 2)
    assert list(both.labels) == list(FLOWERS)


def test_networks_of_other_classes_have_no_mean():
    other = flowers()
    other.labels = interpret.Labels(["a", "b", "c", "d", "e"])
    with pytest.raises(NetworkError, match="different classes"):
        averaged([flowers(), other])
    with pytest.raises(NetworkError, match="two networks or more"):
        averaged([flowers()])
    with pytest.raises(NetworkError, match="those of one network"):
        interpret.load(["tests.command:flowers"] * 2, mean=[0.5] * 3)


def test_the_shell_takes_several_networks_and_attacks_them_together():
    interpret.write("cat.png", interpret.read(CAT)[..., :64, :64])
    ran = interp("attack", "pgd", "cat.png", "--json", *TINY, "-m", "tests.command:dark_flowers", "--eps", "8lv")
    assert ran.status == 0
    about = json.loads(ran.out)
    found = interpret.read(about["path"])
    both = interpret.load(["tests.command:flowers", "tests.command:dark_flowers"])
    assert int(both(found).argmax()) == about["after"]


@pytest.mark.parametrize("answer", ["[bright, 1 - bright]", '{"scores": [bright, 1 - bright]}'])
def test_scores_of_a_command(command, answer):
    classifier = interpret.load(command(answer))
    images = torch.stack([torch.full((3, 8, 8), 51 / 255), torch.ones(3, 8, 8) * 0.6])
    with torch.no_grad():
        torch.testing.assert_close(
            classifier(images).softmax(1), torch.tensor([[0.2, 0.8], [0.6, 0.4]]), atol=1e-6, rtol=0
        )


@pytest.mark.parametrize("answer", ["int(bright > 0.5)", '{"label": ["dark", "bright"][bright > 0.5]}'])
def test_classes_of_a_command(command, answer):
    classifier = interpret.load(command(answer), labels=["dark", "bright"])
    assert classifier.predict(torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])).tolist() == [0, 1]


@pytest.mark.parametrize(
    "answer, message",
    [
        ('"cat"', "not a list of scores, nor one of 1000 classes"),
        ("1 / 0", "failed with status 1: ZeroDivisionError"),
        ("1000", "nor one of 1000 classes"),
        ("True", "not a list of scores"),
        ("[1]", "not a list of scores"),
    ],
)
def test_answers_that_say_nothing_are_errors(command, answer, message):
    with pytest.raises(NetworkError, match=message):
        interpret.load(command(answer))


def test_who_only_answers_has_no_gradients(command):
    ran = interp("saliency", CAT, "-m", command("[bright, 1 - bright]"), "-c", "0")
    assert ran.status == 2 and "has no gradients" in ran.err
    for name in ("command:", "command:/nowhere/at/all", "http://example.com/classify", "http://localhost:9/"):
        with pytest.raises(NetworkError, match="needs a command|cannot run|not on this machine|no answer"):
            interpret.load(name)


class Server(BaseHTTPRequestHandler):
    """Answers whether a PNG is bright."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(int(ImageStat.Stat(Image.open(io.BytesIO(body))).mean[0] > 127)).encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def address():
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_an_address_of_this_machine_is_asked(address):
    classifier = interpret.load(address, labels=["dark", "bright"])
    assert classifier.predict(torch.stack([torch.zeros(3, 5, 7), torch.ones(3, 5, 7)])).tolist() == [0, 1]


def test_hopskipjump_from_the_shell_asks_an_address(address, tmp_path):
    picture = tmp_path / "dim.png"
    interpret.write(picture, torch.full((1, 3, 4, 4), 0.45))
    ran = interp("attack", "hopskipjump", picture, "--queries", 100, "--json", "-m", address)
    about = json.loads(ran.out)
    assert (about["success"], about["forwards"], about["backwards"]) == (True, 101, 0)
    assert about["l2"] < 1.5  # 0.2 is enough, as the mean of 16 values must rise by 0.05; noise is 1.7 away
