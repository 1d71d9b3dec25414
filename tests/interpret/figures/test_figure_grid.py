"""Figure grids: what stands where, what shares a scale, and what the cache saves."""

import functools
import os

import numpy as np
import pytest
import torch
from matplotlib._pylab_helpers import Gcf
from PIL import Image

import interpret
from interpret.errors import InterpretError
from interpret.explainers.sharing import shared_passes
from interpret.figures.cache import MapStore
from interpret.figures.figure_grid import _named, grid_of
from interpret.figures.grid_layout import arrange
from interpret.figures.grid_maps import Cell, GridContents, cells_of
from interpret.network.hooks import left_as_found
from tests.command import flowers

CAMS = ("gradcam", "gradcam_plusplus", "xgradcam", "layercam", "hirescam", "guided_gradcam", "eigencam")


@pytest.fixture
def classifier():
    return flowers()


@pytest.fixture
def images():
    draws = torch.Generator().manual_seed(1)
    return {"a": torch.rand(1, 3, 40, 60, generator=draws), "b": torch.rand(1, 3, 40, 40, generator=draws)}


def brighter(model, images, labels, *, by=0.25):
    """Stands for an attack."""
    return (images + by).clamp(0, 1)


def cells(classifier, images, **asked):
    contents = GridContents({"net": classifier} if not isinstance(classifier, dict) else classifier, **asked)
    return [cell for name, image in images.items() for cell in cells_of(name, image, contents)]


def texts(figure):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in figure.texts]


def probabilities(classifier, image):
    """(classes,) of a picture, without dropout."""
    with left_as_found(classifier), torch.no_grad():
        return classifier(image).softmax(1)[0]


def passes(classifier):
    """Counts the forward passes of a network."""
    runs = []
    classifier.network.register_forward_hook(lambda *given: runs.append(1))
    return runs


def test_it_is_the_paper_s_figure(classifier, images):
    found = cells(
        classifier,
        {"a": images["a"]},
        methods=["guided_backprop", "gradcam", "guided_gradcam"],
        classes=["rose", "poppy"],
    )
    layout = arrange(found, None, None, "each")
    assert (layout.rows, layout.cols) == (2, 4)
    assert [[layout.cells[row, col].place["methods"] for col in range(4)] for row in range(2)] == [
        ["picture", "guided_backprop", "gradcam", "guided_gradcam"]
    ] * 2
    assert [layout.cells[row, 2].place["classes"] for row in range(2)] == ["rose", "poppy"]
    shares = probabilities(classifier, images["a"])
    labels = [[text.replace("\N{NO-BREAK SPACE}", " ") for text in label] for label in layout.row_labels]
    assert labels == [[f"rose {shares[0]:.2f}"], [f"poppy {shares[3]:.2f}"]]
    top = int(shares.argmax())
    figure = grid_of(found)
    assert len(figure.axes) == 7  # the photo, which is the same in both rows, stands once
    words = " ".join(texts(figure))
    assert f"prediction: {classifier.name(top)} {shares[top]:.2f}" in words
    assert "Guided backpropagation" in words and "Guided Grad-CAM" in words


@pytest.mark.parametrize(
    ("asked", "rows", "cols", "shape"),
    [
        ({"methods": ["gradcam", "saliency"]}, None, None, (2, 3)),
        ({"methods": ["gradcam", "saliency"]}, ["methods"], None, (3, 2)),
        ({"methods": ["gradcam"], "top_k": 2}, None, None, (2, 3)),
        ({"methods": ["gradcam"], "classes": ["rose", "tulip"]}, ["images", "classes"], None, (4, 2)),
        ({"methods": ["gradcam", "saliency"], "layers": ["conv1", "conv2"]}, ["images"], ["layers", "methods"], (2, 4)),
        ({"methods": ["gradcam"], "attacks": {"bright": brighter}}, None, None, (2, 4)),
        ({"methods": ["gradcam"], "picture": False}, None, None, (2, 1)),
    ],
)
def test_any_axis_goes_down_or_across(classifier, images, asked, rows, cols, shape):
    layout = arrange(cells(classifier, images, **asked), rows, cols, "each")
    assert (layout.rows, layout.cols) == shape
    assert len(layout.cells) == shape[0] * shape[1]


def test_every_map_is_the_explainer_s_own(classifier, images):
    found = cells(classifier, images, methods=CAMS, classes=["tulip"], layers=["conv1", "conv2"], picture=False)
    assert len(found) == 2 * 2 * len(CAMS)
    for cell in found:
        method, layer = cell.place["methods"], cell.place["layers"]
        inputs = classifier.prepare(images[cell.place["images"]])[0]
        alone = getattr(interpret, method)(classifier.on_inputs(), inputs, 1, layer=layer)
        torch.testing.assert_close(cell.attribution, alone, rtol=1e-5, atol=1e-7)


def test_class_activation_maps_share_one_pass(classifier, images):
    cells(classifier, {"b": images["b"]}, methods=["gradcam"])  # which finds the default layer, for good
    runs = passes(classifier)
    cells(classifier, {"b": images["b"]}, methods=CAMS[:5], classes=["rose", "tulip", "daisy"])
    assert len(runs) == 2  # the prediction, and what all fifteen maps were made from
    inputs = classifier.prepare(images["b"])[0]
    for _ in range(2):
        interpret.gradcam(classifier.on_inputs(), inputs, 0)
    assert len(runs) == 4  # outside, nothing is kept


def test_shared_passes_do_not_mix_pictures(classifier, images):
    view = classifier.on_inputs()
    inputs = [classifier.prepare(image)[0] for image in images.values()]
    alone = [interpret.layercam(view, given, 2) for given in inputs]
    with shared_passes():
        for _ in range(2):
            for given, expected in zip(inputs, alone, strict=True):
                torch.testing.assert_close(interpret.layercam(view, given, 2), expected)


def test_pictures_of_an_attack_and_what_is_then_predicted(classifier, images):
    found = cells(classifier, images, methods=["saliency"], attacks={"bright": brighter})
    clean, bright = (
        {cell.place["images"]: cell for cell in found if cell.place["attacks"] == name and cell.attribution is None}
        for name in ("clean", "bright")
    )
    for name, image in images.items():
        assert torch.equal(clean[name].image, image)
        assert torch.equal(bright[name].image, brighter(None, image, None))
        top = probabilities(classifier, bright[name].image).max()
        assert bright[name].label.endswith(f"{float(top):.2f}")


def made(values, row, col, method="gradcam"):
    attribution = torch.tensor(values).view(1, 1, 1, -1)
    geometry = flowers().prepare(torch.rand(1, 3, 32, 32))[1]
    place = {"images": f"picture {row}", "classes": f"class {col}", "methods": method}
    return Cell(place, torch.rand(1, 3, 32, 32), geometry, attribution)


@pytest.mark.parametrize(
    ("scale", "limits", "bars"),
    [
        ("each", [[1, 2], [4, 3]], set()),
        ("row", [[2, 2], [4, 4]], {(0, 1), (1, 1)}),
        ("col", [[4, 3], [4, 3]], {(1, 0), (1, 1)}),
        ("shared", [[4, 4], [4, 4]], {(1, 1)}),
    ],
)
def test_whose_largest_value_gets_the_strongest_colour(scale, limits, bars):
    found = [made([0.0, 1.0], 0, 0), made([0.0, 2.0], 0, 1), made([0.0, 4.0], 1, 0), made([-3.0, 1.0], 1, 1)]
    layout = arrange(found, ["images"], ["classes"], scale)
    assert [[layout.scales[row, col][0] for col in range(2)] for row in range(2)] == limits
    assert layout.bars == bars
    # Colours mean the same along a bar: one map below zero draws its whole group around zero.
    assert layout.scales[1, 1][1]
    assert layout.scales[0, 0][1] == (scale == "shared")


def test_methods_never_share_a_scale():
    found = [made([0.0, 1.0], 0, 0), made([0.0, 100.0], 0, 0, "hirescam")]
    layout = arrange(found, None, None, "shared")
    assert sorted(limit for limit, _ in layout.scales.values()) == [1, 100]


def test_a_blank_map_says_why():
    found = [made([0.0, 0.0], 0, 0), made([0.0, 1.0], 1, 0)]
    found[0] = Cell(found[0].place, found[0].image, found[0].geometry, found[0].attribution, diagnosis="it is zero: so")
    layout = arrange(found, None, None, "each")
    assert layout.captions == {(0, 0): "it is zero"}


def test_a_grid_drawn_again_runs_no_network(classifier, images, tmp_path):
    grid = functools.partial(
        interpret.figures.grid,
        classifier,
        images,
        methods=["gradcam", "saliency"],
        attacks={"bright": functools.partial(brighter, by=0.1)},
        cache=tmp_path,
    )
    first = grid()
    runs = passes(classifier)
    again = grid()
    grid(rows=["methods"], scale="shared", view="heatmap", whole=True)
    assert not runs
    for one, other in zip(first.axes, again.axes, strict=True):
        assert np.array_equal(one.images[0].get_array(), other.images[0].get_array())
    grid(attacks={"bright": functools.partial(brighter, by=0.2)})
    assert runs  # another attack


@pytest.mark.parametrize("change", ["weights", "preprocessing", "picture", "option", "class", "layer", "method"])
def test_the_cache_tells_apart_what_differs(change, classifier, images, tmp_path):
    image, asked = images["b"], {"methods": ["gradcam"], "classes": [0], "layers": ["conv2"], "picture": False}
    cells(classifier, {"b": image}, store=MapStore(tmp_path), **asked)
    if change == "weights":
        classifier.network.conv1.weight.data[0, 0, 0, 0] += 1
    elif change == "preprocessing":
        classifier = flowers(0.4)
    elif change == "picture":
        image = image.clone()
        image[0, 0, 0, 0] += 1e-6
    else:
        asked |= {
            "option": {"options": {"gradcam": {"relu": False}}},
            "class": {"classes": [1]},
            "layer": {"layers": ["conv1"]},
            "method": {"methods": ["layercam"]},
        }[change]
    (with_cache,) = cells(classifier, {"b": image}, store=MapStore(tmp_path), **asked)
    (without,) = cells(classifier, {"b": image}, **asked)
    assert torch.equal(with_cache.attribution, without.attribution)


def test_a_damaged_or_closed_cache_costs_passes_only(tmp_path, caplog):
    made = []

    def make():
        made.append(1)
        return torch.ones(2)

    store = MapStore(tmp_path)
    assert torch.equal(store.get({"a": 1}, make), torch.ones(2))
    assert torch.equal(store.get({"a": 1}, make), torch.ones(2)) and len(made) == 1
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[:50])
    assert torch.equal(store.get({"a": 1}, make), torch.ones(2)) and len(made) == 2
    assert not caplog.records
    file = tmp_path / "file"
    file.touch()
    closed = MapStore(file)
    for number in range(2):
        assert torch.equal(closed.get({"b": number}, make), torch.ones(2))
    assert len(caplog.records) == 1


def test_the_cache_stays_within_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr("interpret.figures.cache.MAX_BYTES", 3000)
    store = MapStore(tmp_path)
    for number in range(5):
        store.get({"a": number}, lambda: torch.ones(100))
    assert 1 <= len(list(tmp_path.glob("*.npz"))) <= 3


def test_a_cache_deletes_nothing_that_is_not_its_own(tmp_path, monkeypatch):
    """Neither by another name nor with other contents, though it may be called like one of its own."""
    monkeypatch.setattr("interpret.figures.cache.MAX_BYTES", 1000)
    others = [tmp_path / "mine.npz", tmp_path / f"{'0' * 32}.npz", tmp_path / f"{'1' * 32}.npz"]
    np.savez(others[0], values=np.zeros(9), key=np.array("{}"))
    np.savez(others[1], images=np.zeros(9))
    others[2].write_bytes(b"no archive")
    for other in others:
        os.utime(other, (0, 0))
    store = MapStore(tmp_path)
    for number in range(3):
        store.get({"a": number}, lambda: torch.ones(100))
    assert all(other.exists() for other in others) and len(list(tmp_path.iterdir())) < 6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"methods": ["gradcm"]}, "did you mean 'gradcam'"),
        ({"methods": []}, "at least one method"),
        ({"classes": ["rosse"]}, "rose"),
        ({"classes": ["rose"], "top_k": 2}, "leave out the classes"),
        ({"methods": ["saliency"], "layers": ["conv1"]}, "looks at a layer"),
        ({"rows": ["image"]}, "did you mean 'images'"),
        ({"rows": ["images"], "cols": ["images"]}, "cannot go down and across"),
        ({"scale": "both"}, "scale is one of"),
    ],
)
def test_what_is_wrong_is_said_before_the_work(classifier, images, wrong, said):
    runs = passes(classifier)
    with pytest.raises(InterpretError, match=said):
        interpret.figures.grid(classifier, images, **wrong)
    assert not runs


def test_a_list_of_pictures_in_any_form_loses_none(classifier, tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        interpret.write(tmp_path / folder / "owl.png", torch.rand(3, 16, 16))
    files = [tmp_path / folder / "owl.png" for folder in ("one", "other")]
    given = [*files, interpret.read(files[0]), Image.open(files[1])]
    named = _named(given)
    assert list(named) == ["owl", "owl (2)", "picture 3", "picture 4"]
    assert torch.equal(named["owl"], named["picture 3"]) and torch.equal(named["owl (2)"], named["picture 4"])
    assert list(_named(torch.rand(2, 3, 8, 8))) == ["picture 1", "picture 2"]
    assert interpret.grid(classifier, given[2:], methods=["saliency"], classes=[0]).axes


def test_a_network_alone_is_no_classifier(classifier, images):
    with pytest.raises(InterpretError, match="Classifier"):
        interpret.grid(classifier.network, images)


def test_the_figure_is_as_wide_as_asked_and_unknown_to_pyplot(classifier, images):
    for width in (None, 3.3, 6.5):
        figure = interpret.grid(classifier, images["a"], classes=["rose", "tulip"], width=width)
        assert width is None or figure.get_size_inches()[0] == pytest.approx(width)
        for axes in figure.axes:
            box = axes.get_position()
            assert 0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1
    assert not Gcf.figs
