"""What holds for every metric of explanations in the table."""

import inspect

import pytest
import torch
from torch import Tensor, nn

import interpret
from interpret.faithfulness import METRICS, NEEDS_REGIONS, metric_named
from tests.state import left_as_found
from tests.tiny import SmallCNN

every = pytest.mark.parametrize("metric", METRICS)


def net_and_samples() -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A network, three pictures, the classes that are explained, and maps."""
    return SmallCNN().eval(), torch.rand(3, 3, 12, 12), torch.tensor([0, 1, 2]), torch.rand(3, 1, 12, 12)


def measured(metric, network, images, targets, maps, **options) -> Tensor:
    """(N,) what a metric makes of maps (N, 1, H, W), or of saliency."""
    given = (network, images, targets, interpret.saliency if metric == "max_sensitivity" else maps)
    if metric in NEEDS_REGIONS:
        region = torch.zeros(len(maps), 12, 12, dtype=torch.bool)
        region[:, 2:7] = True
        given = (maps, region)
    found = metric_named(metric)(*given, **options)
    return found if isinstance(found, Tensor) else found.area


@every
def test_nothing_is_left_behind(metric):
    network, images, targets, maps = net_and_samples()
    with torch.inference_mode(), left_as_found(network.train(), images, maps):
        found = measured(metric, network, images, targets, maps)
    assert found.shape == (3,) and not found.requires_grad and torch.isfinite(found).all()


@every
def test_no_picture_depends_on_its_neighbours(metric):
    network, *samples = net_and_samples()
    together = measured(metric, network, *samples)
    alone = [measured(metric, network, *(part[row : row + 1] for part in samples)) for row in range(3)]
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-4, atol=1e-6)


@every
def test_a_run_repeats_whatever_else_draws_random_numbers(metric):
    network, *samples = net_and_samples()
    first = measured(metric, network, *samples)
    torch.rand(5)
    assert measured(metric, network, *samples).equal(first)


@pytest.mark.parametrize(
    "metric", [name for name in METRICS if "max_batch" in inspect.signature(metric_named(name)).parameters]
)
def test_how_many_passes_are_made_at_a_time_does_not_matter(metric):
    network, *samples = net_and_samples()
    whole, parts = (measured(metric, network, *samples, max_batch=most) for most in (64, 3))
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


@every
def test_the_table_and_the_package_agree(metric):
    assert getattr(interpret, metric) is metric_named(metric)
