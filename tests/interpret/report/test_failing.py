"""The report where something fails: a method, a check, a picture; what is left is shown."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import interpret
from interpret import Classifier
from interpret.errors import InterpretError, NetworkError
from interpret.images.files import write
from interpret.report.smallest_change import Attack, change_of
from tests.command import FLOWERS, TINY, flowers, interp
from tests.interpret.report.outline import Outline

FAILURES = {"memory": RuntimeError("out of\nmemory"), "network": NetworkError("no gradient here")}
METHODS = ("saliency", "occlusion")  # with a gradient, and without


class NoWayBack(torch.autograd.Function):
    """The same values, and no gradient of them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, failure: str) -> Tensor:
        ctx.failure = failure
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise FAILURES[ctx.failure]


class Fails(nn.Module):
    """The flowers' network, which fails on its way back, or on dark pictures."""

    def __init__(self, on_dark: bool, failure: str) -> None:
        super().__init__()
        self.inner, self.on_dark, self.failure = flowers().network, on_dark, failure

    def forward(self, images: Tensor) -> Tensor:
        if not self.on_dark:
            return NoWayBack.apply(self.inner(images), self.failure)
        if images.amax() < -1.9:  # black, after normalisation
            raise FAILURES[self.failure]
        return self.inner(images)


def failing(on_dark: bool, failure: str) -> Classifier:
    """A classifier around it."""
    network = Fails(on_dark, failure)
    return Classifier(network, mean=(0.5,) * 3, std=(0.25,) * 3, labels=FLOWERS, input_size=32)


def afraid_of_the_dark() -> Classifier:
    """For the shell."""
    return failing(True, "network")


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A picture and a black one in the current folder."""
    monkeypatch.chdir(tmp_path)
    write("noise.png", torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(2)))
    write("black.png", torch.zeros(1, 3, 40, 60))


@pytest.mark.parametrize("failure", FAILURES)
def test_a_method_that_fails_leaves_the_others(pictures, failure):
    said = " ".join(str(FAILURES[failure]).split())
    page = interpret.report_page(failing(False, failure), ["noise.png"], methods=METHODS)
    words = Outline(page).words
    assert words.count(f"not drawn: {said}") == 1 and words.count(f"not checked: {said}") == 1
    assert "Occlusion for" in page and "Saliency for" not in page
    assert words.index("not drawn") < words.index("not checked")


@pytest.mark.parametrize("failure", FAILURES)
def test_an_attack_that_fails_says_so(failure):
    def run(model: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        raise FAILURES[failure]

    found = change_of(flowers(), torch.rand(1, 3, 32, 32), Attack(run, "nothing"))
    assert found.trouble == " ".join(str(FAILURES[failure]).split())


@pytest.mark.parametrize("failure", FAILURES)
def test_a_picture_that_the_network_fails_on_is_listed(pictures, failure):
    said = " ".join(str(FAILURES[failure]).split())
    classifier = failing(True, failure)
    page = interpret.report_page(classifier, ["black.png", "noise.png"], methods=["saliency"], check=False)
    assert f"Not shown black.png : {said}" in Outline(page).words and "Saliency for" in page
    with pytest.raises(InterpretError, match=f"none of the pictures can be shown: {said}"):
        interpret.report_page(classifier, ["black.png"])


def test_a_picture_that_fails_is_one_line_of_the_shell(pictures):
    model = ("-m", "tests.interpret.report.test_failing:afraid_of_the_dark", "--methods", "saliency", "--no-attack")
    ran = interp("report", "black.png", "noise.png", *model, "--json")
    assert ran.status == 1 and ran.err.splitlines()[0] == "Error: black.png: no gradient here"
    assert ran.err.count("black.png") == 1
    told = json.loads(ran.out)
    assert told["failed"] == [{"picture": "black.png", "reason": "no gradient here"}]
    assert [found["name"] for found in told["found"]] == ["noise.png"]
    alone = interp("report", "black.png", *model, "-o", "none.html")
    assert (alone.status, alone.out, len(alone.err.splitlines())) == (1, "", 1)


def test_no_picture_is_lost_to_another_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ("x/a.png", "y/a.png", "all/x/a.png", "all/b.png")
    for number, name in enumerate(given):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(name, torch.full((1, 3, 32, 32), number / 10))
    asked = ("--methods", "saliency", "--no-attack", "--no-sanity", "--json", *TINY)
    told = json.loads(interp("report", "x/a.png", "y/a.png", "all", "-r", *asked).out)
    assert sorted(found["name"] for found in told["found"]) == sorted(given)
    plain = json.loads(interp("report", "x/a.png", "all/b.png", *asked).out)
    assert [found["name"] for found in plain["found"]] == ["a.png", "b.png"]


def test_standard_output_takes_one_thing(pictures):
    ran = interp("report", "noise.png", "-o", "-", "--json", *TINY)
    assert (ran.status, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert "-o -" in line and "--json" in line
