"""What the outputs of a network mean: classes, labels, log-odds or numbers, by how the network ends and by the task."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attacks import AttackError, fgsm, pgd
from attacks.evaluation.verdicts import judge
from interpret import (
    Classifier,
    InterpretError,
    NetworkError,
    Recipe,
    average_drop,
    deeplift,
    deletion,
    insertion,
    load,
    load_trained,
    log_probability,
    occlusion,
    one_label,
    rise,
    road,
    saliency,
    save_trained,
)
from tests.own_networks import PLAIN, Halves, Net, Several, ages, classifier, one_output, three_labels, with_bias
from tests.refusals import refusal

SIGMOIDS = {
    "function": torch.sigmoid,
    "method": lambda logits: logits.sigmoid(),
    "in place": lambda logits: logits.sigmoid_(),
    "of nn.functional": F.sigmoid,
    "expit": torch.special.expit,
    "logarithm": F.logsigmoid,
    "module": nn.Sigmoid(),
    "squeezed": lambda logits: torch.sigmoid(logits).squeeze(1),
    "squeezed before": lambda logits: torch.sigmoid(logits.squeeze()),
    "copied": lambda logits: torch.sigmoid(logits).double().clone(),
    "clamped": lambda logits: torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6),
    "named": lambda logits: {"p": torch.sigmoid(logits)},
}
SOFTMAXES = {
    "function": lambda logits: torch.softmax(logits, 1),
    "of nn.functional": lambda logits: F.softmax(logits, dim=-1),
    "method": lambda logits: logits.softmax(1),
    "special": lambda logits: torch.special.softmax(logits, 1),
    "module": nn.Softmax(1),
    "clamped": lambda logits: logits.softmax(1).clamp(min=1e-7),
    "not called by name": lambda logits: logits.exp() / logits.exp().sum(1, keepdim=True),
}


def pictures(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("head", SIGMOIDS.values(), ids=SIGMOIDS)
def test_one_output_behind_a_sigmoid_however_it_is_called(head, count):
    network, images = with_bias(Net(1, head), -3.0), pictures(count)
    settled, logit = classifier(network), network.fc(network.features(images))[:, 0]
    torch.testing.assert_close(settled.probabilities(settled(images))[:, 1], logit.sigmoid(), atol=1e-5, rtol=0)
    assert settled.predict(images).tolist() == [0] * count and 0.03 < float(logit[0].sigmoid()) < 0.06


@pytest.mark.parametrize("head", SIGMOIDS.values(), ids=SIGMOIDS)
def test_nothing_saturates_behind_a_sigmoid(head):
    settled = classifier(with_bias(Net(1, head), 90.0))
    assert float(settled(pictures(1))[0, 1]) == pytest.approx(45, abs=1)
    assert saliency(settled, pictures(1), 1).abs().max() > 0


@pytest.mark.parametrize("head", SOFTMAXES.values(), ids=SOFTMAXES)
def test_classes_behind_a_softmax_however_it_is_called(head):
    network, images = with_bias(Net(3, head), 1.0, 0.0, -1.0), pictures()
    settled, logits = classifier(network), network.fc(network.features(images))
    torch.testing.assert_close(settled.probabilities(settled(images)), logits.softmax(1))
    assert settled.task == "classification"


def test_a_gate_is_no_ending():
    network = with_bias(Net(1, lambda logits: logits.sigmoid() * 2), 3.0)
    settled, images = classifier(network), pictures()
    torch.testing.assert_close(settled(images)[:, 1], network(images)[:, 0] / 2)


@pytest.mark.parametrize("head", ["function", "module", "in place", "named"])
def test_labels_have_a_probability_each(head):
    network, images = with_bias(Net(3, SIGMOIDS[head]), 5.0, 5.0, -5.0), pictures()
    settled, logits = classifier(network), network.fc(network.features(images))
    torch.testing.assert_close(settled.probabilities(settled(images)), logits.sigmoid())
    assert settled.task == "multilabel" and settled.on_inputs().task == "multilabel"
    image = images[:1].clone().requires_grad_()
    logarithm = network.fc(network.features(image))[0, 2].sigmoid().log()
    (slope,) = torch.autograd.grad(logarithm, image)
    torch.testing.assert_close(saliency(settled, images[:1], log_probability(2)), slope)


JOINED = {
    "heads": lambda logits: torch.cat([torch.sigmoid(logits[:, :1]), logits[:, 1:].sigmoid()], 1),
    "stacked": lambda logits: torch.stack([torch.sigmoid(column) for column in logits.unbind(1)], dim=1),
    "pictures one by one": lambda logits: torch.cat([torch.sigmoid(row[None]) for row in logits]),
}


@pytest.mark.parametrize("head", JOINED.values(), ids=JOINED)
def test_labels_that_are_joined_of_several_sigmoids(head):
    network, images = with_bias(Net(3, head), 5.0, 5.0, -5.0), pictures()
    settled, logits = classifier(network), network.fc(network.features(images))
    torch.testing.assert_close(settled(images), logits)
    assert settled.task == "multilabel"


def test_the_task_that_is_said_counts():
    network, images = with_bias(Net(3), 5.0, 5.0, -5.0), pictures()
    labels = classifier(network, task="multilabel")
    torch.testing.assert_close(labels.probabilities(labels(images)), network(images).sigmoid())
    network.head = torch.sigmoid
    classes = classifier(network, task="classification")
    torch.testing.assert_close(classes.probabilities(classes(images)), network.fc(network.features(images)).softmax(1))
    single = classifier(with_bias(Net(1), 2.0), task="multilabel", labels=["rain"])
    assert single(images).shape == (2, 1)


def test_one_output_of_a_regression_is_explained_as_it_is():
    network, image = ages(), pictures(1)
    settled = classifier(network, task="regression", labels=["age"])
    torch.testing.assert_close(settled(image), network(image))
    slope = torch.autograd.functional.jacobian(lambda x: network(x)[0, 0], image)
    for target in (0, None):
        torch.testing.assert_close(saliency(settled, image, target), slope)
    hidden = image.clone()
    hidden[:, :, :8, :8] = 0.5
    fall = occlusion(settled, image, 0, window=8, stride=8)[0, 0, 0, 0]
    torch.testing.assert_close(fall, (network(image) - network(hidden))[0, 0])
    assert settled.shown(settled(image)[0], 0) == f"age {float(network(image)):.4g}"
    curve = deletion(settled, image, 0, torch.rand(1, 1, 16, 16), steps=2)
    torch.testing.assert_close(curve.scores[0, 0], network(image)[0, 0])


def test_what_a_regression_has_not():
    settled = classifier(with_bias(Net(2), 1.0, 2.0), task="regression")
    logits = settled(pictures())
    assert "no probabilities" in refusal(settled.probabilities, logits, kind=InterpretError)
    assert "no probabilities" in refusal(saliency, settled, pictures(), log_probability(0), kind=InterpretError)
    assert "one of its 2 outputs" in refusal(saliency, settled, pictures(), None, kind=InterpretError)
    assert "no classes" in refusal(fgsm, settled, pictures(), kind=AttackError)


@pytest.mark.parametrize("head", [torch.tanh, torch.relu, F.softplus, torch.exp, F.hardsigmoid])
def test_one_output_that_is_no_log_odds(head):
    network = with_bias(Net(1, head), 0.5)
    said = refusal(classifier(network), pictures(), kind=NetworkError)
    assert "no log-odds" in said and 'task="regression"' in said
    assert classifier(network, task="regression")(pictures()).shape == (2, 1)


def test_contradictions_between_a_task_and_an_ending():
    network = Net(3, lambda logits: logits.softmax(1))
    assert "softmax" in refusal(classifier(network, task="multilabel"), pictures(), kind=InterpretError)
    assert "regression, not 'ranking'" in refusal(lambda: classifier(network, task="ranking"), kind=InterpretError)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_an_ending_that_cannot_be_seen():
    scripted = torch.jit.trace(with_bias(Net(1, torch.sigmoid), -3.0), pictures(1))
    said = refusal(classifier(scripted), pictures(), kind=NetworkError)
    assert "may be probabilities" in said
    assert classifier(torch.jit.trace(with_bias(Net(1), -3.0), pictures(1)))(pictures()).shape == (2, 2)


AMBIGUOUS = {
    "features, logits": (lambda net, x: (net.features(x), net.fc(net.features(x))), 1),
    "loss and out": (lambda net, x: {"loss": x.sum(), "out": net.fc(net.features(x))}, "out"),
    "loss of each": (lambda net, x: {"loss": x.sum((1, 2, 3)), "out": net.fc(net.features(x))}, "out"),
    "two heads": (lambda net, x: [net.fc(net.features(x)), net.fc(net.features(x)) * 2], 0),
    "attributes": (lambda net, x: SimpleNamespace(pooled=net.features(x), scores=net.fc(net.features(x))), "scores"),
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("give", "key"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_one_of_several_outputs_is_picked_or_all_are_refused(give, key, count):
    network, images = Several(give).eval(), pictures(count)
    said = refusal(classifier(network), images, kind=NetworkError)
    assert str(key) in said and "output=" in said and "--output-key" in said
    picked = classifier(network, output=key)
    torch.testing.assert_close(picked(images), network.fc(network.features(images)))
    assert picked.preprocessing["output"] == key
    if isinstance(key, int):
        assert torch.equal(classifier(network, output=str(key))(images), picked(images))
    assert "no part" in refusal(classifier(network, output="logit"), images, kind=NetworkError)


def test_a_key_for_one_tensor():
    said = refusal(classifier(Net(3), output="out"), pictures(), kind=NetworkError)
    assert "one tensor (2, 3)" in said


def test_more_outputs_than_labels():
    said = refusal(classifier(Net(5), labels=["a", "b"]), pictures(), kind=NetworkError)
    assert said == "2 labels for a network with 5 outputs; name each of them"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(value):
    said = refusal(classifier(with_bias(Net(2), value, 0.0)), pictures(), kind=InterpretError)
    assert "NaN or infinite for 2 of 2" in said
    for settings in ({"mean": [value] * 3}, {"std": [value] * 3}):
        with pytest.raises(InterpretError, match="finite"):
            classifier(Net(2), **settings)


def test_a_label_depends_on_what_it_reads_alone():
    settled, images = classifier(Halves()), torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(2))
    attribution = rise(settled, images, 0, masks=1500, seed=1, max_batch=250)
    assert attribution[..., 18:].abs().max() < 0.005 < attribution[..., :10].mean()
    right = torch.zeros(1, 1, 28, 28)
    right[..., 14:] = torch.rand(28, 14) + 1
    probability = settled.probabilities(settled(images))[0, 0]
    hidden = deletion(settled, images, 0, right, steps=4).scores[0, :3]  # the right half
    torch.testing.assert_close(hidden, probability.expand(3))
    torch.testing.assert_close(insertion(settled, images, 0, right, steps=4).scores[0, -1], probability)
    assert float(road(settled, images, 0, 1 - right / 2, shares=(0.5,), noise=0.0)) > -0.5
    # Only the left half stays visible, and the label reads nothing else.
    torch.testing.assert_close(average_drop(settled, images, 0, 1 - (right > 0).float()), torch.zeros(1))


def test_an_attack_is_on_one_label():
    settled, images = classifier(Halves(), labels=["left", "right"]), torch.full((1, 3, 8, 8), 0.45)
    said = refusal(pgd, settled, images, kind=AttackError)
    assert "one_label" in said
    right = one_label(settled, "right")
    assert list(right.labels) == ["no right", "right"] and right.predict(images).tolist() == [0]
    probability = settled.probabilities(settled(images))[:, 1]
    torch.testing.assert_close(right.probabilities(right(images))[:, 1], probability)
    found = pgd(right, images, eps=0.1, steps=5)
    assert torch.equal(found[..., :4], images[..., :4].expand_as(found[..., :4])) or (found - images).abs().max() <= 0.1
    (verdict,) = judge(right, images, found, right.predict(images))
    after = settled.probabilities(settled(found))[0, 1]
    assert verdict.success and verdict.after_probability == pytest.approx(float(after), abs=1e-6) and after > 0.5


def test_a_label_that_there_is_not():
    settled = classifier(three_labels())
    assert "no names" in refusal(one_label, settled, "rain", kind=InterpretError)
    assert "no label 7" in refusal(one_label(settled, 7), pictures(), kind=InterpretError)
    ageing = classifier(ages(), task="regression")
    assert "regression" in refusal(one_label, ageing, 0, kind=InterpretError)


@pytest.mark.parametrize("task", [None, "multilabel", "regression"])
def test_a_file_keeps_the_task(task, tmp_path):
    from interpret import build

    recipe = Recipe("linear", 2, 3, (4, 4), ("a", "b"), PLAIN["mean"], PLAIN["std"], task=task)
    network = build("linear", classes=2, channels=3, size=(4, 4))
    save_trained(tmp_path / "own.pt", network, recipe)
    assert load_trained(tmp_path / "own.pt").given_task == task
    assert load(tmp_path / "own.pt").given_task == task
    assert load(tmp_path / "own.pt", task="classification").task == "classification"


def test_load_takes_task_and_output():
    settled = load("tests.own_networks:ages", **PLAIN, task="regression", labels=["age"])
    assert settled.task == "regression" and settled(pictures()).shape == (2, 1)
    assert load("tests.own_networks:one_output", **PLAIN)(pictures()).shape == (2, 2)
    assert one_output()(pictures()).shape == (2, 1)
    with pytest.raises(InterpretError, match="task is one of"):
        load("tests.own_networks:ages", **PLAIN, task="ages")


DERIVED = {
    "mean of two": lambda logits: (logits.sigmoid() + (logits * 2).sigmoid()) / 2,
    "the other class": lambda logits: 1 - logits.sigmoid(),
    "by hand": lambda logits: 1 / (1 + torch.exp(-logits)),
    "of tanh": lambda logits: (torch.tanh(logits) + 1) / 2,
}


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("head", DERIVED.values(), ids=DERIVED)
def test_what_may_be_probabilities_is_refused_unless_the_task_is_said(head, outputs):
    network, images = with_bias(Net(outputs, head), *[-1.0] * outputs), pictures()
    said = refusal(classifier(network), images, kind=NetworkError)
    assert "may be probabilities" in said and "--task" in said
    labels = classifier(network, task="multilabel")
    torch.testing.assert_close(labels.probabilities(labels(images)), network(images), atol=1e-5, rtol=0)
    if outputs == 1:
        classes = classifier(network, task="classification")
        torch.testing.assert_close(classes.probabilities(classes(images))[:, 1:], network(images), atol=1e-5, rtol=0)


def test_an_exported_and_a_compiled_network():
    images, network = pictures(), with_bias(Net(1, torch.sigmoid), -3.0)
    exported = torch.export.export(network, (images,)).module()
    compiled = torch.compile(network, backend="eager")
    expected = classifier(network)(images)
    for given in (exported, compiled):
        settled = Classifier(given, **PLAIN)
        try:
            torch.testing.assert_close(settled(images), expected)
        except NetworkError as error:
            assert "may be probabilities" in str(error)


def test_a_network_is_watched_until_its_outputs_are_plain():
    network, images = with_bias(Net(3), 5.0, 2.0, -5.0), pictures()
    settled = classifier(network)
    plain = settled(images)
    assert settled.seen_task["plain"] is not None and torch.equal(settled(images), plain)
    network.head = torch.sigmoid  # and so they are no more
    torch.testing.assert_close(settled(images), plain)
    assert settled.task == "multilabel" and settled.seen_task["plain"] is None


def test_no_pass_is_made_twice():
    network, images = Net(3), pictures()
    settled, passes = classifier(network), []
    network.register_forward_pre_hook(lambda module, given: passes.append(len(given[0])))
    settled(images)
    plain = settled.seen_task["plain"]
    with torch.no_grad():
        network.fc.weight.zero_(), network.fc.bias.fill_(0.5)  # as by chance all outputs are in [0, 1]
    assert torch.equal(settled(images), torch.full((len(images), 3), 0.5)) and settled.seen_task["plain"] == plain
    assert passes == [len(images)] * 2


@pytest.mark.parametrize("outputs", [(0.5, 0.5), (0.25, 0.75, 0.0)])
def test_logits_that_look_like_probabilities_by_chance(outputs):
    network, images = Net(len(outputs)), pictures()
    torch.nn.init.zeros_(network.fc.weight)
    network.fc.bias.data = torch.tensor(outputs)
    assert torch.equal(classifier(network)(images[:1]), torch.tensor([outputs]))


def test_deeplift_of_a_baseline_whose_logits_look_like_probabilities():
    network = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 2, bias=False))
    nn.init.ones_(network[3].weight)
    image, baseline = (torch.tensor([[[row, column]]]) for row, column in [((1.0, 0.5), (0, 0)), ((0, 0), (0.5, 0.0))])
    attribution = deeplift(Classifier(network, mean=[0.0], std=[1.0]), image, 0, baseline=baseline)
    torch.testing.assert_close(attribution, torch.tensor([[[[0.5, 0.0], [0.0, 0.0]]]]))
