"""What is said where something is refused."""

from collections.abc import Callable

import pytest


def refusal(action: Callable, *arguments: object, kind: type[Exception]) -> str:
    """The message of the error of a kind that an action ends in, which is one line."""
    with pytest.raises(kind) as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)
