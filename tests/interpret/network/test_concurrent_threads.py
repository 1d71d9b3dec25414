"""Several threads with one classifier: every map is right, and everything is left as it was found."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from interpret import EXPLAINERS, Classifier
from interpret.explainers import explainer_named
from tests.laws.test_explainers import network_for, run
from tests.state import assert_same, state_of

CALLS = 20  # of each thread


def classifier(explain=None):
    torch.manual_seed(3)
    return Classifier(network_for(explain).eval(), mean=[0.5] * 3, std=[0.25] * 3)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_two_threads_two_pictures(name):
    explain = explainer_named(name)
    model = classifier(explain)
    images = [torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    expected = [run(explain, model, image, 1) for image in images]
    before = state_of(model, *images)

    def work(image):
        # A plain pass between, as a caller's own code makes it, changes nothing either.
        return [(model(image).detach(), run(explain, model, image, 1))[1] for _ in range(CALLS)]

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(work, images))
    wrong = sum(
        not torch.allclose(attribution, right, rtol=1e-4, atol=1e-6)
        for row, right in zip(found, expected, strict=True)
        for attribution in row
    )
    assert wrong == 0
    assert_same(before, state_of(model, *images))


def test_a_network_in_training_mode_in_three_threads():
    explain = explainer_named("gradcam")
    model, image = classifier().train(), torch.rand(1, 3, 12, 12)
    expected, before = run(explain, model, image, 1), state_of(model, image)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda _: run(explain, model, image, 1), range(60)))
    assert all(torch.allclose(attribution, expected, rtol=1e-4, atol=1e-6) for attribution in found)
    assert_same(before, state_of(model, image))


def test_threads_with_networks_of_their_own_leave_the_generator_as_it_was():
    explain = explainer_named("kernel_shap")
    models, image = [classifier() for _ in range(2)], torch.rand(1, 3, 12, 12)
    expected, before = run(explain, models[0], image, 1), torch.get_rng_state()
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda model: [run(explain, model, image, 1) for _ in range(5)], models))
    assert all(torch.allclose(attribution, expected, rtol=1e-4, atol=1e-6) for row in found for attribution in row)
    assert torch.equal(torch.get_rng_state(), before)
