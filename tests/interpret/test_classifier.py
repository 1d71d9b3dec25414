"""A classifier: torchvision's own preprocessing, every kind of output, gradients on the picture's pixels."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from interpret import Classifier, InterpretError, Labels, NetworkError, UnknownNameError, imagenet
from tests.state import left_as_found
from tests.tiny import SmallCNN

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = [(64, 64), (48, 64), (64, 48), (80, 301), (300, 70), (40, 40), (20, 33), (150, 149), (65, 97), (7, 5)]
SETTINGS = [("bilinear", 72), ("bicubic", 72), ("bicubic", 64)]


def classifier(network=None, **settings):
    return Classifier(network or SmallCNN(), **{"mean": MEAN, "std": STD} | settings).eval()


def gives(output):
    """A classifier whose network gives ``output(images)``."""

    class Gives(nn.Module):
        def forward(self, images):
            return output(images)

    return classifier(Gives())


def logits_of(images):
    """Five made-up logits an image."""
    return images.flatten(1)[:, :5] * 3


def picture(size):
    """A picture without the overshoot that eight bits would clip."""
    coarse = torch.rand(1, 3, max(2, size[0] // 6), max(2, size[1] // 6)) * 0.6 + 0.2
    return F.interpolate(coarse, size, mode="bilinear").mul(255).round().to(torch.uint8)


def preset(interpolation, resize):
    return ImageClassification(crop_size=64, resize_size=resize, interpolation=InterpolationMode(interpolation))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("interpolation", "resize"), SETTINGS)
def test_equals_torchvision_preprocessing(size, interpolation, resize):
    settled = classifier(input_size=64, resize=resize, interpolation=interpolation)
    bytes_, theirs = picture(size), preset(interpolation, resize)
    ours = settled.normalise(settled.prepare(bytes_ / 255)[0])
    torch.testing.assert_close(ours, theirs(bytes_ / 255), atol=2e-6, rtol=0)
    # Pillow rounds to whole levels after each direction: half a level twice, and what bicubic adds to it.
    pillow = theirs(Image.fromarray(bytes_[0].permute(1, 2, 0).numpy()))
    levels = ((ours - pillow) * settled.std * 255).abs()
    assert levels.max() < 1.2 and levels.mean() < 0.4


def test_gradients_come_back_on_the_pixels_of_the_picture():
    settled = classifier(input_size=32, resize=36).double()
    image = torch.rand(1, 3, 40, 90, dtype=torch.float64, requires_grad=True)
    gradient = torch.autograd.grad(settled(image)[0, 1], image)[0]
    seen = settled.prepare(image)[1].seen()
    assert (gradient[..., seen] != 0).any(1).all()
    step = torch.randn_like(image) * 1e-6
    difference = settled(image + step)[0, 1] - settled(image - step)[0, 1]
    torch.testing.assert_close(difference / 2, (gradient * step).sum(), rtol=1e-5, atol=0)


def test_without_an_input_size_the_picture_keeps_its_own():
    settled, image = classifier(), torch.rand(1, 3, 9, 14)
    prepared, geometry = settled.prepare(image)
    assert prepared is image and geometry.whole
    assert settled.on_inputs() is settled
    normalised = (image - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    torch.testing.assert_close(settled(image), settled.network(normalised))


OUTPUTS = {
    "tensor": lambda logits: logits,
    "tuple": lambda logits: (logits, logits[:, :, None, None].expand(-1, -1, 7, 7)),
    "list": lambda logits: [logits],
    "dict": lambda logits: {"logits": logits, "features": logits * 0},
    "dict, not first": lambda logits: {"features": logits * 0, "logits": logits},
    "dict without the name": lambda logits: {"out": logits, "indices": logits.argsort(1), "loss": None},
    "object": lambda logits: SimpleNamespace(logits=logits, hidden_states=None),
    "(N, C, 1, 1)": lambda logits: logits[:, :, None, None],
    "squeezed": lambda logits: logits[:, :, None, None].squeeze(),
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_outputs(output, count):
    images = torch.rand(count, 3, 4, 4)
    settled = gives(lambda inputs: output(logits_of(inputs)))
    torch.testing.assert_close(settled(images), logits_of(settled.normalise(images)))


ONES = {
    "(N,)": lambda logit: logit,
    "(N, 1)": lambda logit: logit[:, None],
    "(N, 1, 1, 1)": lambda logit: logit[:, None, None, None],
    "squeezed": lambda logit: logit[:, None].squeeze(),
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("output", ONES.values(), ids=ONES)
def test_one_output_is_the_log_odds_of_the_second_class(output, count):
    images = torch.rand(count, 3, 4, 4)
    settled = gives(lambda inputs: output(logits_of(inputs)[:, 0]))
    logit = logits_of(settled.normalise(images))[:, 0]
    assert settled(images).shape == (count, 2)
    torch.testing.assert_close(settled(images).softmax(1)[:, 1], logit.sigmoid())


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda images: images, r"\(N, classes\).*\(2, 3, 4, 4\)"),
        (lambda images: {}, "returned NoneType"),
        (lambda images: (), "returned NoneType"),
        (lambda images: "cat", "returned str"),
        (lambda images: images.flatten(1)[:1], "for 1 pictures, not for 2"),
        (lambda images: images.mean(), "for 1 pictures, not for 2"),
    ],
)
def test_outputs_that_are_no_logits(output, message):
    with pytest.raises(NetworkError, match=message):
        gives(output)(torch.rand(2, 3, 4, 4))


@pytest.mark.parametrize("view", [nn.Identity(), nn.Flatten(0)])
def test_sigmoid_ending_of_one_output(view):
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 1), nn.Sigmoid(), view)
    settled, images = classifier(network), torch.rand(3, 3, 4, 4)
    probability = network(settled.normalise(images)).flatten()
    torch.testing.assert_close(settled(images).softmax(1)[:, 1], probability)
    torch.testing.assert_close(settled(images).softmax(1)[:, 0], 1 - probability)


@pytest.mark.parametrize(
    ("ending", "inverse"),
    [
        (nn.Softmax(1), lambda logits: logits.softmax(1)),
        (nn.LogSoftmax(1), lambda logits: logits),
        (nn.Sigmoid(), lambda logits: logits.sigmoid()),
        (nn.Tanh(), lambda logits: logits),
    ],
)
def test_the_answer_before_an_ending(ending, inverse):
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 5), ending)
    settled, images = classifier(network), torch.rand(3, 3, 4, 4)
    torch.testing.assert_close(inverse(settled(images)), network(settled.normalise(images)))


def test_an_impossible_class_has_a_finite_logit():
    settled = classifier(nn.Sequential(nn.Flatten(), nn.Softmax(1)), std=(1e-3,) * 3)
    assert settled(torch.rand(2, 3, 2, 2)).isfinite().all()


class Gated(nn.Module):
    """A sigmoid or softmax that is registered last, but is a gate inside or not used at all."""

    def __init__(self, module, used):
        super().__init__()
        self.head = nn.Linear(5, 5)
        self.used = used
        self.gate = module

    def forward(self, images):
        features = images.flatten(1)[:, :5]
        return self.head(features * self.gate(features) if self.used else features)


@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("module", [nn.Sigmoid(), nn.Softmax(1)])
def test_a_sigmoid_that_is_no_ending_changes_nothing(module, used):
    settled, images = classifier(Gated(module, used)), torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(settled(images), settled.network(settled.normalise(images)))


def test_a_network_for_grey_takes_colour_by_its_luma():
    settled = Classifier(SmallCNN(channels=1), mean=[0.5], std=[0.25]).eval()
    image = torch.rand(1, 3, 8, 8)
    grey = (0.299 * image[:, :1] + 0.587 * image[:, 1:2] + 0.114 * image[:, 2:]).requires_grad_()
    torch.testing.assert_close(settled(image), settled(grey))


def test_a_network_for_colour_takes_grey():
    settled, grey = classifier(), torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(settled(grey), settled(grey.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize(("wanted", "given"), [(3, 4), (3, 2), (1, 2), (4, 3)])
def test_other_numbers_of_channels(wanted, given):
    settled = Classifier(SmallCNN(channels=wanted), mean=[0.5] * wanted, std=[1] * wanted)
    with pytest.raises(InterpretError, match=f"of {wanted} channels, not of {given}"):
        settled(torch.rand(1, given, 8, 8))


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 8), (1, 1, 3, 8, 8)])
def test_images_have_four_dimensions(shape):
    with pytest.raises(InterpretError, match=r"\(N, C, H, W\)"):
        classifier()(torch.rand(shape))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean": [0.5]}, "one number a channel"),
        ({"mean": [], "std": []}, "one number a channel"),
        ({"std": [1, 0, 1]}, "above 0"),
        ({"std": [1, -1, 1]}, "above 0"),
        ({"interpolation": "lanczos"}, "bilinear, bicubic, nearest, not 'lanczos'"),
        ({"input_size": 224, "resize": 200}, r"resize \(200\).*not \(224, 224\)"),
        ({"input_size": (224, 299), "resize": 256}, r"resize \(256\).*not \(224, 299\)"),
        ({"resize": 256}, r"resize \(256\) needs an input_size"),
        ({"input_size": 0}, "1 or more"),
        ({"input_size": (8, -8)}, "1 or more"),
    ],
)
def test_settings_that_contradict_each_other(settings, message):
    with pytest.raises(InterpretError, match=message):
        classifier(**settings)


@pytest.mark.parametrize("input_size", [(24, 40), [24, 40]])
def test_an_oblong_input(input_size):
    settled = classifier(input_size=input_size)
    assert settled.prepare(torch.rand(1, 3, 50, 50))[0].shape == (1, 3, 24, 40)
    assert settled.prepare(torch.rand(1, 3, 24, 40))[1].whole


@pytest.mark.parametrize("training", [True, False])
def test_forward_leaves_the_flags_alone(training):
    settled = classifier(input_size=16)
    settled.network.train(training)
    settled.network.bn1.train(not training)
    before = [module.training for module in settled.modules()]
    settled(torch.rand(2, 3, 20, 20))
    assert before == [module.training for module in settled.modules()]


@pytest.mark.parametrize("training", [True, False])
def test_a_new_classifier_is_in_its_network_s_mode(training):
    """Attacks of other packages read the mode of the whole, and set all of it back to that afterwards."""
    network = SmallCNN().train(training)
    settled = Classifier(network, mean=[0.5] * 3, std=[0.25] * 3)
    assert settled.training is settled.on_inputs().training is training
    settled.train(settled.training)
    assert all(module.training is training for module in network.modules())


def test_a_network_in_double():
    settled = classifier(SmallCNN().double(), input_size=16)
    single = torch.rand(2, 3, 20, 30)
    assert settled(single).dtype == torch.float64
    torch.testing.assert_close(settled(single), settled(single.double()), rtol=1e-4, atol=1e-5)
    assert settled.double()(single.double()).dtype == torch.float64


def test_whole_numbers_as_mean_and_std():
    settled = Classifier(nn.Flatten(), mean=[0] * 3, std=[1] * 3)
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(settled(images), images.flatten(1))


def test_on_inputs_is_the_classifier_for_prepared_pictures():
    settled = classifier(input_size=16, resize=20, labels=list("abcde"))
    images = torch.rand(3, 3, 50, 31)
    view, (inputs, _) = settled.on_inputs(), settled.prepare(images)
    assert view.input_size is None and view.labels is settled.labels and view.network is settled.network
    assert torch.equal(view(inputs), settled(images))
    assert view.on_inputs() is view


def test_weights_are_those_of_the_network_alone():
    settled = classifier(input_size=16)
    assert settled.state_dict().keys() == {f"network.{name}" for name in settled.network.state_dict()}


def test_a_classifier_made_under_inference_mode_can_give_gradients():
    network = SmallCNN().eval()
    with torch.inference_mode():
        settled = classifier(network)
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    assert torch.autograd.grad(settled(image).sum(), image)[0].abs().sum() > 0


def test_find():
    settled = gives(logits_of)
    settled.labels = Labels(["cat", "dog", "bird", "red fox", "grey fox"])
    images = torch.zeros(3, 3, 4, 4)
    images[0, 0, 0, 4 - 1] = images[1, 0, 1, 0] = 1  # logits 3 and 4 of the first and second image
    images[2, 0, 0, 0] = 1
    for query in ("bird", "2", 2, "BIRD"):
        assert settled.find(query, images).tolist() == [2, 2, 2]
    assert settled.find("fox", images[:2]).tolist() == [3, 4]
    for image, best in zip(images[:2], (3, 4), strict=True):
        assert settled.find("fox", image[None]).tolist() == [best]
    with pytest.raises(UnknownNameError, match="did you mean 'bird'"):
        settled.find("birt", images)


def test_find_takes_the_best_member_of_a_wordnet_group():
    settled = gives(lambda images: images.flatten(1)[:, :1000])
    settled.labels = imagenet()
    images = torch.zeros(2, 3, 20, 20)
    images.view(2, -1)[0, 281] = images.view(2, -1)[1, 285] = 1
    images.view(2, -1)[:, 207] = 2  # a dog scores higher still
    assert settled.find("domestic cat", images).tolist() == [281, 285]


def test_find_leaves_no_trace_and_needs_no_labels():
    settled, images = classifier().train(), torch.rand(2, 3, 8, 8)
    with left_as_found(settled, images):
        assert settled.find(4, images).tolist() == [4, 4]
        with pytest.raises(UnknownNameError, match="0 to 4"):
            settled.find(5, images)


@pytest.mark.parametrize(("labels", "index", "name"), [(["a", "b"], 1, "b"), (["a", "b"], 2, "2"), (None, 7, "7")])
def test_name(labels, index, name):
    assert classifier(labels=labels).name(index) == name


@pytest.mark.parametrize("how", ["softmax", "keyword"])
def test_a_softmax_that_is_no_module_or_is_called_by_keyword(how):
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = SmallCNN()
            self.softmax = nn.Softmax(1)

        def forward(self, images):
            logits = self.body(images)
            return logits.softmax(1) if how == "softmax" else self.softmax(input=logits)

    network, images = Head().eval(), torch.rand(3, 3, 8, 8)
    classifier = Classifier(network, mean=[0.0] * 3, std=[1.0] * 3)
    torch.testing.assert_close(classifier(images).softmax(1), network(images))


class Softmaxed(nn.Sequential):
    """A softmax that is a function, behind logits that differ much."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(48, 5))
        self[1].weight.data *= 4

    def forward(self, images):
        return F.softmax(super().forward(images), 1)


@pytest.mark.parametrize(
    ("weights", "precision", "atol"),
    [
        (torch.float32, "float32", 1e-6),
        (torch.float16, "float32", 2e-3),
        (torch.bfloat16, "float32", 2e-2),
        (torch.float32, "fp16", 2e-3),
        (torch.float32, "bf16", 2e-2),
    ],
)
def test_a_softmax_in_narrow_numbers_is_known_for_each_picture_alone(weights, precision, atol):
    network, images = Softmaxed().to(weights), torch.rand(300, 3, 4, 4)
    settled = classifier(network, precision=precision).requires_grad_(False)
    batch, alone = settled(images), torch.cat([settled(image[None]) for image in images])
    torch.testing.assert_close(batch.softmax(1), alone.softmax(1), rtol=0, atol=atol)
    exact = nn.Sequential.forward(network.float(), settled.normalise(images)).softmax(1)
    torch.testing.assert_close(batch.softmax(1), exact, rtol=0, atol=atol)
    assert batch.dtype == torch.float32


def test_a_picture_whose_logits_look_like_probabilities_changes_no_other():
    settled, images = gives(lambda images: images.flatten(1)[:, :2]), torch.rand(3, 3, 4, 4)
    images[1, 0, 0, :2] = torch.tensor([0.25, 0.75]) * settled.std[0] + settled.mean[0]
    torch.testing.assert_close(settled(images), torch.cat([settled(image[None]) for image in images]))


def test_the_view_on_inputs_is_in_the_same_mode(squeezenet):
    assert not squeezenet.training and not squeezenet.on_inputs().training
