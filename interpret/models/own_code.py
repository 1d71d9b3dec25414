"""What users write themselves, by name: "package.module:function"."""

import importlib
from typing import Any

from ..errors import InterpretError, NetworkError, UnknownNameError, address_hint, did_you_mean, kind_and_text

OTHERS = ("timm:", "hf:", "command:")  # how names with a colon begin that mean something else


def names_function(name: str) -> bool:
    """Whether a network's name is that of a function of the user's own."""
    return ":" in name and not name.startswith(OTHERS) and not address_hint(name)


def named_object(name: str) -> Any:
    """What a module of the user's own has by a name, "package.module:name"; UnknownNameError where there is none."""
    module, _, function = name.partition(":")
    try:
        home = importlib.import_module(module)
    except Exception as error:  # the module is the user's, and may do anything
        raise UnknownNameError(f"cannot import {module!r}: {kind_and_text(error)}") from error
    if not hasattr(home, function):
        names = [known for known in vars(home) if not known.startswith("_")]
        raise UnknownNameError(f"{module} has no {function!r}{did_you_mean(function, names)}")
    return getattr(home, function)


def called(name: str) -> object:
    """What a function of the user's own, "package.module:name", returns; a NetworkError where it fails."""
    function = named_object(name)
    try:
        return function()
    except InterpretError:
        raise
    except Exception as error:
        raise NetworkError(f"{name}() failed: {kind_and_text(error)}") from error
