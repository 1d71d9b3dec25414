"""Style transfer: exact answers, and tiles."""

import pytest
import torch
from torchvision import models

from interpret import Classifier, InterpretError, UnknownNameError, style_transfer
from interpret.drawing.ascend import looker
from interpret.drawing.layer_choice import spread_layers
from interpret.drawing.style_loss import Style, StyleLoss, style_distance
from interpret.drawing.style_transfer import chosen_layers, recoloured
from interpret.drawing.tiles import fitted, resized
from tests.tiny import SmallCNN

QUICK = {"scales": (1,), "steps": 5}


def style_loss(network, photo, styles, side=512):
    style = Style(styles, [1 / len(styles)] * len(styles), ("conv1", "conv2"), "conv2", content_weight=1.0)
    return StyleLoss(network, photo, style, side)


def test_the_style_loss_of_a_picture_with_itself_is_zero():
    picture = torch.rand(1, 3, 40, 48)
    moments = style_loss(SmallCNN().eval(), picture, [picture]).moments(picture)
    assert style_distance(moments, moments) == 0
    assert style_distance(style_loss(SmallCNN().eval(), picture, [picture]).moments(1 - picture), moments) > 0.01


def test_tiles_add_up_to_the_whole():
    network, picture = SmallCNN().eval().requires_grad_(False), torch.rand(1, 3, 200, 300, requires_grad=True)
    style, losses, slopes = torch.rand(1, 3, 60, 60), [], []
    for side in (512, 192):
        drawn = style_loss(network, picture.detach().flip(3), [style], side)
        objective, look = drawn.objective(0.0), looker(network, ["conv1", "conv2"])
        scores = [objective.score({**look(part), "pictures": 1}) for part in drawn.parts(picture)]
        losses.append(torch.stack(scores).mean().detach())
        slopes.append(torch.autograd.grad(torch.stack(scores).sum(), picture)[0])
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-3, atol=0)
    assert torch.cosine_similarity(slopes[0].flatten(), slopes[1].flatten(), dim=0) > 0.999
    torch.testing.assert_close(slopes[1].norm(), slopes[0].norm(), rtol=1e-2, atol=0)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_style_comes_closer_and_the_run_repeats(optimizer):
    network = SmallCNN().eval()
    photo, style = torch.rand(1, 3, 32, 40) * 0.5, torch.rand(1, 3, 30, 30)
    scores = []
    options = {"optimizer": optimizer, "scales": (1,), "steps": 15}
    painted = style_transfer(network, photo, [style], watch=lambda step: scores.append(float(step.scores)), **options)
    assert scores[-1] > 0.7 * scores[0]  # both below zero
    assert painted.shape == photo.shape and 0 <= painted.min() and painted.max() <= 1
    assert torch.equal(painted, style_transfer(network, photo, [style], **options))


def test_the_recipe_and_several_styles(lite0, cat):
    photo, style = fitted(cat, 64), fitted(cat, 64).flip(1)
    assert chosen_layers(lite0.on_inputs(), photo, (), None)[1] == "_blocks.4"
    both = style_transfer(lite0, photo, [style, photo], weights=[1, 0], **QUICK)
    torch.testing.assert_close(both, style_transfer(lite0, photo, [style], **QUICK), atol=0.05, rtol=0)


@pytest.mark.parametrize("name", ["resnet18", "alexnet"])
def test_other_networks(name):
    network = models.get_model(name, weights=None).eval()
    painted = style_transfer(network, torch.rand(1, 3, 80, 72), [torch.rand(1, 3, 72, 72)], scales=(1,), steps=2)
    assert painted.shape == (1, 3, 80, 72)


def test_vgg19_takes_the_layers_of_the_paper():
    with torch.device("meta"):
        network = models.vgg19(weights=None)
    styles, content = chosen_layers(network, torch.rand(1, 3, 32, 32), (), None)
    assert styles == ("features.1", "features.6", "features.11", "features.20", "features.29")
    assert content == "features.22"


def test_layers_spread_over_the_depth():
    chosen = spread_layers(models.vgg11(weights=None).eval(), torch.rand(1, 3, 64, 64), 4)
    assert len(chosen) == 4 and chosen[0] == "features.1"


def test_preserved_colours_are_those_of_the_photo():
    photo, painted = torch.rand(1, 3, 8, 8) * 0.2 + 0.4, torch.rand(1, 3, 8, 8) * 0.2 + 0.4
    result = recoloured(painted, photo)
    torch.testing.assert_close(result - result.mean(1, True), photo - photo.mean(1, True))


def test_one_channel():
    classifier = Classifier(SmallCNN(1), mean=[0.5], std=[0.5], input_size=16)
    for channels in (1, 3):
        photo = torch.rand(1, channels, 16, 16)
        assert style_transfer(classifier, photo, [photo.flip(2)], **QUICK, start="noise").shape == photo.shape


def test_what_does_not_fit_is_refused():
    photo = torch.rand(1, 3, 32, 32)
    with pytest.raises(InterpretError, match="weights"):
        style_transfer(SmallCNN(), photo, [photo], weights=[1, 2])
    with pytest.raises(UnknownNameError, match="conv1"):
        style_transfer(SmallCNN(), photo, [photo], layers=["conv11"])


def test_noise_that_was_painted_over_does_not_come_back_at_the_next_scale():
    network, photo, style = SmallCNN().eval(), torch.rand(1, 3, 64, 64) * 0.1 + 0.4, torch.rand(1, 3, 64, 64) * 0.2
    losses = []
    painted = style_transfer(
        network, photo, [style], start="noise", steps=40, watch=lambda step: losses.append(-float(step.scores))
    )
    assert losses[40] < 0.5 * losses[0]  # the second scale begins with what the first one made
    roughness = (painted[..., 1:] - painted[..., :-1]).abs().mean()
    assert roughness < 0.5 * torch.rand(1, 3, 64, 64).diff(dim=3).abs().mean()


def test_a_flat_style_gives_its_colour():
    photo = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    flat = torch.tensor([0.8, 0.2, 0.3]).view(1, 3, 1, 1).expand(1, 3, 48, 48)
    painted = style_transfer(SmallCNN().eval(), photo, [flat], scales=(1,), steps=60, content_weight=0.1)
    torch.testing.assert_close(painted.mean((0, 2, 3)), flat[0, :, 0, 0], atol=0.1, rtol=0)


def test_a_mask_leaves_the_rest_as_it_is():
    photo, mask = torch.rand(1, 3, 40, 48), torch.zeros(1, 1, 40, 48)
    mask[..., :24] = 1
    painted = style_transfer(SmallCNN().eval(), photo, [photo.flip(2)], mask=mask, **QUICK)
    assert torch.equal(painted[..., 30:], photo[..., 30:]) and not torch.equal(painted[..., :20], photo[..., :20])


def test_a_start_and_the_scale_of_the_styles():
    network, photo, other = SmallCNN().eval(), torch.rand(1, 3, 64, 64), torch.rand(1, 3, 20, 30)
    style = torch.rand(1, 3, 128, 128)
    none = style_transfer(network, photo, [style], start=other, scales=(1,), steps=0)
    torch.testing.assert_close(none, resized(other, 64, 64))
    one, half = (style_transfer(network, photo, [style], style_scale=scale, **QUICK) for scale in (1, 2))
    assert not torch.equal(one, half)
    with pytest.raises(InterpretError, match="above 0"):
        style_transfer(network, photo, [style], style_scale=0)
