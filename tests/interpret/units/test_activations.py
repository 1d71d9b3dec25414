"""Filters, activation maps, receptive fields and projections, on networks small enough to know the answer."""

import pytest
import torch
from torch import nn

from interpret import (
    Classifier,
    InterpretError,
    NetworkError,
    UnknownNameError,
    activation_maps,
    activations_figure,
    filters_figure,
    first_filters,
    projection,
    receptive_field,
)
from interpret.figures.units import strongest_maps
from interpret.layer_outputs import maps_of
from interpret.units.activations import projection_rule
from tests.state import left_as_found
from tests.tiny import RELUS, SmallCNN, m1, x0


def plain(network, channels=3, **options):
    """A classifier whose preprocessing does nothing."""
    return Classifier(network, mean=(0,) * channels, std=(1,) * channels, **options)


def test_filters_are_the_raw_weights():
    network = SmallCNN()
    filters = first_filters(plain(network, input_size=32))
    assert torch.equal(filters, network.conv1.weight) and not filters.requires_grad
    filters.zero_()
    assert network.conv1.weight.abs().sum() > 0
    assert torch.equal(first_filters(plain(network), "conv2"), network.conv2.weight)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_network_has_one_template_a_class(channels):
    network = nn.Sequential(nn.Flatten(), nn.Linear(channels * 6 * 8, 4))
    templates = first_filters(plain(network, channels, input_size=(6, 8)))
    assert torch.equal(templates, network[1].weight.view(4, channels, 6, 8))
    square = nn.Sequential(nn.Flatten(), nn.Linear(channels * 49, 4))
    assert first_filters(plain(square, channels)).shape == (4, channels, 7, 7)


def test_filters_of_a_head_or_of_no_weights_are_refused():
    with pytest.raises(NetworkError, match="the 8 weights a unit of layer 'head' are not a picture of 3 x 32 x 32"):
        first_filters(plain(SmallCNN(), input_size=32), "head")
    with pytest.raises(NetworkError, match="'bn1' is a BatchNorm2d"):
        first_filters(plain(SmallCNN()), "bn1")
    with pytest.raises(UnknownNameError, match="or 'conv1'?"):
        first_filters(plain(SmallCNN()), "conv0")
    with pytest.raises(NetworkError, match="neither a convolution nor a linear layer"):
        first_filters(plain(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())))


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_maps_are_what_the_layer_gives(relu):
    network = m1(relu)
    sums = torch.nn.functional.conv2d(x0(), torch.ones(1, 1, 3, 3))
    maps = activation_maps(plain(network, 1), x0(), "conv1")
    assert torch.equal(maps, torch.cat([sums - 50, sums - 75], 1))
    assert torch.equal(activation_maps(plain(network, 1), x0(), "relu1"), maps.clamp(min=0))
    assert activation_maps(plain(network, 1), x0(), "linear").shape == (1, 4, 1, 1)


def test_maps_leave_the_network_as_it_was():
    network, images = SmallCNN().train(), torch.rand(2, 3, 16, 16)
    with left_as_found(network, images):
        maps = activation_maps(plain(network), images)
    assert maps.shape == (2, 8, 16, 16) and not maps.requires_grad


def test_what_has_neither_places_nor_channels_is_refused():
    network = nn.Sequential(nn.Flatten(2), nn.Flatten(), nn.Linear(48, 2))
    with pytest.raises(InterpretError, match=r"layer '0' gives \(1, 3, 16\), neither a map"):
        activation_maps(plain(network), torch.rand(1, 3, 4, 4), "0")


def stack(*modules):
    return nn.Sequential(*modules).eval()


STACKS = {
    "one": lambda: stack(nn.Conv2d(3, 2, 3)),
    "padded": lambda: stack(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1)),
    "strided": lambda: stack(nn.Conv2d(3, 4, 5, stride=3), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1)),
    "pooled": lambda: stack(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 2, 3, padding=1)),
    "dilated": lambda: stack(nn.Conv2d(3, 2, 3, dilation=3)),
    "even": lambda: stack(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 2, 2)),
    "whole": lambda: stack(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4)),
    "vector": lambda: stack(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)),
    "oblong": lambda: stack(nn.Conv2d(3, 4, (1, 7), stride=(1, 2))),
}


def footprint(network, place):
    """Where the gradient of a place is not zero, with weights that cannot cancel."""
    image = torch.rand(1, 3, 24, 20, dtype=torch.double, requires_grad=True)
    for parameter in network.parameters():
        parameter.data = parameter.data.double().abs() + 0.1
    weights = torch.rand(network(image).shape[1], dtype=torch.double)
    (gradient,) = torch.autograd.grad((network(image)[0, :, *place] * weights).sum(), image)
    rows, columns = (gradient[0].abs().sum((0, 2 - axis)).nonzero().flatten().tolist() for axis in (0, 1))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize("name", STACKS)
def test_receptive_fields_are_exact(name):
    network = STACKS[name]()
    image = torch.rand(1, 3, 24, 20)
    body = nn.Sequential(network, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    field = receptive_field(body, image, "0")
    height, width = maps_of(body, image, "0").shape[2:]
    for place in {(0, 0), (height // 2, width // 2), (height - 1, width - 1), (min(1, height - 1), max(width - 2, 0))}:
        assert field.box(place) == footprint(network.double(), place), place
        network.float()


def test_max_pooling_and_dead_units_do_not_hide_a_part_of_the_field():
    network = stack(nn.Conv2d(3, 1, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3), nn.ReLU())
    for convolution in (network[0], network[3]):
        nn.init.zeros_(convolution.weight)
        nn.init.constant_(convolution.bias, -1)
    body = nn.Sequential(network, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    field = receptive_field(body, torch.rand(1, 3, 20, 20), "0.4")
    assert field.box((0, 0)) == (0, 0, 8, 8)
    assert field.box((2, 3)) == (6, 4, 14, 12)
    assert field.box((2, 3), effective=True) == (6, 4, 14, 12)  # no gradient says where it matters


def test_the_effective_field_lies_in_the_middle_of_the_whole():
    modules = [layer for _ in range(6) for layer in (nn.Conv2d(3, 3, 5, padding=2), nn.Tanh())]
    body = nn.Sequential(stack(*modules), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    field = receptive_field(body, torch.rand(1, 3, 40, 40), "0")
    assert field.box((20, 20)) == (8, 8, 33, 33)
    left, top, right, bottom = field.box((20, 20), effective=True)
    assert 8 < left == 41 - right and 8 < top == 41 - bottom
    assert right - left < 20


def test_the_projection_of_a_first_unit_is_its_filter_at_its_place():
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    drawn = projection(plain(network), torch.rand(1, 3, 10, 10), "1", 1, (4, 5))
    expected = torch.zeros(1, 3, 10, 10)
    expected[..., 4:7, 5:8] = network[0].weight[1]
    assert torch.allclose(drawn, expected) and not drawn.requires_grad


def test_the_deconvnet_is_taken_where_max_pooling_tells_pictures_apart():
    assert projection_rule(nn.Sequential(nn.Conv2d(3, 2, 3), nn.MaxPool2d(2))) == "deconvnet"
    assert projection_rule(SmallCNN()) == "guided"
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.ReLU(), nn.Flatten())
    blank, alive = torch.zeros(1, 3, 6, 6), torch.rand(1, 3, 6, 6)
    same = [projection(network, image, "3", 0, (0, 0), rule="deconvnet") for image in (blank, alive)]
    assert torch.equal(*same)


def test_maps_come_with_the_largest_maximum_first_and_without_dead_ones():
    maps = torch.zeros(1, 5, 2, 2)
    maps[0, 1, 0, 0], maps[0, 3], maps[0, 4, 1, 1] = 6, 6, 7
    maps[0, 2, 0, 1] = -1
    assert strongest_maps(maps) == [4, 3, 1, 2]


@pytest.mark.parametrize("scale", ["each", "shared"])
@pytest.mark.parametrize("shape", [(5, 3, 3, 3), (5, 1, 9, 4), (3, 7, 2, 2), (1, 3, 1, 1)])
def test_filters_are_drawn_whatever_their_shape(shape, scale, tmp_path):
    figure = filters_figure(torch.randn(shape), scale=scale, title="title")
    assert len(figure.axes[0].images) == shape[0] * (1 if shape[1] in (1, 3) else shape[1])
    assert len(figure.axes) == (1 if shape[1] == 3 else 2)  # colours need no bar
    figure.savefig(tmp_path / "filters.png")


def test_a_shared_scale_keeps_weak_maps_weak():
    maps = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
    brightest = {}
    for scale in ("each", "shared"):
        weak = activations_figure(maps, scale=scale).axes[0].images[1].get_array()
        brightest[scale] = weak.max()
    assert brightest["shared"] < 0.6 * brightest["each"]
