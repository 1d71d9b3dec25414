"""Figures: closed forms of the colours, how maps look, and what the eye must not be told wrongly."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import interpret
from interpret.explainers.aggregation import combined
from interpret.figures import attack_figure
from interpret.figures.colours import DIVERGING, HEAT, Scale, colorize
from interpret.figures.display import Display, heatmap, limit_of, overlay, own_colours, side_by_side
from interpret.figures.panels import Panel, captioned, in_rows, panel_figure, stamped
from tests.command import flowers


def colours(table):
    return np.array([list(bytes.fromhex(colour)) for colour in table.split()])


def pixels(picture):
    return np.asarray(picture).astype(int)


def base(image):
    """What an overlay shows where there is no heat: the picture without its colour."""
    grey = image[0].permute(1, 2, 0).numpy().astype(float) @ (0.299, 0.587, 0.114)
    return np.repeat(np.round(grey * 255).astype(int)[..., None], 3, 2)


@pytest.fixture
def image():
    return torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))


def test_the_limit_is_the_largest_size_of_all_maps():
    first, second = torch.tensor([[1.0, -3.0]]), torch.tensor([[2.0, 0.5]])
    assert limit_of(first) == 3
    assert limit_of(second) == 2
    assert limit_of(first, second) == 3
    assert limit_of(torch.zeros(2, 2)) == 0
    assert limit_of(torch.tensor([[float("nan"), 1.0, float("inf")]])) == 1
    assert limit_of(torch.full((2, 2), float("nan"))) == 0


def test_the_limit_as_a_percentile():
    values = torch.arange(101.0).view(1, 101)
    assert limit_of(values, percentile=99) == 99
    sparse = torch.zeros(10, 10)
    sparse[0, 0] = 5
    assert limit_of(sparse, percentile=90) == 5  # rather than nothing at all


def test_colours_without_signs():
    table = colours(HEAT)
    drawn = colorize(np.array([[0.0, 2.0, 4.0, 9.0, np.nan]]), limit=4, signed=False)
    np.testing.assert_allclose(drawn[0] * 255, table[[0, 4, 8, 8, 0]], atol=1e-9)
    between = colorize(np.array([[0.25]]), limit=4, signed=False)
    np.testing.assert_allclose(between[0, 0] * 255, (table[0] + table[1]) / 2, atol=1e-9)


def test_colours_around_zero():
    table = colours(DIVERGING)
    drawn = colorize(np.array([[-9.0, -4.0, -2.0, 0.0, 2.0, 4.0, np.nan]]), limit=4, signed=True)
    np.testing.assert_allclose(drawn[0] * 255, table[[0, 0, 2, 4, 6, 8, 4]], atol=1e-9)
    assert len(set(table[4])) == 1  # zero has no colour


@pytest.mark.parametrize("signed", [False, True])
def test_a_zero_map_is_drawn_as_zero_everywhere(signed):
    drawn = colorize(np.zeros((2, 3)), limit=0, signed=signed)
    np.testing.assert_allclose(
        drawn * 255, np.broadcast_to(colours(DIVERGING)[4] if signed else colours(HEAT)[0], (2, 3, 3))
    )


def test_the_heat_gets_lighter_all_the_way():
    steps = colorize(np.linspace(0, 1, 50)[None], limit=1, signed=False)[0] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(steps) > 0).all()


def test_a_map_with_negative_values_is_drawn_around_zero():
    drawn = pixels(heatmap(torch.tensor([[-1.0, 0.0, 1.0]])))
    np.testing.assert_array_equal(drawn[0], colours(DIVERGING)[[0, 4, 8]])
    drawn = pixels(heatmap(torch.tensor([[0.0, 1.0]])))
    np.testing.assert_array_equal(drawn[0], colours(HEAT)[[0, 8]])


def test_channels_are_combined():
    attribution = torch.tensor([1.0, -4.0, 2.0]).view(1, 3, 1, 1)
    assert combined(attribution, "sum").item() == -1
    assert combined(attribution, "max").item() == -4
    assert combined(attribution, "mean", absolute=True).item() == pytest.approx(7 / 3)
    assert combined(attribution, "max", absolute=True).item() == 4


def test_own_colours_lie_around_grey():
    attribution = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 0.0]]).view(1, 3, 1, 2)
    np.testing.assert_array_equal(pixels(own_colours(attribution))[0], [[255, 0, 128], [128, 128, 128]])
    assert (pixels(own_colours(torch.zeros(1, 3, 2, 2))) == 128).all()


def test_an_overlay_shows_the_picture_where_there_is_no_heat(image):
    attribution = torch.zeros(1, 1, 40, 60)
    np.testing.assert_array_equal(pixels(overlay(image, attribution)), base(image))
    attribution[..., 10:20, 10:20] = 1
    drawn = pixels(overlay(image, attribution))
    cold = (attribution == 0)[0, 0].numpy()
    np.testing.assert_array_equal(drawn[cold], base(image)[cold])
    assert (drawn[~cold] != base(image)[~cold]).any(1).all()


def test_not_a_number_is_no_heat(image):
    attribution = torch.zeros(1, 1, 40, 60)
    attribution[..., 5, 5] = float("nan")
    np.testing.assert_array_equal(pixels(overlay(image, attribution)), base(image))


def test_what_was_not_seen_is_hatched_whatever_the_map_says(image):
    seen = torch.ones(40, 60, dtype=torch.bool)
    seen[:, :15] = False
    cold = torch.zeros(1, 1, 40, 60)
    hot = cold.clone()
    hot[..., :15] = 1
    for draw in (lambda map_, **options: overlay(image, map_, limit=1.0, **options), heatmap):
        drawn = pixels(draw(cold, seen=seen))
        plain = pixels(draw(cold))
        np.testing.assert_array_equal(drawn[:, 15:], plain[:, 15:])
        hidden = drawn[:, :15]
        assert (hidden.max(2) == hidden.min(2)).all()  # grey
        assert (hidden.sum(2) < plain[:, :15].sum(2)).all()  # and darker
    brightness = pixels(overlay(torch.ones_like(image), hot, limit=1.0, seen=seen))[:, :15]
    assert len(np.unique(brightness)) > 1  # lines


def test_a_shared_limit_makes_pictures_comparable(image):
    weak, strong = torch.full((1, 1, 40, 60), 0.5), torch.full((1, 1, 40, 60), 2.0)
    limit = limit_of(weak, strong)
    assert (pixels(overlay(image, weak, limit=limit)) != pixels(overlay(image, weak))).any()
    mixed = torch.cat([weak[..., :30], strong[..., 30:]], 3)
    together = pixels(overlay(image, mixed, limit=limit))
    np.testing.assert_array_equal(together[:, :30], pixels(overlay(image, weak, limit=limit))[:, :30])
    np.testing.assert_array_equal(together[:, 30:], pixels(overlay(image, strong, limit=limit))[:, 30:])


def test_a_map_of_another_size_is_refused(image):
    with pytest.raises(interpret.InterpretError, match="does not lie on"):
        overlay(image, torch.zeros(1, 1, 7, 7))
    with pytest.raises(interpret.InterpretError, match="one map with one channel"):
        overlay(image, torch.zeros(1, 3, 40, 60))


@pytest.mark.parametrize("channels", [1, 3])
def test_side_by_side(channels):
    image = torch.rand(1, channels, 40, 60)
    attribution = torch.linspace(-1, 4, 2400).view(1, 1, 40, 60)
    figure = side_by_side(image, attribution, title="tabby 0.9", caption="Grad-CAM", unit="logit")
    left, right, bar = figure.axes
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["tabby 0.9", "Grad-CAM"]
    assert bar.get_ylabel() == "logit"
    assert bar.get_ylim() == (-4, 4)  # in the attribution's own unit, zero in the middle
    figure.canvas.draw()


def test_a_zero_map_has_a_figure():
    side_by_side(torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)).canvas.draw()


def test_one_channel_pictures_are_drawn_in_grey():
    drawn = pixels(overlay(torch.rand(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)))
    assert (drawn.max(2) == drawn.min(2)).all()


def test_figures_are_made_without_pyplot():
    code = (
        "import sys, torch; from interpret import side_by_side;"
        "side_by_side(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)).savefig('/dev/null', format='png');"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


@pytest.mark.parametrize("view", ["overlay", "heatmap"])
@pytest.mark.parametrize("lowest", [-1.0, 0.0])
@pytest.mark.parametrize("colormap", ["", "RdBu_r,viridis"])
def test_the_bar_has_the_colours_that_are_in_the_picture(view, lowest, colormap):
    names = colormap.split(",") if colormap else ()
    values = torch.linspace(lowest, 1, 256).view(1, 1, 256, 1).expand(1, 1, 256, 32)
    image = torch.linspace(0.2, 0.9, 32).view(1, 1, 1, 32).expand(1, 3, 256, 32)
    figure = side_by_side(image, values, view=view, unit="logit", colormap=names, opacity=0.5)
    drawn = figure.axes[1].images[0].get_array().astype(int)
    bar = np.round(255 * figure.axes[-1].images[0].get_array())
    assert abs(drawn - bar).max() <= 1  # a column for each grey, or one for all
    boxes = [axes.get_position() for axes in figure.axes[1:]]
    assert boxes[0].y0 == pytest.approx(boxes[1].y0) and boxes[0].y1 == pytest.approx(boxes[1].y1)


def signed_views(colormap):
    image, values = torch.rand(1, 3, 8, 8), torch.linspace(-3, 3, 64).view(1, 1, 8, 8)
    values[..., 2, :] = 0
    for view in ("overlay", "heatmap", "side-by-side"):
        for beside in ("overlay", "heatmap"):
            display = Display.of("integrated_gradients", view=view, beside=beside, colormap=colormap, blur=0.0)
            drawn = display.draw(image, values, limit=2.0)
            yield np.asarray(drawn if view != "side-by-side" else drawn.axes[1].images[0].get_array())


@pytest.mark.parametrize("colormap", [(), ("coolwarm", "magma"), ("RdYlBu",)])
def test_zero_has_no_colour_in_any_display_of_signed_maps(colormap):
    for drawn in signed_views(colormap):
        assert (np.ptp(drawn[2].astype(int), axis=1) == 0).all()
        assert np.ptp(drawn[-1].astype(int), axis=1).max() > 50  # unlike what is not zero
    colours = torch.zeros(1, 3, 4, 4)
    colours[..., 0, 0] = torch.tensor([1.0, -1.0, 0.5])
    drawn = np.asarray(Display.of("guided_backprop").draw(torch.rand(1, 3, 4, 4), colours, limit=1.0))
    assert (drawn[1:] == 128).all()


def test_colormaps_are_for_their_own_kind_of_map(caplog):
    ramp = np.array([[-1.0, 0.0, 1.0]])
    assert np.array_equal(colorize(ramp, limit=1, signed=True, colormap="hot"), colorize(ramp, limit=1, signed=True))
    assert "hot is not used for maps with negative values" in caplog.text
    both = [colorize(ramp, limit=1, signed=signed, colormap=("magma", "bwr")) for signed in (False, True)]
    assert np.allclose(both[1], [[[0, 0, 1], [1, 1, 1], [1, 0, 0]]], atol=5e-3)
    assert both[0][0, 2].min() > 0.7 and both[0][0, 1].max() < 0.02  # magma, from black
    with pytest.raises(interpret.InterpretError, match="did you mean 'viridis'"):
        overlay(torch.rand(1, 3, 2, 2), torch.rand(1, 1, 2, 2), colormap="virids")


def test_the_opacity_is_that_of_the_strongest_colour(image):
    values = torch.ones(1, 1, 40, 60)
    opaque = pixels(overlay(image, values, opacity=1.0))
    assert (opaque == colours(HEAT)[8]).all()
    for wrong in (0, 1.5):
        with pytest.raises(interpret.InterpretError, match="opacity"):
            overlay(image, values, opacity=wrong)


def test_a_blur_is_of_what_is_drawn_alone():
    point = torch.zeros(1, 1, 41, 61)
    point[..., 20, 30] = 1
    attribution = torch.cat([point, point, point], 1)
    sharp, soft = (Display.of("integrated_gradients", blur=blur).values(attribution) for blur in (0.0, 0.05))
    assert torch.equal(sharp, 3 * point)
    assert float(soft.sum()) == pytest.approx(3, rel=1e-4) and float(soft.max()) < 0.2
    width = float((soft[0, 0].sum(0) * (torch.arange(61) - 30) ** 2).sum() / 3) ** 0.5
    assert width == pytest.approx(0.05 * 41, rel=0.03)
    point[..., 0, 0] = float("nan")
    assert Display.of("integrated_gradients").values(point).isfinite().all()


def test_what_is_dark_stands_beside_its_picture_as_it_is():
    image, values = torch.rand(1, 3, 30, 40), torch.rand(1, 1, 30, 40)
    drawn = Display.of("saliency", view="side-by-side").draw(image, values, limit=1.0)
    assert np.array_equal(drawn.axes[1].images[0].get_array(), np.asarray(heatmap(values, limit=1.0)))


def test_a_captioned_picture_keeps_its_pixels():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 500, 3), dtype=np.uint8))
    figure = captioned(picture, ["Grad-CAM: cat $1 0.62", "largest 3.1 (logit of cat)"])
    file = io.BytesIO()
    figure.savefig(file, dpi=150)
    drawn = Image.open(file).convert("RGB")
    assert drawn.width == 500 and drawn.height > 90
    assert np.array_equal(np.asarray(drawn)[:60], np.asarray(picture))
    assert [text.get_text() for text in figure.texts] == ["Grad-CAM: cat $1 0.62", "largest 3.1 (logit of cat)"]


def test_a_stamp_stands_where_it_has_room():
    wide, tiny = Image.new("RGB", (300, 200), "red"), Image.new("RGB", (28, 28), "red")
    stamp = np.asarray(stamped(wide, "absent: 0.00"))
    assert (stamp[-30:, :20] == 0).all(2).any() and (stamp > 200).all(2).any()
    assert (stamp[:100] == (255, 0, 0)).all() and stamped(tiny, "absent: 0.00") is tiny


def test_a_display_is_the_method_s_own_unless_told_otherwise():
    colours = torch.tensor([1.0, -4.0, 2.0]).view(1, 3, 1, 1)
    assert torch.equal(Display.of("guided_backprop").values(colours), colours)
    assert Display.of("saliency").values(colours).item() == 4
    assert Display.of("integrated_gradients").values(colours).item() == -1
    assert Display.of("saliency", signed=True).values(colours).item() == -4
    assert Display.of("guided_backprop").values(colours[:, :1]).item() == 1  # one channel has no colours


def test_a_display_has_one_scale_for_all_its_values():
    display = Display.of("gradcam")
    first, second = torch.tensor([[1.0, 3.0]]), torch.tensor([[-2.0, 0.0]])
    assert display.colour_scale(first) == (3, False)
    assert display.colour_scale(first, second) == (3, True)
    assert Display.of("gradcam", scale=0.5).limit(first, second) == 0.5
    assert Scale(3, True).lowest == -3 and Scale(3, False).lowest == 0


@pytest.mark.parametrize("view", ["overlay", "heatmap", "side-by-side"])
def test_a_display_draws_its_view(image, view):
    values = torch.rand(1, 1, 40, 60) - 0.2
    drawn = Display.of("gradcam", view=view).draw(image, values, limit=1.0)
    if view == "side-by-side":
        assert [len(axes.images) for axes in drawn.axes[:2]] == [1, 1]
    else:
        alone = heatmap(values, limit=1.0) if view == "heatmap" else overlay(image, values, limit=1.0)
        np.testing.assert_array_equal(pixels(drawn), pixels(alone))


def test_panels_stand_in_rows():
    rows = in_rows([Panel(np.zeros((2, 3, 3)), f"title {number}", "caption") for number in range(5)], 3)
    assert [len(row) for row in rows] == [3, 2]
    figure = panel_figure(rows, (6, 4))
    assert len(figure.axes) == 6  # one of them empty
    assert [axes.get_title() for axes in figure.axes] == [*(f"title {number}" for number in range(5)), ""]
    figure.canvas.draw()


def test_a_picture_and_its_attack_side_by_side():
    classifier = flowers()
    image = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(2))
    figure = attack_figure(classifier, image, (image + 0.1).clamp(0, 1))
    titles = [axes.get_title() for axes in figure.axes]
    name = classifier.name(int(classifier.eval()(image).argmax()))
    assert titles[0].startswith(f"{name}\n") and titles[3] == f"Grad-CAM before\n{name}"
    assert titles[1] == "the change x 5\nat most 25.5 of 255 levels"
    assert attack_figure(classifier, image, image).axes[1].get_title() == "the change\nnone"


def test_maps_are_drawn_without_matplotlib():
    code = (
        "import sys, torch; from interpret.figures import Display;"
        "Display.of('gradcam').draw(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8), limit=1);"
        "print('matplotlib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr
