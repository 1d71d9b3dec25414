"""Explanations of networks that have lost their weights, and how alike maps are."""

import math

import pytest
import torch
from torch import nn

import interpret
from interpret.errors import NetworkError
from interpret.faithfulness import sanity as module
from interpret.faithfulness.randomisation import blocks_of, cascading, independent, joined, shuffle
from interpret.faithfulness.sanity import affordable
from interpret.faithfulness.similarity import rank_correlation, scaled, ssim
from interpret.network import survey
from tests.command import flowers
from tests.state import left_as_found
from tests.tiny import SmallCNN


def maps(*rows):
    return torch.tensor(rows)[:, None, None].float()


def test_rank_correlation():
    first, second = maps([1, 2, 3, 4, 5]), maps([2, 1, 4, 3, 5])
    # 1 - 6 sum d^2 / (n (n^2 - 1)) where no values are equal.
    assert math.isclose(float(rank_correlation(first, second)), 1 - 6 * 4 / (5 * 24))
    assert float(rank_correlation(first, first.exp())) == pytest.approx(1)
    assert float(rank_correlation(first, -first)) == pytest.approx(-1)
    assert float(rank_correlation(first, 0 * first)) == 0
    # Ranks (1.5, 1.5, 3) and (1, 2, 3): a covariance of 1.5 over the root of 1.5 times 2.
    assert float(rank_correlation(maps([0, 0, 7]), maps([1, 2, 3]))) == pytest.approx(1.5 / math.sqrt(1.5 * 2))


def test_ssim():
    torch.manual_seed(0)
    noise = torch.rand(2, 1, 20, 24)
    torch.testing.assert_close(ssim(noise, noise), torch.ones(2))
    light, dark = torch.full((1, 1, 20, 24), 0.8), torch.full((1, 1, 20, 24), 0.2)
    wanted = (2 * 0.8 * 0.2 + 1e-4) / (0.8**2 + 0.2**2 + 1e-4)
    assert float(ssim(light, dark)) == pytest.approx(wanted, abs=1e-4)
    assert (ssim(noise, noise.flip(3)) < 0.3).all()
    torch.testing.assert_close(ssim(noise, noise.flip(3)), ssim(noise.flip(3), noise))
    assert ssim(noise[..., :4, :4], noise[..., :4, :4]).shape == (2,)  # smaller than the window
    assert scaled(maps([-4.0, 2.0])).flatten().tolist() == [1, 0.5] and not scaled(maps([0.0, 0.0])).any()


def test_blocks_run_from_the_bottom_and_are_joined_from_the_top():
    network = SmallCNN().eval()
    assert blocks_of(network, torch.rand(1, 3, 8, 8)) == ["conv1", "bn1", "conv2", "bn2", "head"]
    assert joined(["a", "b", "c", "d", "e"], 3) == [["e"], ["d", "c"], ["b", "a"]]
    assert joined(["a", "b"], 8) == [["b"], ["a"]]
    assert joined(["a", "b", "c"], 1) == [["c"]] and joined(["a"], 4) == [["a"]]
    with pytest.raises(NetworkError, match="weights"):
        blocks_of(nn.Flatten(), torch.rand(1, 3, 8, 8))


def test_blocks_of_real_networks(squeezenet, lite0):
    found = blocks_of(squeezenet, torch.rand(1, 3, 224, 224))
    assert found[0] == "features.0" and found[-2:] == ["features.12", "classifier.1"] and len(found) == 10
    found = blocks_of(lite0, torch.rand(1, 3, 224, 224))
    assert found[-1] == "_fc" and found[2] == "_blocks.0" and len(found) == 21


def test_weights_are_put_in_another_order_and_nothing_else():
    network = SmallCNN()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    shuffle(network, ["conv2", "head"], seed=3)
    for name, value in network.state_dict().items():
        changed = name.partition(".")[0] in ("conv2", "head")
        assert value.equal(before[name]) != changed, name
        assert value.flatten().sort().values.equal(before[name].flatten().sort().values)
    again = SmallCNN()
    again.load_state_dict(before)
    shuffle(again, ["conv2", "head"], seed=3)
    assert again.conv2.weight.equal(network.conv2.weight)
    shuffle(again, ["conv2"], seed=4)
    assert not again.conv2.weight.equal(network.conv2.weight)


def test_copies_lose_their_weights_from_the_top_or_alone():
    network, groups = SmallCNN(), [["head"], ["bn2", "conv2"], ["conv1"]]
    names = ("conv1", "conv2", "head")

    def changed(copy):
        return "".join(n[0] + n[-1] for n in names if not getattr(copy, n).weight.equal(getattr(network, n).weight))

    # A copy goes on to the next depth, so it is looked at while it is there.
    assert [changed(copy) for copy in cascading(network, groups)] == ["hd", "c2hd", "c1c2hd"]
    assert [changed(copy) for copy in independent(network, groups)] == ["hd", "c2", "c1"]


def test_a_map_of_the_picture_alone_fails(monkeypatch):
    monkeypatch.setattr(module, "explainer_named", lambda name: lambda classifier, images, target: images)
    found = interpret.sanity(SmallCNN(), torch.rand(2, 3, 16, 16), 1, "saliency", depths=3)
    assert not found.passed and found.verdict == "does not depend on the weights"
    for likeness in (found.cascading, found.independent, found.floor):
        assert torch.allclose(likeness.spearman, torch.ones_like(likeness.spearman))
        assert torch.allclose(likeness.ssim, torch.ones_like(likeness.ssim))
    assert found.blocks == ["head", "bn2 to conv2", "bn1 to conv1"] and found.changes_at is None


def test_the_gradient_of_a_linear_network_is_its_shuffled_weights():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    found = interpret.sanity(network, torch.rand(2, 3, 16, 16), 0, "saliency")
    assert found.passed and abs(found.after_top) < 0.2 and found.blocks == ["1"] == [found.changes_at]
    assert found.cascading.spearman[:, 0].equal(found.cascading.spearman[:, 1])  # the picture plays no part
    assert found.cascading.spearman.equal(found.independent.spearman)


def test_the_user_s_network_is_left_alone_and_the_answer_repeats():
    classifier, images = flowers().train(), torch.rand(2, 3, 40, 40)
    with left_as_found(classifier, images):
        found = interpret.sanity(classifier, images, torch.tensor([0, 1]), "gradcam", depths=4)
    again = interpret.sanity(classifier, images, torch.tensor([0, 1]), "gradcam", depths=4)
    assert found.cascading.spearman.equal(again.cascading.spearman) and found.floor.ssim.equal(again.floor.ssim)
    assert found.cascading.spearman.shape == (4, 2) and found.floor.spearman.shape == (1, 2)
    other = interpret.sanity(classifier, images, torch.tensor([0, 1]), "gradcam", depths=4, seed=1)
    assert not other.cascading.spearman.equal(found.cascading.spearman)


def test_what_a_budget_allows():
    classifier, images = flowers().on_inputs(), torch.rand(4, 3, 32, 32)

    def allowed(budget, method="smoothgrad"):  # 25 passes, so 275 a picture at 4 depths
        return affordable(classifier, images, [0, 1, 2, 3], method, depths=4, budget=budget)

    assert allowed(10000) == (4, 4, True) and allowed(600) == (2, 4, True)
    assert allowed(160) == (1, 3, False) and allowed(1) == (1, 2, False)
    assert allowed(100, "saliency") == (4, 4, True)


def test_the_literature_s_verdicts_on_a_real_network(squeezenet):
    pictures = [squeezenet.prepare(interpret.read(f"sample:{name}"))[0].clamp(0, 1) for name in ("cat", "bison")]
    images, view = torch.cat(pictures), squeezenet.on_inputs()
    with torch.no_grad():
        target = view(images).argmax(1)
    found = {
        method: interpret.sanity(view, images, target, method, depths=1, one_by_one=False)
        for method in ("guided_backprop", "gradcam", "saliency")
    }
    assert {method: one.passed for method, one in found.items()} == {
        "guided_backprop": False,
        "gradcam": True,
        "saliency": True,
    }
    assert found["guided_backprop"].after_top > 0.9 and found["gradcam"].after_top < 0.5


def test_copies_share_the_labels_and_look_at_the_same_layer():
    classifier, images = flowers().eval(), torch.rand(1, 3, 32, 32)
    interpret.gradcam(classifier.on_inputs(), images, 0)
    view = classifier.on_inputs()
    (copy,) = independent(view, [["head"]])
    assert copy.labels is view.labels and copy.network is not view.network
    assert survey._known[copy.network][1] is survey._known[view.network][1]
    torch.testing.assert_close(interpret.gradcam(copy, images, 0).shape, interpret.gradcam(view, images, 0).shape)
