"""What methods take as images: what has one meaning, and one sentence for everything else."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from attacks import AttackError, attack_named
from interpret import InterpretError, UnknownNameError, gradcam, read, saliency
from tests.own_networks import Net, classifier
from tests.refusals import refusal


def levels(height: int = 9, width: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def settled():
    return classifier(Net(3))


@pytest.mark.parametrize("kind", ["pillow", "array", "numbers", "path", "text", "file"])
def test_a_picture_in_every_form(kind, tmp_path):
    array = levels()
    picture, path = Image.fromarray(array), tmp_path / "own.png"
    picture.save(path)
    given = {
        "pillow": picture,
        "array": array,
        "numbers": array.astype(np.float64) / 255,
        "path": path,
        "text": str(path),
        "file": io.BytesIO(path.read_bytes()),
    }[kind]
    image = torch.from_numpy(array).permute(2, 0, 1)[None] / 255
    expected = saliency(settled(), image, 1)
    torch.testing.assert_close(saliency(settled(), given, 1), expected)
    if kind != "file":  # which has been read
        torch.testing.assert_close(read(given), image)


def test_arrays_with_one_meaning():
    grey = levels()[..., 0]
    image = torch.from_numpy(grey)[None, None].expand(1, 3, -1, -1) / 255
    for array in (grey, grey[..., None], grey / np.float32(255), (grey / 255)[..., None]):
        torch.testing.assert_close(read(array), image)
    clear = np.dstack([levels(), np.zeros((9, 12), np.uint8)])  # transparent, which lies on white
    assert torch.equal(read(clear), torch.ones(1, 3, 9, 12))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (levels().astype(np.float32), "in [0, 1]"),
        (levels().astype(np.int64), "int64"),
        (levels().transpose(2, 0, 1), "(3, 9, 12)"),
        (levels()[None], "(1, 9, 12, 3)"),
        (np.full((4, 4, 3), np.nan), "nan"),
        (np.zeros((0, 4, 3)), "(0, 4, 3)"),
    ],
    ids=["numbers to 255", "integers", "channels first", "batch", "NaN", "empty"],
)
def test_arrays_without_one_meaning(array, words):
    assert words in refusal(read, array, kind=InterpretError)
    assert words in refusal(saliency, settled(), array, 0, kind=InterpretError)


WRONG = {
    "levels": (torch.rand(1, 3, 8, 8) * 255, "divide levels by 255"),
    "whole numbers": (torch.full((1, 3, 8, 8), 7, dtype=torch.uint8), "torch.uint8"),
    "booleans": (torch.ones(1, 3, 8, 8, dtype=torch.bool), "torch.bool"),
    "normalised": (torch.linspace(-2.1, 2.6, 192).view(1, 3, 8, 8), "normalises them itself"),
    "a little below": (torch.full((1, 3, 8, 8), -0.01), "in [0, 1]"),
    "NaN": (torch.full((1, 3, 8, 8), torch.nan), "NaN"),
    "infinite": (torch.full((1, 3, 8, 8), torch.inf), "infinite"),
    "list": ([torch.rand(3, 8, 8)], "not a list"),
    "none": (None, "NoneType"),
    "three dimensions": (torch.rand(3, 8, 8), "(N, C, H, W)"),
}


@pytest.mark.parametrize(("images", "words"), WRONG.values(), ids=WRONG)
def test_images_that_are_none(images, words):
    assert words in refusal(gradcam, settled(), images, 0, kind=InterpretError)


def test_a_view_takes_what_prepare_gives():
    sharp = torch.zeros(1, 3, 40, 40)
    sharp[..., 20:] = 1
    model = classifier(Net(3), input_size=16, interpolation="bicubic")
    inputs = model.prepare(sharp)[0]
    assert inputs.min() < 0 and saliency(model.on_inputs(), inputs, 0).shape == (1, 3, 16, 16)
    assert "in [0, 1]" in refusal(saliency, model.on_inputs(), inputs * 255, 0, kind=InterpretError)
    # A network that is no Classifier says nothing of what it takes.
    assert saliency(Net(3), torch.randn(1, 3, 8, 8), 0).shape == (1, 3, 8, 8)
    assert "NaN" in refusal(saliency, Net(3), torch.full((1, 3, 8, 8), torch.nan), 0, kind=InterpretError)


@pytest.mark.parametrize("name", ["fgsm", "apgd", "autoattack", "deepfool", "square"])
@pytest.mark.parametrize("given", [Image.fromarray(levels()), "sample:cat"], ids=["pillow", "path"])
def test_attacks_say_what_they_take(given, name):
    said = refusal(attack_named(name), settled(), given, kind=AttackError)
    assert "tensor" in said and "interpret.read" in said
    assert "divide by 255" in refusal(attack_named(name), settled(), levels()[None], kind=AttackError)


def test_without_a_target_it_is_the_top_prediction():
    images = torch.rand(3, 3, 8, 8)
    for model in (settled(), Net(3).eval()):
        top = model(images).argmax(1)
        torch.testing.assert_close(saliency(model, images, None), saliency(model, images, top))
        torch.testing.assert_close(saliency(model, images), saliency(model, images, top))


def test_a_layer_is_the_module_itself():
    model, images = settled(), torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(
        gradcam(model, images, 0, layer=model.network.f[1]), gradcam(model, images, 0, layer="f.1")
    )
    for other in (torch.nn.ReLU(), model.network):
        with pytest.raises(UnknownNameError, match="no module inside"):
            gradcam(model, images, 0, layer=other)


@pytest.mark.parametrize("given", [torch.rand(1, 3, 4, 4), 3, [levels()]], ids=["tensor", "number", "list"])
def test_what_read_does_not_take(given):
    assert "a picture is a path" in refusal(read, given, kind=InterpretError)
