"""The crops that excite a unit most: found, remembered, and looked for again where the data changed."""

import os

import pytest
import torch
from torch import nn

from interpret import Classifier, InterpretError, NetworkError, PictureError, UnknownNameError
from interpret.images import files as pictures
from interpret.units.index import Index
from interpret.units.top_activations import identity, scan, strongest_crops
from tests.tiny import PATCH, Planted


def planted(size=32, **options):
    torch.manual_seed(0)
    return Classifier(Planted(), mean=(0,) * 3, std=(1,) * 3, input_size=size, **options)


@pytest.fixture
def data(tmp_path):
    """Twelve grey pictures, each a little brighter; the patch lies in number 7 at row 9, column 20."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(12):
        image = torch.full((1, 3, 32, 32), (130 + 10 * number) / 255)
        if number == 7:
            image[0, :, 9:14, 20:25] = PATCH
        pictures.write(folder / f"{number:02}.png", image)
    return folder


def files(folder):
    return sorted(folder.iterdir())


def names(index, channel, most=9):
    return [os.path.basename(path) for path, _, _ in index.top(channel, most)]


def test_a_planted_patch_is_found_with_its_exact_field(data):
    classifier = planted()
    index = scan(classifier, files(data), "relu")
    (crop,) = strongest_crops(classifier, index, 0, effective=False)
    assert crop.path.name == "07.png"
    assert crop.value == pytest.approx(0.2 * float(PATCH.sum()), abs=1e-4)
    assert crop.place == (9, 20) and crop.box == (20, 9, 25, 14)
    assert torch.equal(crop.image[0, :, 9:14, 20:25], PATCH)
    assert torch.allclose(crop.projection[0, :, 9:14, 20:25], 2 * PATCH - 1)
    assert crop.projection.abs().sum() == 75


def test_one_place_a_picture_strongest_first(data):
    index = scan(planted(), files(data), "relu", most=4, batch=5)
    assert names(index, 2, 4) == ["11.png", "10.png", "09.png", "08.png"]
    assert len(set(names(index, 2, 12))) == 12


def test_a_dead_unit_has_no_crops(data):
    classifier = planted()
    assert strongest_crops(classifier, scan(classifier, files(data), "relu"), 1) == []


def test_boxes_lie_on_the_pictures_own_pixels(tmp_path):
    image = torch.zeros(1, 3, 64, 128)
    image[0, :, 18:28, 72:82] = PATCH.repeat_interleave(2, 1).repeat_interleave(2, 2)
    pictures.write(tmp_path / "wide.png", image)
    classifier = planted(interpolation="nearest")  # shows columns 32 to 96 at half their size
    (crop,) = strongest_crops(classifier, scan(classifier, [tmp_path / "wide.png"], "relu"), 0, effective=False)
    assert crop.box == (72, 18, 82, 28)


def test_pictures_of_different_sizes_without_an_input_size(tmp_path):
    for number, side in enumerate((16, 24, 24, 40)):
        pictures.write(tmp_path / f"{number}.png", torch.full((1, 3, side, side + 3), 0.2 + number / 10))
    classifier = planted(None)
    index = scan(classifier, files(tmp_path), "relu")
    assert names(index, 2) == ["3.png", "2.png", "1.png", "0.png"]
    assert [crop.box[2] - crop.box[0] for crop in strongest_crops(classifier, index, 2, effective=False)] == [5] * 4


def test_the_index_saves_the_network_from_running_again(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"
    first = scan(classifier, files(data), "relu", file=file)
    assert classifier.network.seen == 12
    again = scan(classifier, files(data), "relu", file=file)
    assert classifier.network.seen == 12
    assert [again.top(unit, 9) for unit in range(3)] == [first.top(unit, 9) for unit in range(3)]


def test_only_what_changed_is_scanned(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"
    scan(classifier, files(data), "relu", file=file)
    (data / "03.png").unlink()
    pictures.write(data / "12.png", torch.full((1, 3, 32, 32), 0.97))
    pictures.write(data / "00.png", torch.full((1, 3, 32, 32), 0.8))
    index = scan(classifier, files(data), "relu", file=file)
    assert classifier.network.seen == 12 + 2
    fresh = scan(planted(), files(data), "relu")
    assert index.top(2, 12) == fresh.top(2, 12)
    assert index.top(0, 1) == fresh.top(0, 1)


def test_one_moment_later_is_another_file(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"
    scan(classifier, files(data), "relu", file=file)
    os.utime(data / "05.png", ns=(1, 1))
    scan(classifier, files(data), "relu", file=file)
    assert classifier.network.seen == 13


def test_when_too_many_of_the_strongest_have_gone_all_are_scanned_again(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"
    scan(classifier, files(data), "relu", [2], file=file, most=3, keep=4)
    for number in (11, 10):
        (data / f"{number}.png").unlink()
    index = scan(classifier, files(data), "relu", [2], file=file, most=2, keep=4)
    assert classifier.network.seen == 12 and names(index, 2, 2) == ["09.png", "08.png"]
    index = scan(classifier, files(data), "relu", [2], file=file, most=3, keep=4)
    assert classifier.network.seen == 12 + 10 and names(index, 2, 3) == ["09.png", "08.png", "07.png"]
    # Weaker than one that was dropped: it must not pass for the next strongest.
    (data / "09.png").unlink()
    pictures.write(data / "dark.png", torch.full((1, 3, 32, 32), 0.01))
    index = scan(classifier, files(data), "relu", [2], file=file, most=4, keep=4)
    assert names(index, 2, 4) == ["08.png", "07.png", "06.png", "05.png"]


def test_memory_does_not_grow_with_the_data():
    torch.manual_seed(0)
    index = Index({"layer": "x"})
    values = torch.rand(500, 6, 2, 2)
    for start in range(0, 500, 50):
        group = [(str(number), (1, 1)) for number in range(start, start + 50)]
        index.add(group, values[start : start + 50], 8)
        assert index.values.shape == (6, 8) and index.values._base is None
    best = values.flatten(2).max(2).values.T.topk(8, 1)
    assert torch.equal(index.values, best.values) and torch.equal(index.pictures, best.indices)
    assert [int(name) for name, _, _ in index.top(3, 8)] == best.indices[3].tolist()


def test_a_broken_picture_is_reported_and_the_rest_done(data):
    (data / "04.png").write_bytes(b"no picture")
    broken = []
    index = scan(planted(), files(data), "relu", failed=lambda path, error: broken.append((path.name, str(error))))
    assert [name for name, _ in broken] == ["04.png"] and "is empty, damaged" in broken[0][1]
    assert len(index.files) == 11
    with pytest.raises(PictureError, match="04.png"):
        scan(planted(), files(data), "relu")


def test_an_interrupted_scan_goes_on_where_it_was(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"

    def until_interrupted(network, args):
        if network.seen == 8:
            raise KeyboardInterrupt

    with classifier.network.register_forward_pre_hook(until_interrupted), pytest.raises(KeyboardInterrupt):
        scan(classifier, files(data), "relu", file=file, batch=4)
    assert classifier.network.seen == 8
    index = scan(classifier, files(data), "relu", file=file)
    assert classifier.network.seen == 12 and names(index, 2, 2) == ["11.png", "10.png"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"some notes\n"])
def test_foreign_and_damaged_files_are_refused_and_kept(data, tmp_path, content):
    file = tmp_path / "index.npz"
    file.write_bytes(content)
    with pytest.raises(InterpretError, match="is no index of top activations, or it is damaged; delete it"):
        scan(planted(), files(data), "relu", file=file)
    assert file.read_bytes() == content


def test_an_index_of_something_else_is_refused(data, tmp_path):
    classifier, file = planted(), tmp_path / "index.npz"
    scan(classifier, files(data), "relu", file=file)
    whole = file.read_bytes()
    with pytest.raises(InterpretError, match=r"is the index of another layer \(relu\)"):
        scan(classifier, files(data), "conv", file=file)
    with pytest.raises(InterpretError, match="is the index of another preprocessing"):
        scan(planted(24), files(data), "relu", file=file)
    with pytest.raises(InterpretError, match="is the index of another preprocessing"):
        scan(planted(precision="bf16"), files(data), "relu", file=file)
    torch.nn.init.zeros_(classifier.network.head.weight)
    with pytest.raises(InterpretError, match="is the index of another weights"):
        scan(classifier, files(data), "relu", file=file)
    assert file.read_bytes() == whole
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InterpretError, match="or it is damaged"):
        Index.open(file, identity(classifier, "relu"))


def test_a_channel_that_is_not_there_is_told_before_the_scan(data):
    classifier = planted()
    with pytest.raises(UnknownNameError, match="layer 'relu' has no channel 3: they are 0 to 2"):
        scan(classifier, files(data), "relu", [0, 3], batch=4)
    assert classifier.network.seen == 4
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        scan(classifier, files(data), "rel")


def test_activations_that_are_no_numbers_are_an_error(data):
    classifier = planted()
    classifier.network.conv.bias.data[2] = float("nan")
    with pytest.raises(NetworkError, match="values that are not finite for .*00.png"):
        scan(classifier, files(data), "relu")


def test_a_grey_network_takes_colour_files_and_vectors_have_the_whole_picture(data):
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 3))
    network[3].bias.data.fill_(100)
    classifier = Classifier(network, mean=(0,), std=(1,), input_size=16)
    crops = strongest_crops(classifier, scan(classifier, files(data), "3"), 2, effective=False)
    assert len(crops) == 9 and crops[0].box == (0, 0, 32, 32)
    assert crops[0].projection.shape == (1, 3, 32, 32)


def test_without_a_known_activation_there_is_no_projection(data):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    network[1].bias.data.fill_(100)
    classifier = Classifier(network, mean=(0,) * 3, std=(1,) * 3, input_size=32)
    (crop,) = strongest_crops(classifier, scan(classifier, files(data)[:1], "1"), 0)
    assert crop.projection is None
