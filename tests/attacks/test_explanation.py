"""Attacks on explanations: the map moves, the answer does not."""

import pytest
import torch

import attacks
from attacks import AttackError
from tests.attack_nets import convnet, samples


def brightest(images):
    """An explanation that is easy to move: the picture's own brightness."""
    return images.mean(1, keepdim=True)


def test_the_map_comes_nearer_and_the_answer_stays():
    model, images = convnet(), samples(4, (3, 6, 6))
    goal = torch.zeros(1, 1, 6, 6, dtype=torch.float64)
    goal[..., :2, :2] = 1
    found = attacks.explanation(model, images, explain=brightest, goal=goal, eps=0.1, steps=60)
    with torch.no_grad():
        before, after = (model(points).softmax(1) for points in (images, found))
    labels = before.argmax(1)
    assert (after.argmax(1) == labels).all()
    drift = (after - before).gather(1, labels[:, None]).abs()
    assert (drift <= 0.05).all() and ((found - images).abs() <= 0.1).all()

    def share(points):
        maps = brightest(points)
        return maps[..., :2, :2].sum((1, 2, 3)) / maps.sum((1, 2, 3))

    assert (share(found) > share(images)).all()


def test_an_explanation_without_a_graph_is_refused():
    model, images = convnet(), samples(1, (3, 6, 6))
    goal = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    with pytest.raises(AttackError, match="no graph"):
        attacks.explanation(model, images, explain=lambda points: brightest(points.detach()), goal=goal)
