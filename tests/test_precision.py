"""Narrow arithmetic: maps and logits are wide, close to the exact ones, and the same from the shell."""

import numpy as np
import pytest
import torch

import interpret
from interpret import InterpretError, NetworkError
from tests.command import SQUEEZE, interp


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]).double())[0, 1])


@pytest.fixture(scope="module")
def narrow():
    return interpret.load("squeezenet1_1", precision="bf16")


def test_logits_are_close_and_wide(narrow, squeezenet, cat):
    with torch.no_grad():
        exact, found = squeezenet(cat), narrow(cat)
    assert found.dtype == torch.float32 and not torch.equal(found, exact)
    assert (found - exact).abs().max() < 0.05 * exact.abs().max() and found.argmax() == exact.argmax()
    assert narrow.on_inputs().precision == "bf16"


@pytest.mark.parametrize(
    ("method", "least"), [("gradcam", 0.99), ("gradcam_plusplus", 0.99), ("saliency", 0.8), ("guided_backprop", 0.95)]
)
def test_maps_are_close_and_wide(narrow, squeezenet, cat, method, least):
    target = squeezenet.find("cat", cat)
    exact, found = (getattr(interpret, method)(network, cat, target) for network in (squeezenet, narrow))
    assert found.dtype == torch.float32 and torch.isfinite(found).all()
    assert correlation(exact, found) > least and not torch.equal(exact, found)


def test_from_the_shell(squeezenet, cat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = interp("gradcam", "sample:cat", *SQUEEZE, "--precision", "bf16", "-c", "tabby", "-o", "narrow.npy")
    assert run.status == 0, run.err
    exact = interpret.gradcam(squeezenet, cat, squeezenet.find("tabby", cat))[0]
    found = torch.tensor(np.load("narrow.npy"))
    assert correlation(exact, found) > 0.99 and not torch.equal(exact, found)


def test_an_unknown_precision_is_refused():
    with pytest.raises((InterpretError, NetworkError), match="float32, bf16, fp16"):
        interpret.load("squeezenet1_1", precision="int3")
