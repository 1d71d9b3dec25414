"""Objectives, parametrisations, views, the loop, and activation maximisation."""

import pytest
import torch
from torch import nn
from torchvision import models

from interpret import Classifier, InterpretError, NetworkError, recorded
from interpret.drawing.ascend import OPTIMIZERS, ascend
from interpret.drawing.calm import Calm
from interpret.drawing.feature_visualization import (
    default_image,
    objective_of_views,
    optimizer_for,
    score_of_views,
    visualize,
)
from interpret.drawing.objectives import apart, channel, direction, energy, logit, neuron, total_variation
from interpret.drawing.parametrisations import Fourier, Maco, Pixels, frequencies, spectrum_from
from interpret.drawing.transforms import Approach, views
from tests.state import left_as_found
from tests.tiny import SmallCNN


class Linear(nn.Module):
    """Logits that are dot products with fixed pictures (K, C, H, W)."""

    def __init__(self, templates):
        super().__init__()
        self.templates = nn.Parameter(templates)

    def forward(self, images):
        return images.flatten(1) @ self.templates.flatten(1).T


def seen_by(network, images, *layers):
    """What an objective is given, without the loop."""
    with recorded(network, *layers) as recording:
        logits = network(images)
    return {**{layer: recording[layer] for layer in layers}, "image": images, "logits": logits, "pictures": len(images)}


def test_objectives_add_up_and_take_weights():
    network, images = SmallCNN().eval(), torch.rand(2, 3, 8, 8)
    seen = seen_by(network, images, "conv1", "conv2")
    one, other = channel("conv1", 3), logit(2)
    both = 0.7 * one - other * 2 + -energy("conv2")
    expected = 0.7 * one.score(seen) - 2 * other.score(seen) - energy("conv2").score(seen)
    torch.testing.assert_close(both.score(seen), expected)
    assert both.layers == {"conv1", "conv2"}


def test_objectives_are_what_they_say():
    network, images = SmallCNN().eval(), torch.rand(2, 3, 8, 6)
    seen = seen_by(network, images, "conv1")
    maps = seen["conv1"]
    torch.testing.assert_close(channel("conv1", 3).score(seen), maps[:, 3].mean((1, 2)))
    torch.testing.assert_close(channel("conv1", [3, 5]).score(seen), torch.stack([maps[0, 3], maps[1, 5]]).mean((1, 2)))
    torch.testing.assert_close(neuron("conv1", 2).score(seen), maps[:, 2, 4, 3])
    torch.testing.assert_close(neuron("conv1", 2, 0, 5).score(seen), maps[:, 2, 0, 5])
    torch.testing.assert_close(direction("conv1", torch.ones(8)).score(seen), maps.mean((2, 3)).sum(1))
    torch.testing.assert_close(energy("conv1").score(seen), maps.square().mean((1, 2, 3)))
    assert total_variation().score({"image": torch.ones(1, 3, 4, 4)}) == 0


@pytest.mark.parametrize(
    "objective",
    [logit(5), channel("conv1", 8), neuron("conv1", 0, 99, 0), direction("conv1", torch.ones(3))],
    ids=["class", "channel", "place", "direction"],
)
def test_what_does_not_exist_is_refused(objective):
    with pytest.raises(InterpretError):
        objective.score(seen_by(SmallCNN().eval(), torch.rand(1, 3, 8, 8), "conv1"))


def test_pictures_that_are_alike_are_not_apart():
    features = torch.rand(1, 4, 3, 3)
    same = {"a": features.expand(2, -1, -1, -1), "pictures": 2}
    torch.testing.assert_close(apart("a").score(same), torch.ones(2))
    corners = torch.zeros(2, 2, 1, 1)
    corners[0, 0] = corners[1, 1] = 1
    torch.testing.assert_close(apart("a").score({"a": corners, "pictures": 2}), torch.zeros(2))


@pytest.mark.parametrize("size", [(16, 16), (15, 22), (33, 8)])
def test_fourier_is_any_picture(size):
    for count, channels in ((2, 3), (1, 1)):
        image, made = torch.rand(count, channels, *size), Fourier(size, count=count, channels=channels)
        logits = torch.logit(image.double(), eps=1e-7)
        independent = torch.einsum("ij,njhw->nihw", made.mix.double().inverse(), logits)
        made.spectrum.data = torch.view_as_real(torch.fft.rfft2(independent, norm="ortho") / made.scale).float()
        assert (made() - image).abs().max() < 1e-5


def test_fourier_starts_grey_and_repeats():
    assert (Fourier(32)() - 0.5).abs().max() < 0.2
    assert torch.equal(Fourier(32, seed=4)(), Fourier(32, seed=4)())
    assert not torch.equal(Fourier(32, seed=4)(), Fourier(32, seed=5)())


def test_maco_changes_phases_alone():
    image = Maco((24, 20), count=2)
    assert [name for name, _ in image.named_parameters()] == ["phases"]
    assert image().shape == (2, 3, 24, 20) and 0 < image().min() and image().max() < 1
    assert spectrum_from(torch.rand(3, 3, 24, 20)).shape == image.magnitude.shape == (3, *frequencies(24, 20).shape)


def test_views_without_chance_are_the_picture():
    images = torch.rand(2, 3, 12, 16)
    seen = views(images, torch.Generator(), shift=0, scale=(1, 1), rotate=0, mirror=False)
    torch.testing.assert_close(seen, images, rtol=1e-4, atol=1e-4)


def test_views_of_one_colour_have_no_other():
    seen = views(torch.full((8, 3, 12, 16), 0.3), torch.Generator().manual_seed(1))
    torch.testing.assert_close(seen, torch.full_like(seen, 0.3))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_linear_network_is_raised_along_its_weights(optimizer):
    templates = torch.randn(2, 3, 4, 4)
    image = Pixels(torch.zeros(1, 3, 4, 4), free=True)
    rate = {"adam": 1e-4, "rmsprop": 1e-4}.get(optimizer, 0.1)
    steps = ascend(Linear(templates), logit(1), image, steps=30, learning_rate=rate, optimizer=optimizer)
    scores = [float(step.scores) for step in steps]
    assert scores == sorted(scores) and scores[-1] > scores[0]
    if optimizer in ("sgd", "momentum", "nesterov"):  # the others go along the signs
        found = image().detach() / image().norm()
        torch.testing.assert_close(found[0], templates[1] / templates[1].norm(), rtol=1e-5, atol=1e-6)


def test_the_loop_leaves_the_network_alone():
    network, image = SmallCNN().train(), Pixels(torch.rand(1, 3, 8, 8))
    with left_as_found(network):
        list(ascend(network, channel("conv2", 1), image, steps=3, learning_rate=0.1))


class Dead(nn.Module):
    """Channel 0 of the layer "act" is silent in all but bright pictures, channel 1 sees nothing at all."""

    def __init__(self, act, bias=-7.5):
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 2, 3), act
        with torch.no_grad():
            self.conv.weight[0].fill_(0.5)  # so grey adds 6.75
            self.conv.weight[1].zero_()
            self.conv.bias.fill_(bias)

    def forward(self, images):
        return self.act(self.conv(images)).mean((2, 3))


SHUT = {
    "relu": (nn.ReLU(), -7.5),
    "in place": (nn.ReLU(inplace=True), -7.5),
    "relu6": (nn.ReLU6(), -7.5),
    "relu6 in place": (nn.ReLU6(inplace=True), -7.5),
}


@pytest.mark.parametrize("shut", SHUT.values(), ids=SHUT)
@pytest.mark.parametrize(
    "objective", [channel("act", 0), logit(0), neuron("act", 0)], ids=["channel", "class", "neuron"]
)
def test_a_dead_unit_wakes(shut, objective):
    network, reached = Dead(*shut), []

    def watch(step):
        reached.append(float(step.scores))

    image = visualize(network, objective, image=Fourier(16), steps=60, smoothness=0.01, watch=watch)
    assert reached[0] == 0 and reached[-1] > 0.5
    assert objective.score(seen_by(network, image, "act")) > 0.5


def test_a_unit_that_lives_follows_the_plain_gradient(monkeypatch):
    from interpret.drawing import ascend as module

    monkeypatch.setattr(module, "redirected", None)
    visualize(SmallCNN(), channel("conv2", 1), image=Fourier(16), steps=3)


def test_what_the_picture_cannot_change_is_said():
    for objective in (channel("act", 1), -channel("act", 0), logit(1)):
        with pytest.raises(NetworkError, match="nothing in the picture changes"):
            visualize(Dead(nn.ReLU()), objective, image=Fourier(16), steps=3)
    with pytest.raises(NetworkError, match="nothing in the picture changes"):
        visualize(Linear(torch.zeros(1, 3, 4, 4)), logit(0), image=Fourier(4), steps=3, transform=None)


def test_a_unit_that_stays_silent_is_said(caplog):
    with pytest.raises(NetworkError, match="act:0 stayed silent in every step"):
        visualize(Dead(nn.ReLU()), channel("act", 0), image=Fourier(16), steps=2)
    bright = torch.tensor([0.5, 0.95]).view(2, 1, 1, 1).expand(2, 3, 8, 8)
    list(ascend(Dead(nn.ReLU()), channel("act", 0), Pixels(bright), steps=2, learning_rate=1e-3))
    assert "picture 0: act:0 stayed silent" in caplog.text


@pytest.mark.slow
def test_the_silent_channels_of_a_head_wake(lite0):
    layer = "_swish#2"
    with recorded(lite0.network, layer) as recording, torch.no_grad():
        lite0(default_image(lite0)())
    silent = (recording[layer][0].flatten(1).amax(1) == 0).nonzero()[:, 0]
    assert len(silent) > 1000
    reached = []
    for number in silent[::140][:8].tolist():
        image = visualize(lite0, channel(layer, number), steps=24)
        reached.append(float(objective_of_views(lite0, image, channel(layer, number))))
    assert sum(value > 1 for value in reached) >= 7


def test_a_penalty_is_no_life():
    scores = []
    steps = ascend(
        Dead(nn.ReLU()),
        channel("act", 0),
        Fourier(16),
        steps=60,
        learning_rate=0.03,
        penalty=total_variation() + 0.1 * energy("conv"),
    )
    scores = [float(step.scores) for step in steps]
    assert scores[0] == 0 < scores[-1]


def test_what_is_not_finite_ends_the_run():
    network = Linear(torch.full((1, 3, 4, 4), 1e38))
    with pytest.raises(NetworkError, match="not finite at step"):
        list(ascend(network, logit(0), Pixels(torch.ones(1, 3, 4, 4) * 9, free=True), steps=5, learning_rate=1e9))


def test_what_a_watcher_raises_ends_the_run():
    def stop(step):
        if step.number == 3:
            raise KeyboardInterrupt

    classifier, image = Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.5] * 3, input_size=16), Fourier(16)
    with pytest.raises(KeyboardInterrupt):
        visualize(classifier, logit(1), image=image, steps=50, watch=stop)
    torch.testing.assert_close(image().detach(), visualize(classifier, logit(1), image=Fourier(16), steps=3))


def test_it_repeats_with_its_seed():
    classifier = Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.5] * 3, input_size=16)
    first = visualize(classifier, logit(1), steps=4, seed=3)
    assert torch.equal(first, visualize(classifier, logit(1), steps=4, seed=3))
    assert not torch.equal(first, visualize(classifier, logit(1), steps=4, seed=4))
    assert first.shape == (1, 3, 16, 16) and 0 <= first.min() and first.max() <= 1


def test_one_channel():
    classifier = Classifier(SmallCNN(channels=1), mean=[0.5], std=[0.5], input_size=12)
    assert visualize(classifier, logit(1), steps=2).shape == (1, 1, 12, 12)


def test_diverse_pictures_differ_more():
    torch.manual_seed(2)
    classifier = Classifier(SmallCNN(), mean=[0.5] * 3, std=[0.5] * 3, input_size=16)

    def likeness(diversity):
        images = visualize(classifier, channel("conv2", 1), image=Fourier(16, count=3), steps=40, diversity=diversity)
        return apart("conv2").score(seen_by(classifier.network.eval(), images * 2 - 1, "conv2")).mean().item()

    assert likeness("conv2") < likeness(None)


ARCHITECTURES = (
    "alexnet densenet121 efficientnet_b0 googlenet mnasnet0_5 mobilenet_v2 regnet_y_400mf resnet18 resnet34 "
    "shufflenet_v2_x0_5 squeezenet1_1 vgg11"
).split()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "vgg11" else ()) for name in ARCHITECTURES]
)
def test_any_network_is_raised(name):
    extra = {"init_weights": False} if name == "googlenet" else {}
    network = models.get_model(name, weights=None, **extra).eval()
    scores = []

    def watch(step):
        scores.append(float(step.scores))

    visualize(network, logit(7), image=Fourier(64), steps=5, smoothness=0, transform=None, watch=watch)
    assert scores[-1] > scores[0]


def test_a_class_is_seen_from_every_side(squeezenet):
    image = visualize(squeezenet, logit(1), steps=24)
    assert score_of_views(squeezenet, image, 1) > 0.9


def test_views_of_a_class_and_of_an_objective(squeezenet, cat):
    probability = score_of_views(squeezenet, cat, 281)
    log_mean = objective_of_views(squeezenet, cat, logit(281))
    assert 0 < probability < 1 and log_mean > 5 and probability.shape == log_mean.shape == (1,)
    two = objective_of_views(squeezenet, torch.cat([cat, cat.flip(3)]), channel("features.3", 4))
    assert two.shape == (2,) and not two.requires_grad


def test_a_class_is_begun_in_the_middle_by_small_views_that_grow():
    images = torch.rand(2, 3, 224, 160, requires_grad=True)
    approach = Approach(10, (128, 96), (224, 160))
    sizes, shares = [], []
    for step in range(10):
        seen = approach(images, torch.Generator().manual_seed(step))
        sizes.append(tuple(seen.shape[2:]))
        slope = torch.autograd.grad(seen.sum(), images)[0].abs().mean((0, 1))
        shares.append(float(slope[:8].mean() / slope[104:120, 72:88].mean()))
    assert max(shares[:6]) < 0.3 and sum(shares[6:]) / 4 > 2 * sum(shares[:6]) / 6
    assert sizes[0] == (128, 96) and sizes[-1] == (224, 160) and sizes == sorted(sizes)


def test_small_views_of_a_class_are_more_and_the_grain_over_them_goes():
    grey = torch.full((2, 3, 224, 224), 0.5)
    approach = Approach(20, (128, 128), (224, 224), grain=0.1)
    seen = [approach(grey, torch.Generator().manual_seed(step)) for step in range(20)]
    assert len(seen[0]) == 6 and len(seen[-1]) == 2  # three views of each of the two, and one
    noise = [float((one - 0.5).std()) for one in seen]
    assert all(abs(value - 0.1) < 0.002 for value in noise[:7]) and noise[7:16] == sorted(noise[7:16], reverse=True)
    assert max(noise[15:]) < 1e-5
    assert torch.equal(Approach(20, (9, 9), (9, 9), grain=0)(grey, torch.Generator()).std(), torch.tensor(0.0))


def test_calm_steps_have_one_length_whatever_the_gradient():
    values = nn.Parameter(torch.zeros(2, 4))
    calm = Calm([values], lr=0.1, momentum=0)
    values.grad = torch.tensor([[1e-6, 0, 0, 0], [0, 0, 3.0, 4.0]])
    calm.step()
    torch.testing.assert_close(-values.detach(), torch.tensor([[0.2, 0, 0, 0], [0, 0, 0.12, 0.16]]))
    values.grad = torch.zeros(2, 4)
    calm.step()
    assert torch.isfinite(values).all()


def test_classes_are_drawn_by_calm_steps_and_layers_by_adam():
    assert optimizer_for(0.5 * logit(1) - logit(2)) == "calm"
    assert optimizer_for(channel("conv2", 1)) == optimizer_for(logit(1) + channel("conv2", 1)) == "adam"
    network = SmallCNN().eval()
    classifier = Classifier(network, mean=[0.5] * 3, std=[0.5] * 3, input_size=32)
    drawn = visualize(classifier, logit(1), steps=12)
    with torch.no_grad():
        assert classifier(drawn)[0, 1] > classifier(torch.full_like(drawn, 0.5))[0, 1]
