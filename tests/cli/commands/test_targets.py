"""Which class is explained, and what is said about it."""

import json

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

import interpret
from tests.command import SQUEEZE, TINY, interp


def about(run):
    return [json.loads(line) for line in run.out.splitlines()]


def test_a_group_is_its_highest_member_and_a_note_says_which(squeezenet, cat):
    run = interp("gradcam", "sample:cat", "--class", "cat", *SQUEEZE, "--json")
    (result,) = about(run)
    best = int(squeezenet.find("cat", cat))
    assert result["explained"].items() >= {"indices": [best], "names": [squeezenet.name(best)]}.items()
    assert run.err.startswith(f"sample:cat: cat is {squeezenet.name(best)} 0.")
    assert "the highest of 7 classes" in run.err
    assert run.err.count("\n") == 1


def test_quiet_silences_notes():
    run = interp("gradcam", "sample:cat", "-c", "cat", *SQUEEZE, "-q")
    assert (run.status, run.out, run.err) == (0, "cat_gradcam_cat.png\n", "")


def test_without_a_class_it_is_the_top_prediction_and_says_so():
    run = interp("gradcam", "sample:cat", *SQUEEZE)
    assert run.out == "cat_gradcam_tiger-cat.png\n"
    assert run.err.startswith("sample:cat: top prediction tiger cat 0.")


def test_several_classes_several_results():
    run = interp("gradcam", "sample:cat-and-dog", "-c", "cat", "-c", "dog", *SQUEEZE)
    assert run.out.split() == ["cat-and-dog_gradcam_cat.png", "cat-and-dog_gradcam_dog.png"]
    assert all(path.exists() for path in run.paths)


def test_top_k():
    run = interp("gradcam", "sample:cat", "--top-k", 3, *TINY, "--json")
    (predicted,) = about(interp("predict", "sample:cat", "--top-k", 3, *TINY, "--json"))
    assert [result["class"] for result in about(run)] == [row["name"] for row in predicted["top"]]


def test_class_mode_each():
    results = about(interp("gradcam", "sample:cat", "-c", "cat", "--class-mode", "each", *SQUEEZE, "--json"))
    assert [result["explained"]["indices"] for result in results] == [[index] for index in range(281, 288)]
    assert len({result["path"] for result in results}) == 7


def test_class_mode_sum(squeezenet, cat):
    run = interp("gradcam", "sample:cat", "-c", "cat", "--class-mode", "sum", *SQUEEZE, "-o", "map.npy", "--json")
    assert about(run)[0]["explained"]["indices"] == list(range(281, 288))
    expected = interpret.gradcam(squeezenet, cat, interpret.group(range(281, 288)))[0]
    np.testing.assert_allclose(np.load("map.npy"), expected, rtol=1e-5, atol=1e-7)


def test_versus(squeezenet, cat):
    run = interp(
        "gradcam", "sample:cat", "-c", "tabby", "--versus", "tiger cat", *SQUEEZE, "--no-relu", "-o", "map.npy"
    )
    assert run.status == 0
    expected = interpret.gradcam(squeezenet, cat, interpret.contrast(281, 282), relu=False)[0]
    np.testing.assert_allclose(np.load("map.npy"), expected, rtol=1e-5, atol=1e-7)


def test_versus_is_another_member_of_the_group(squeezenet, cat):
    """The best cat and this class may be the same, whose difference would be nothing."""
    best = int(squeezenet.find("cat", cat))
    (result,) = about(interp("gradcam", "sample:cat", "-c", best, "--versus", "cat", *SQUEEZE, "--json"))
    assert result["explained"]["versus"] in set(range(281, 288)) - {best}
    run = interp("gradcam", "sample:cat", "-c", "tabby", "--versus", "tabby", *SQUEEZE)
    assert run.status == 2
    assert "Error: --versus tabby is the class that is explained; name another\n" in run.err


@pytest.mark.parametrize("pair", [(134, 517), (264, 474), (638, 639)])
def test_classes_of_one_name_do_not_overwrite_each_other(pair):
    """Two classes called maillot, and Cardigan the dog beside cardigan the garment."""
    run = interp("gradcam", "sample:cat", "-c", pair[0], "-c", pair[1], *SQUEEZE)
    assert len(set(run.paths)) == 2
    assert all(path.exists() for path in run.paths)


def test_top_k_and_class_contradict_each_other():
    run = interp("gradcam", "sample:cat", "--top-k", 2, "-c", "rose", *TINY)
    assert (run.status, run.err) == (2, "Error: --top-k explains the top predictions; leave out --class\n")


def test_a_fine_tuned_network_from_its_checkpoint(tmp_path):
    network = resnet18(num_classes=5)
    torch.save({"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, "w.pth")
    (tmp_path / "l.txt").write_text("rose\ntulip\ndaisy\npoppy\nwater lily\n")
    model = ("-m", "resnet18", "--weights", "w.pth", "--labels", "l.txt")
    run = interp("gradcam", "sample:cat", *model, "-c", "rose", "-c", "water lily", "-q")
    assert (run.status, run.err) == (0, "")
    assert run.out.split() == ["cat_gradcam_rose.png", "cat_gradcam_water-lily.png"]
    wrong = interp("gradcam", "sample:cat", *model, "-c", "roses and tulip")
    assert wrong.status == 2
    assert "Error: no class is called" in wrong.err


def test_a_function_in_the_current_folder(tmp_path):
    (tmp_path / "shop.py").write_text("from tests.command import flowers\n\n\ndef network():\n    return flowers()\n")
    run = interp("gradcam", "sample:cat", "-m", "shop:network", "-c", "rose")
    assert run.out == "cat_gradcam_rose.png\n", run.err


def test_versus_that_is_the_class_of_one_picture_fails_for_that_one_alone():
    run = interp("gradcam", "sample:koala", "sample:cat", "--versus", "koala", *SQUEEZE)
    assert run.status == 1 and run.err.count("Error:") == 1
    assert run.out == "interp-out/cat_gradcam_tiger-cat-vs-koala.png\n"


def test_a_group_is_not_held_against_itself():
    run = interp("gradcam", "sample:cat", "-c", "cat", "--versus", "cat", *SQUEEZE)
    assert run.status == 2 and "name another" in run.err
