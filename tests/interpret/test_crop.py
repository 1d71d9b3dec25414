"""What a classifier sees of a picture: its centre, all of it squeezed, or all of it in tiles."""

import pytest
import torch
import torch.nn.functional as F

import attacks
import interpret
from interpret import Classifier, InterpretError, PictureError
from interpret.datasets import batches as batching
from interpret.geometry import CROPS, MOST_TILES, OVERLAP, Tiles, fit
from interpret.layer_outputs import maps_of
from tests.tiny import SmallCNN

PLAIN = {"mean": [0.5] * 3, "std": [0.25] * 3}
GRIDS = [((16, 48), (16, 16)), ((20, 31), (16, 16)), ((16, 17), (16, 16)), ((40, 16), (12, 16)), ((33, 50), (16, 8))]


class Bright(torch.nn.Module):
    """Class 1 is the sum of what is bright, where it is; class 0 is nothing."""

    def forward(self, images):
        bright = F.relu(F.avg_pool2d(images.mean(1, keepdim=True), 4) - 0.5)
        return torch.cat([bright.sum((2, 3)) * 0, bright.sum((2, 3))], 1)


def classifier(crop="centre", network=None, **settings):
    torch.manual_seed(3)
    settings = {"input_size": 16, **PLAIN, **settings}
    return Classifier(network or SmallCNN(), crop=crop, **settings).eval()


def photo(height=20, width=60, count=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(("whole", "size"), GRIDS)
def test_tiles_cover_all_and_overlap(whole, size):
    tiles = Tiles(whole, size)
    seen = tiles.joined(torch.ones(len(tiles.corners), 1, *size))
    torch.testing.assert_close(seen, torch.ones(1, 1, *whole))
    for axis in (0, 1):
        starts = sorted({corner[axis] for corner in tiles.corners})
        assert starts[0] == 0 and starts[-1] == whole[axis] - size[axis]
        steps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
        assert max(steps, default=0) <= (1 - OVERLAP) * size[axis] + 0.5


@pytest.mark.parametrize(("whole", "size"), GRIDS)
def test_what_tiles_agree_on_stays_as_it_is(whole, size):
    tiles, inputs = Tiles(whole, size), torch.rand(2, 3, *whole)
    cut = tiles.cut(inputs)
    assert cut.shape == (2 * len(tiles.corners), 3, *size)
    torch.testing.assert_close(tiles.joined(cut), inputs)


def test_maps_of_tiles_join_without_a_seam():
    tiles = Tiles((64, 160), (64, 64))
    steps = torch.arange(float(len(tiles.corners)))[:, None, None, None].expand(-1, 1, 4, 4)
    joined = tiles.joined(steps)[0, 0, 32]
    assert joined[0] == 0 and joined[-1] == len(tiles.corners) - 1
    assert (joined.diff() >= -1e-6).all() and joined.diff().max() < 0.15


@pytest.mark.parametrize("crop", ["none", "tiles"])
@pytest.mark.parametrize("size", [(16, 16), (40, 40)])
def test_a_square_is_seen_the_same(crop, size):
    image, centre, other = photo(*size), classifier(), classifier(crop)
    torch.testing.assert_close(other(image), centre(image), rtol=0, atol=0)
    for method in (interpret.gradcam, interpret.saliency, interpret.occlusion):
        torch.testing.assert_close(method(other, image, 1), method(centre, image, 1), rtol=0, atol=0)


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "gradcam", "occlusion", "integrated_gradients"])
def test_evidence_near_the_edge_is_found_where_it_is_seen(crop, method):
    model, image = classifier(crop, Bright(), mean=[0.0] * 3, std=[1.0] * 3), torch.full((1, 3, 16, 48), 0.2)
    image[:, :, 4:12, 2:10] = 1.0
    given = {"window": 4, "stride": 2} if method == "occlusion" else {}
    explain = getattr(interpret, method)
    if method == "gradcam":
        model.network = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Conv2d(3, 1, 1), torch.nn.ReLU(), Head())
        model.network[1].weight.data.fill_(1.0), model.network[1].bias.data.fill_(-1.5)
    values = explain(model, image, 1, **given).sum(1)[0]
    if crop == "centre":
        assert values.abs().max() == 0
        return
    assert values[4:12, 2:10].mean() > 0.1 * values.max() > 0
    assert values[:, 24:].abs().max() < 0.05 * values.max()


class Head(torch.nn.Module):
    def forward(self, maps):
        return torch.cat([maps.mean((2, 3)) * 0, maps.mean((2, 3))], 1)


def test_logits_are_the_mean_of_the_tiles():
    model, image = classifier("tiles"), photo(count=2)
    inputs, geometry = model.prepare(image)
    assert geometry.crop == geometry.resized == tuple(inputs.shape[-2:]) and geometry.seen().all()
    tiles, single = model.tiles_of(inputs), classifier().on_inputs()
    assert len(tiles.corners) > 3
    parts = torch.stack([single(inputs[..., y : y + 16, x : x + 16]) for y, x in tiles.corners])
    torch.testing.assert_close(model(image), parts.mean(0))
    torch.testing.assert_close(model.on_inputs()(inputs), model(image))
    both = model(image)
    torch.testing.assert_close(model(image[:1]), both[:1])


@pytest.mark.parametrize("crop", ["none", "tiles"])
def test_the_adjoint(crop):
    geometry = fit((20, 61), (16, 16), 18, crop=crop)
    image, inputs = torch.rand(1, 3, 20, 61).double(), torch.rand(1, 3, *geometry.crop).double()
    assert geometry.box == pytest.approx((0, 0, 61, 20)) and geometry.seen().all()
    torch.testing.assert_close((geometry.apply(image) * inputs).sum(), (image * geometry.spread(inputs)).sum())
    torch.testing.assert_close(geometry.undo(torch.ones(1, 1, 5, 5)), torch.ones(1, 1, 20, 61))


@pytest.mark.parametrize("crop", ["none", "tiles"])
@pytest.mark.parametrize("method", [interpret.saliency, interpret.gradcam])
def test_mirrored_pictures_have_mirrored_maps(crop, method):
    network = SmallCNN()
    for conv in (network.conv1, network.conv2):
        conv.weight.data = conv.weight.data + conv.weight.data.flip(-1)
    model, image = classifier(crop, network), photo(16, 44)
    torch.testing.assert_close(method(model, image.flip(-1), 2).flip(-1), method(model, image, 2), rtol=1e-3, atol=1e-6)


def test_each_picture_has_its_own_target():
    model, images = classifier("tiles"), photo(count=3)
    target = torch.tensor([1, 4, 0])
    maps = interpret.gradcam(model, images, target)
    alone = [interpret.gradcam(model, images[row : row + 1], int(index)) for row, index in enumerate(target)]
    torch.testing.assert_close(maps, torch.cat(alone))
    versus = interpret.contrast(target, torch.tensor([0, 0, 2]))
    alone = interpret.saliency(model, images[2:], interpret.contrast(0, 2))
    torch.testing.assert_close(interpret.saliency(model, images, versus)[2:], alone)
    top = interpret.saliency(model, images, None)
    torch.testing.assert_close(top, interpret.saliency(model, images, model.predict(images)))


def test_a_map_without_a_layer_is_the_gradient_where_one_tile_sees():
    model, image = classifier("tiles"), photo(16, 40)
    single = classifier().on_inputs()
    gradient = interpret.input_x_gradient(single, image[..., :16], 3)
    torch.testing.assert_close(interpret.input_x_gradient(model, image, 3)[..., :4], gradient[..., :4])


@pytest.mark.parametrize("crop", ["none", "tiles"])
def test_an_attack_changes_the_edges_too(crop):
    model, image = classifier(crop), photo()
    found = attacks.fgsm(model, image, eps=4 / 255)
    assert ((found - image).abs() > 0).float().mean() > 0.95
    assert (found - image)[..., :3].abs().max() > 0


def test_units_are_explained_in_tiles_but_not_at_a_place():
    model, image = classifier("tiles"), photo()
    assert interpret.guided_backprop(model, image, interpret.unit("conv1", 2)).abs().max() > 0
    with pytest.raises(InterpretError, match="score of places .unit. needs the picture in one piece"):
        interpret.saliency(model, image, interpret.unit("conv1", 2, (0, 0)))
    with pytest.raises(InterpretError, match="score of places .pixels."):
        interpret.saliency(model, image, interpret.pixels(1))


def test_what_looks_into_layers_refuses_tiles():
    model = classifier("tiles")
    with pytest.raises(InterpretError, match="in tiles, which have no one output or map of a layer"):
        maps_of(model.on_inputs(), model.prepare(photo())[0], "conv1")
    with pytest.raises(InterpretError, match="in tiles"):
        interpret.dream(model, photo())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": "center"}, "centre, none, tiles, not 'center'"),
        ({"crop": "tiles", "input_size": None}, "give an input_size"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(InterpretError, match=message):
        classifier(**settings)


def test_too_many_tiles():
    with pytest.raises(PictureError, match=f"is 100 tiles, above {MOST_TILES}; crop it"):
        classifier("tiles")(photo(4, 300))


@pytest.mark.parametrize("crop", CROPS)
def test_what_is_kept_depends_on_it(crop):
    model = classifier(crop)
    assert model.preprocessing.get("crop", "centre") == crop
    told = {"centre": "16 x 16 from the middle", "none": "all that is there, whatever", "tiles": "overlapping tiles of"}
    assert told[crop] in repr(model)


def test_load(tmp_path):
    model = interpret.load("squeezenet1_1", weights="random", input_size=64, crop="none")
    assert model.crop == "none" and model.prepare(torch.rand(1, 3, 64, 190))[1].seen().all()
    both = interpret.load(["plain_cifar10", "robust_cifar10"], crop="none")
    assert both.preprocessing["crop"] == "none" and {member.crop for member in both.network.members} == {"none"}
    with pytest.raises(InterpretError, match="of one network"):
        interpret.load(["plain_cifar10", "robust_cifar10"], crop="tiles")


def test_one_label_sees_the_same():
    model, image = classifier("tiles", task="multilabel"), photo()
    torch.testing.assert_close(interpret.one_label(model, 2)(image).diff(dim=1)[:, 0], model(image)[:, 2])


def test_few_pictures_of_many_tiles_are_a_batch(monkeypatch):
    monkeypatch.setattr(batching, "INPUT_PIXELS", 16 * 16 * 20)
    model, wide = classifier("tiles"), photo(16, 100)  # 8 tiles
    assert len(model.tiles_of(model.prepare(wide)[0]).corners) == 8
    sizes = [len(batch) for batch in batching.batches([wide] * 5, model, read=lambda image: image, bar=False)]
    assert sizes == [2, 2, 1]
