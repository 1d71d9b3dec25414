"""What several tests share: the offline networks, and pictures that need no file."""

import pytest
import torch

import interpret

# Tests run side by side, one a core; threads of one would only wait for those of another.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded():
    """Tests must not depend on their order."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def lite0():
    return interpret.load("efficientnet_lite0")


@pytest.fixture(scope="session")
def squeezenet():
    return interpret.load("squeezenet1_1")


@pytest.fixture(scope="session")
def cat():
    return interpret.read("sample:cat")
