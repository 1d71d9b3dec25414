"""Scores of outputs that are no logits: pixels of a segmentation, boxes of a detection, embeddings, one's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from interpret import (
    InterpretError,
    NetworkError,
    box,
    contrast,
    default_layer,
    gradcam,
    occlusion,
    output,
    pixels,
    rise,
    saliency,
    similarity,
    smoothgrad,
)
from tests.own_networks import Detects, Net, Segments, Several, classifier
from tests.refusals import refusal


def pictures(count: int = 2, size: tuple[int, int] = (16, 24)) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(3))


def slope_of(function, images):
    images = images.clone().requires_grad_()
    return torch.autograd.grad(function(images), images)[0]


def corner(height: int, width: int) -> torch.Tensor:
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[: height // 2, : width // 4] = True
    return mask


def test_pixels_are_the_sum_of_a_class_over_a_mask():
    network, images = Segments().eval(), pictures()
    mask, settled = corner(8, 12), classifier(network)  # on the map of 8 x 12
    found = saliency(settled.on_inputs(), images, pixels(1, F.interpolate(mask[None, None].float(), (16, 24))[0, 0]))
    expected = slope_of(lambda x: (network(x)["out"][:, 1] * mask).sum(), images)
    torch.testing.assert_close(found, expected)
    # Every image has its own mask, also in passes that mix the images.
    masks = torch.stack([corner(16, 24), ~corner(16, 24)])[:, None]
    together = smoothgrad(settled, images, pixels(1, masks), samples=3, max_batch=2)
    alone = smoothgrad(settled, images[1:], pixels(1, masks[1]), samples=3)
    torch.testing.assert_close(together[1:], alone)


def test_pixels_without_a_mask_are_where_the_class_is_the_highest():
    network, images = Segments().eval(), pictures(1)
    scores = network(images)["out"]
    seen = int(scores.argmax(1).flatten().mode().values)
    expected = slope_of(lambda x: network(x)["out"][:, seen][scores.argmax(1) == seen].sum(), images)
    torch.testing.assert_close(saliency(classifier(network), images, pixels(seen)), expected)
    absent = ({0, 1, 2} - set(scores.argmax(1).unique().tolist())).pop()
    assert "highest at no pixel" in refusal(saliency, classifier(network), images, pixels(absent), kind=InterpretError)


def test_pixels_without_a_mask_stay_where_they_are_while_the_picture_changes():
    network, images = Segments().eval(), pictures(2)
    settled, highest = classifier(network).on_inputs(), network(images)["out"].argmax(1, keepdim=True)
    common = int(highest.flatten().mode().values)
    masks = highest == common
    large = F.interpolate(masks.float(), images.shape[2:])  # every place of the map once, as its nearest pixel
    options = {"window": 8, "stride": 8, "baseline": "white", "max_batch": 3}
    assert masks.flatten(1).any(1).all()
    torch.testing.assert_close(
        occlusion(settled, images, pixels(common), **options),
        occlusion(settled, images, pixels(common, large), **options),
    )


def test_a_mask_lies_on_the_picture_as_the_network_sees_it():
    network, images = Segments().eval(), pictures(1, (40, 60))
    settled = classifier(network, input_size=16, resize=20, interpolation="bilinear")
    inputs, geometry = settled.prepare(images)
    whole = saliency(settled, images, pixels(1, torch.ones(40, 60)))
    torch.testing.assert_close(whole, geometry.spread(slope_of(lambda x: network(x)["out"][:, 1].sum(), inputs)))
    left = torch.zeros(40, 60)
    left[:, :30] = 1
    half = slope_of(lambda x: network(x)["out"][:, 1, :, :4].sum(), inputs)
    torch.testing.assert_close(saliency(settled, images, pixels(1, left)), geometry.spread(half))
    unseen = torch.zeros(40, 60)
    unseen[:, :5] = 1
    assert "in the mask" in refusal(saliency, settled, images, pixels(1, unseen), kind=InterpretError)
    assert "(16, 16), and the picture (40, 60)" in refusal(
        saliency, settled, images, pixels(1, torch.ones(16, 16)), kind=InterpretError
    )


def test_a_box_is_the_overlap_and_the_score_of_the_nearest():
    network, images = Detects().eval(), pictures()
    for near in ([0, 0, 12, 16], torch.tensor([1.0, 0, 13, 16])):
        found = saliency(classifier(network), images, box(1, near))
        expected = slope_of(lambda x: network.conv(x)[:, 0, :, :12].mean((1, 2)).sum(), images)
        torch.testing.assert_close(found, expected)
    overlap = 11 / 13  # of the boxes from 0 to 12 and from 1 to 13
    score = box(1, [1.0, 0, 13, 16])(network(images))
    torch.testing.assert_close(score, overlap + network.conv(images)[:, 0, :, :12].mean((1, 2)))
    torch.testing.assert_close(box(2)(network(images)), network.conv(images)[:, 1, :, 12:].mean((1, 2)))
    assert box(2, [0, 0, 12, 16])(network(images)).tolist() == [0, 0]  # another class is there


def test_a_box_is_given_in_pixels_of_the_picture():
    settled, images = classifier(Detects(), input_size=(16, 16), resize=16), pictures(1, (32, 64))
    # The network sees the middle 32 of 64 columns, at half the size: its left half begins at column 16.
    near = box(1, [16, 0, 32, 32])
    assert near.laid_on(settled.prepare(images)[1]).near == [0, 0, 8, 16]
    found = saliency(settled, images, near)
    assert found[..., 18:30].abs().min() > 0 and found[..., 38:].abs().max() == 0
    assert occlusion(settled, images, near, window=8, stride=8)[..., 18:30].abs().min() > 0


def test_what_is_not_detected_is_said():
    settled, images = classifier(Detects()), pictures()
    assert "class 3 is not detected; the surest" in refusal(saliency, settled, images, box(3), kind=InterpretError)
    said = refusal(occlusion, settled, images, box(2, [0, 0, 12, 16]), kind=InterpretError)
    assert "class 2 is not detected where the box is" in said and "1 (0." in said
    for near in ([5, 5, 5, 9], [1, 2, 3]):
        assert "left, top, right" in refusal(saliency, settled, images, box(1, near), kind=InterpretError)
    assert "detection" in refusal(saliency, classifier(Segments()), images, box(1), kind=InterpretError)
    assert "segmentation" in refusal(saliency, settled, images, pixels(1), kind=InterpretError)
    assert "classes 0 to 2" in refusal(saliency, classifier(Segments()), images, pixels(3), kind=InterpretError)


def test_similarity_is_a_cosine():
    network, images = Net(6).eval(), pictures()
    wanted = network(images.flip(3)).detach()
    found = saliency(classifier(network), images, similarity(wanted))
    expected = slope_of(lambda x: F.cosine_similarity(network(x), wanted).sum(), images)
    torch.testing.assert_close(found, expected)
    assert "(5,)" in refusal(saliency, classifier(network), images, similarity(torch.rand(5)), kind=InterpretError)
    # Neither a softmax nor labels are looked for in an embedding.
    shares = classifier(Net(6, lambda logits: logits.softmax(1)).eval())
    expected = slope_of(lambda x: F.cosine_similarity(shares.network(x), wanted).sum(), images)
    torch.testing.assert_close(saliency(shares, images, similarity(wanted)), expected)


def test_output_is_a_number_as_it_is():
    network, images = Net(2, torch.tanh).eval(), pictures()
    found = saliency(classifier(network), images, output(1))
    torch.testing.assert_close(found, slope_of(lambda x: network(x)[:, 1].sum(), images))
    assert "the network has 2" in refusal(saliency, classifier(network), images, output(2), kind=InterpretError)


def test_a_function_gets_what_the_network_returns_where_that_is_no_logits():
    images, network = pictures(), Segments().eval()
    settled = classifier(network)
    found = saliency(settled, images, lambda given: given["out"][:, 2].mean((1, 2)))
    torch.testing.assert_close(found, slope_of(lambda x: network(x)["out"][:, 2].mean((1, 2)).sum(), images))
    two = Several(lambda net, x: (net.features(x), net.fc(net.features(x)))).eval()
    found = saliency(classifier(two), images, lambda given: given[1][:, 2])
    torch.testing.assert_close(found, slope_of(lambda x: two(x)[1][:, 2].sum(), images))
    assert rise(settled, images, lambda given: given["out"][:, 0].amax((1, 2)), masks=4).shape == (2, 1, 16, 24)
    # Where there are logits it gets these, as it always did.
    classes = classifier(Net(3, lambda logits: {"logits": logits, "other": logits * 2}).eval())
    torch.testing.assert_close(saliency(classes, images, lambda logits: logits[:, 1]), saliency(classes, images, 1))


@pytest.mark.parametrize("give", [lambda out: 3.0, lambda out: out["out"], lambda out: out["out"].sum()])
def test_a_function_gives_one_number_an_image(give):
    said = refusal(saliency, classifier(Segments()), pictures(), give, kind=InterpretError)
    assert "one number for each image, of shape (2,)" in said


def test_scores_of_outputs_can_be_compared():
    network, images = Segments().eval(), pictures()
    mask = corner(16, 24)
    found = saliency(classifier(network), images, contrast(pixels(1, mask), pixels(2, mask)))
    one, two = (saliency(classifier(network), images, pixels(index, mask)) for index in (1, 2))
    torch.testing.assert_close(found, one - two, atol=1e-6, rtol=1e-4)


def test_layers_of_networks_without_logits():
    network, images = Segments().eval(), pictures(1)
    assert default_layer(network, images) == "body.f.3"
    found = gradcam(classifier(network), images, pixels(1, torch.ones(16, 24)))
    weights = network.classifier.weight[1].detach()  # a sum of means of 2 x 2 places
    maps = network.body.f(images).detach()
    torch.testing.assert_close(found, torch.relu((weights * maps).sum(1)[None]) / 4)


@pytest.mark.parametrize("target", [0, None, contrast(0, 1)])
def test_classes_need_logits(target):
    said = refusal(saliency, classifier(Segments()), pictures(), target, kind=NetworkError)
    assert "out (2, 3, 8, 12)" in said and "--score" in said
    assert isinstance(classifier(Segments()).network, nn.Module)
