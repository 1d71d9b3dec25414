"""Data sets: every form they come in, the parts they have, and what is refused."""

import functools
import gzip
import hashlib
import struct
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

import interpret
from interpret import (
    Classifier,
    Dataset,
    InterpretError,
    PictureError,
    UnknownNameError,
    has_test,
    open_dataset,
    split,
)
from interpret.datasets import picture_folder
from interpret.datasets.dataset import in_memory, resized
from tests import refusals

refusal = functools.partial(refusals.refusal, kind=InterpretError)


def everything(data):
    return data.batch(torch.arange(len(data)))


def test_digits():
    train, test = (open_dataset("digits", train=part) for part in (True, False))
    assert (len(train), len(test)) == (1437, 360) and has_test("digits")
    assert train.names == tuple("0123456789") and train.shape == (1, 8, 8)
    images, labels = train.batch(torch.tensor([1436, 0, 5]))
    assert images.shape == (3, 1, 8, 8) and images.dtype == torch.float32 and labels.dtype == torch.int64
    assert labels[1] == 0 and images[1, 0, 0].mul(16).round().tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    images = everything(train)[0]
    assert (
        images.min() == 0
        and images.max() == 1
        and torch.equal(interpret.from_levels(interpret.to_levels(images)), images)
    )
    assert test.labels.bincount().tolist() == [35, 36, 35, 37, 37, 37, 37, 36, 33, 37]


def test_digits_of_another_size_are_what_a_classifier_would_see():
    small, large = (open_dataset("digits", train=False, size=size) for size in (None, (12, 10)))
    assert large.shape == (1, 12, 10)
    classifier = Classifier(torch.nn.Flatten(), mean=[0], std=[1], input_size=(12, 10), interpolation="bilinear")
    seen = classifier.prepare(everything(small)[0])[0]
    torch.testing.assert_close(everything(large)[0], seen, atol=0.51 / 255, rtol=0)


def test_batches_and_parts():
    data = in_memory(torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1), torch.tensor([0, 1, 0, 1, 1]), ["a", "b"])
    images, labels = data.batch(torch.tensor([4, 0, 4]))
    assert images.flatten().mul(255).round().tolist() == [4, 0, 4] and labels.tolist() == [1, 0, 1]
    part = data.part(torch.tensor([3, 1, 0])).part(torch.tensor([0, 2]))
    assert len(part) == 2 and isinstance(part, Dataset) and part.shape == (1, 1, 1)
    assert everything(part)[0].flatten().mul(255).round().tolist() == [3, 0] and part.labels.tolist() == [1, 0]


def test_a_split_keeps_the_shares_of_the_classes():
    data = open_dataset("digits", train=True)
    state = torch.get_rng_state()
    left, aside = split(data, 0.2, seed=3)
    assert torch.equal(state, torch.get_rng_state())
    assert len(left) + len(aside) == len(data) and left.names == data.names
    assert (aside.labels.bincount() - 0.2 * data.labels.bincount()).abs().max() <= 0.5
    prints = {bytes(interpret.to_levels(image).numpy()) for image in everything(left)[0]}
    assert not prints & {bytes(interpret.to_levels(image).numpy()) for image in everything(aside)[0]}
    again, other = split(data, 0.2, seed=3)[1], split(data, 0.2, seed=4)[1]
    assert torch.equal(everything(again)[0], everything(aside)[0])
    assert not torch.equal(everything(other)[0], everything(aside)[0])


def test_small_classes_are_never_set_aside_whole():
    data = in_memory(torch.zeros(4, 1, 1, 1), torch.tensor([0, 1, 1, 1]), ["a", "b", "c"])
    assert split(data, 0.9, seed=0)[0].labels.tolist() == [0, 1]
    assert split(data, 0.01, seed=0)[1].labels.tolist() == [1]
    assert "add pictures" in refusal(lambda: split(data.part(torch.tensor([0, 1])), 0.5, seed=0))
    for share in (0, 1, -0.1):
        assert "between 0 and 1" in refusal(lambda share=share: split(data, share, seed=0))


def picture(path, colour, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], colour).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes to train on and to test on: bees are green, ants red, and test pictures darker."""
    for part, level in (("train", 255), ("test", 51)):
        for index in range(3):
            picture(tmp_path / part / "bee" / f"{index}.png", (0, level, index))
        picture(tmp_path / part / "ant" / "one.PNG", (level, 0, 0))
    (tmp_path / "train" / "ant" / "notes.txt").write_text("none")
    (tmp_path / "train" / "empty").mkdir()
    return tmp_path


def test_a_folder(folder):
    train, test = (open_dataset(folder, train=part) for part in (True, False))
    assert train.names == test.names == ("ant", "bee") and train.shape == (3, 8, 8) and has_test(folder)
    assert train.labels.tolist() == test.labels.tolist() == [0, 1, 1, 1]
    assert everything(train)[0][:, :, 0, 0].mul(255).round().tolist() == [
        [255, 0, 0],
        [0, 255, 0],
        [0, 255, 1],
        [0, 255, 2],
    ]
    assert everything(test)[0].max() == torch.tensor(0.2)


def test_a_folder_without_parts(folder):
    data = open_dataset(str(folder / "train"), train=True)
    assert data.names == ("ant", "bee") and not has_test(folder / "train")
    assert "no pictures to test on" in refusal(lambda: open_dataset(folder / "train", train=False))
    (folder / "test").rename(folder / "val")
    assert has_test(folder) and len(open_dataset(folder, train=False)) == 4


def test_pictures_in_folders_inside_a_class(folder):
    picture(folder / "train" / "ant" / "more" / "two.png", "white")
    assert open_dataset(folder, train=True).labels.tolist() == [0, 0, 1, 1, 1]


def test_pictures_of_several_sizes(folder):
    picture(folder / "train" / "ant" / "wide.png", "white", size=(10, 30))
    assert "others 8 x 8; give the size" in refusal(lambda: open_dataset(folder, train=True))
    Image.effect_noise((30, 10), 50).save(folder / "train" / "ant" / "wide.png")
    images = everything(open_dataset(folder, train=True, size=(6, 5)))[0]
    assert images.shape == (5, 3, 6, 5)
    expected = resized(interpret.read(folder / "train" / "ant" / "wide.png"), (6, 5))
    torch.testing.assert_close(images[1:2], expected, atol=0.51 / 255, rtol=0)


def test_what_does_not_fit_into_memory_is_read_when_wanted(folder, monkeypatch):
    kept = open_dataset(folder, train=True, size=(5, 6))
    monkeypatch.setattr(picture_folder, "LARGEST", 4 * 3 * 5 * 6 - 1)
    reading = open_dataset(folder, train=True, size=(5, 6))
    indices = torch.tensor([3, 0, 3])
    for ours, theirs in zip(reading.batch(indices), kept.batch(indices), strict=True):
        assert torch.equal(ours, theirs)
    left, aside = split(reading, 0.5, seed=0)
    assert everything(left)[0].shape[1:] == everything(aside)[0].shape[1:] == (3, 5, 6)
    for file in folder.rglob("*.png"):
        file.unlink()
    with pytest.raises(PictureError):
        reading.batch(indices)
    kept.batch(indices)


def test_folders_that_are_refused(folder, tmp_path):
    picture(folder / "test" / "wasp" / "1.png", "white")
    assert "'wasp', a class that" in refusal(lambda: open_dataset(folder, train=False))
    (folder / "train" / "bee" / "1.png").write_bytes(b"nothing")
    assert "1.png is empty, damaged" in refusal(lambda: open_dataset(folder, train=True))
    (tmp_path / "nothing").mkdir()
    assert "0 classes of pictures; a data set has one folder" in refusal(
        lambda: open_dataset(tmp_path / "nothing", train=True)
    )
    picture(folder / "train" / "ant" / "long.png", "white", size=(1, 5000))
    assert "long.png: a picture of 5000 x 1" in refusal(lambda: open_dataset(folder, train=True, size=(8, 8)))


GREY = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
ANSWERS = np.array([0, 1, 2, 1, 0])


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


@pytest.mark.parametrize("images", [GREY, GREY[..., None], GREY / 255, (GREY / 255).astype(np.float32)])
def test_arrays(tmp_path, images):
    data = open_dataset(npz(tmp_path, images=images, labels=ANSWERS), train=True)
    images, labels = everything(data)
    assert data.shape == (1, 4, 3) and data.names == ("0", "1", "2") and images.dtype == torch.float32
    torch.testing.assert_close(images[:, 0], torch.from_numpy(GREY / 255).float())
    assert labels.tolist() == ANSWERS.tolist() and labels.dtype == torch.int64


def test_arrays_in_colour_with_names_and_a_test_part(tmp_path):
    colours = np.stack([GREY, GREY + 1, GREY + 2], -1)
    names = np.array(["ant", "bee", "cat", "dog"])
    file = npz(tmp_path, images=colours, labels=ANSWERS, names=names, test_images=colours[:2], test_labels=ANSWERS[:2])
    train, test = (open_dataset(str(file), train=part, size=(2, 2)) for part in (True, False))
    assert train.names == test.names == ("ant", "bee", "cat", "dog") and train.shape == test.shape == (3, 2, 2)
    assert (len(train), len(test)) == (5, 2) and has_test(file)
    assert everything(train)[0].diff(dim=1).mul(255).round().unique().tolist() == [1]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": ANSWERS}, "has no pictures: it holds labels"),
        ({"images": GREY, "labels": ANSWERS[:3]}, "images of shape"),
        ({"images": GREY[0], "labels": ANSWERS}, "images have the shape"),
        ({"images": GREY[..., None].repeat(4, -1), "labels": ANSWERS}, "images have the shape"),
        ({"images": GREY.astype(np.float32), "labels": ANSWERS}, "must lie in"),
        ({"images": GREY.astype(int), "labels": ANSWERS}, "uint8 or floating point"),
        ({"images": GREY, "labels": ANSWERS / 2}, "labels are whole numbers"),
        ({"images": GREY, "labels": ANSWERS - 1}, "not from -1 to 1"),
        ({"images": GREY, "labels": ANSWERS * 0}, "2 or more classes"),
        ({"images": GREY, "labels": ANSWERS, "names": np.array(["a", "b"])}, "from 0 to 1 of"),
        ({"images": GREY, "labels": ANSWERS, "names": np.array([{}, None, 1])}, "no objects"),
    ],
)
def test_arrays_that_are_refused(tmp_path, arrays, message):
    file = npz(tmp_path, **arrays)
    text = refusal(lambda: open_dataset(file, train=True))
    assert message in text and str(file) in text


def test_files_that_are_refused(tmp_path):
    file = npz(tmp_path, images=GREY, labels=ANSWERS)
    assert "no pictures to test on" in refusal(lambda: open_dataset(file, train=False)) and not has_test(file)
    file.write_bytes(file.read_bytes()[:100])
    assert "cannot be read" in refusal(lambda: open_dataset(file, train=True))
    (tmp_path / "data.csv").touch()
    assert "no .npz file" in refusal(lambda: open_dataset(tmp_path / "data.csv", train=True))


@pytest.mark.parametrize(("name", "hint"), [("minst", "did you mean 'mnist'"), ("zzzz", "there are digits, mnist")])
def test_unknown_names(name, hint):
    assert hint in refusal(lambda: open_dataset(name, train=True), kind=UnknownNameError)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mnist", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "MNIST/raw"]),
        ("fashion-mnist", ["train-images-idx3-ubyte.gz", "FashionMNIST/raw"]),
        ("cifar10", ["cifar-10-python.tar.gz", datasets.CIFAR10.url]),
        ("cifar100", ["cifar-100-python.tar.gz"]),
    ],
)
def test_without_a_network_the_message_says_what_to_put_where(tmp_path, monkeypatch, capfd, name, parts):
    def offline(*args, **kwargs):
        raise URLError("no route to host")

    for module in (datasets.mnist, datasets.cifar):
        monkeypatch.setattr(module, "download_and_extract_archive", offline)
    monkeypatch.setenv("INTERP_DATA", str(tmp_path))
    text = refusal(lambda: open_dataset(name, train=True))
    assert all(part in text for part in [*parts, str(tmp_path)])
    assert capfd.readouterr().out == ""


def test_copies_on_the_disk_need_no_network(tmp_path, monkeypatch):
    """Archives put where the message says, as they are published."""
    raw, resources = tmp_path / "MNIST" / "raw", []
    raw.mkdir(parents=True)
    for part, count in (("train", 20), ("t10k", 10)):
        images = struct.pack(">IIII", 2051, count, 28, 28) + bytes(range(count)) * 784
        labels = struct.pack(">II", 2049, count) + bytes(index % 10 for index in range(count))
        for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
            file = raw / f"{part}-{kind}-ubyte.gz"
            file.write_bytes(gzip.compress(content))
            resources.append((file.name, hashlib.md5(file.read_bytes()).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    train, test = (open_dataset("mnist", train=part, root=tmp_path) for part in (True, False))
    assert (len(train), len(test)) == (20, 10) and train.names == tuple("0123456789")
    assert train.shape == (1, 28, 28) and train.labels[13] == 3
    assert everything(train)[0][0, 0, 0, 1] == torch.tensor(1 / 255)
