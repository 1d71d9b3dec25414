"""What holds for every defense of the table."""

import pytest
import torch

from attacks.training import DEFENSES
from attacks.training.defenses import defense_named
from tests.attacks.training.tiny_training import Bars, batch_of, run_of
from tests.state import left_as_found

TWICE = ("trades", "mart")  # they look at clean and at adversarial images


@pytest.mark.parametrize("name", DEFENSES)
def test_inner_attacks_leave_everything_as_found(name):
    run = run_of(defense=name)
    run.network.train()
    images, labels = Bars(16).batch(torch.arange(16))
    with left_as_found(run.network, images, labels):
        loss_of = next(defense_named(name)(batch_of(run, images, labels)))
    loss_of()
    assert run.network.bn.num_batches_tracked == (2 if name in TWICE else 1)
