"""In a notebook results show themselves, and the one in samples/ runs from its first cell to its last."""

import io
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from PIL import Image

import interpret
from interpret import progress
from interpret.notebook import load_ipython_extension
from tests.tiny import SmallCNN

TOUR = Path(__file__).parents[1] / "samples" / "tour.ipynb"


@pytest.fixture
def png():
    formatter = DisplayFormatter()
    load_ipython_extension(SimpleNamespace(display_formatter=formatter))

    def shown(value):
        found = formatter.formatters["image/png"](value)
        return None if found is None else np.asarray(Image.open(io.BytesIO(found)).convert("RGB")).astype(int)

    return shown


def test_images_are_shown_beside_each_other(png):
    images = torch.rand(2, 3, 10, 12)
    assert np.abs(png(images) - torch.cat(list(images), 2).permute(1, 2, 0).numpy() * 255).max() <= 0.5 + 1e-3


def test_maps_have_colours_and_no_evidence_is_grey(png):
    signed = torch.zeros(1, 1, 10, 12)
    signed[..., :6], signed[..., 11] = 2, -1
    shown = png(signed)
    assert np.ptp(shown[0, 8]) == 0 and shown[0, 0, 0] > shown[0, 0, 2] and shown[0, 11, 2] > shown[0, 11, 0]
    assert np.array_equal(png(signed.expand(1, 3, 10, 12)), shown)


@pytest.mark.parametrize("shape", [(3, 10, 12), (1, 5, 10, 12), (4, 1, 2, 2), (0, 3, 10, 12)])
def test_other_tensors_stay_text(png, shape):
    assert png(torch.rand(shape)) is None
    assert png(torch.full((1, 3, 9, 9), torch.nan)) is None


def test_figures_are_shown(png):
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([0, 1])
    assert png(figure).std() > 0


def test_a_classifier_is_three_lines():
    labels = ["owl", "a\nb"]
    classifier = interpret.Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.25] * 3, labels=labels, input_size=12)
    first, second, third = repr(classifier).splitlines()
    assert "SmallCNN" in first and "2 classes from owl to" in first
    assert "12 x 12" in second and "mean 0.5, 0.5, 0.5" in second and "classification" in third


def test_bars_appear_in_a_notebook(monkeypatch):
    assert progress.progress_bar(3, "work", "piece").disable
    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None))
    monkeypatch.setitem(progress.sys.modules, "IPython", ipython)
    with progress.progress_bar(3, "work", "piece") as bar:
        assert not bar.disable


@pytest.mark.slow
def test_the_tour_runs(tmp_path):
    from nbclient import NotebookClient

    tour = nbformat.read(TOUR, 4)
    NotebookClient(tour, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [data for cell in tour.cells for data in cell.get("outputs", ()) if "image/png" in data.get("data", {})]
    assert len(shown) == 6
