"""Methods and networks of other packages, which say in their metadata where these are.

A package declares an entry point of the group "interp.explainers", "interp.attacks" or "interp.networks"; the metadata
of what is installed is read without importing anything, since every command looks for them.
"""

import functools
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InterpretError, kind_and_text


@dataclass(frozen=True)
class PlugIn:
    """A function of another package, by the name that it has here."""

    name: str
    module: str
    function: str

    @property
    def address(self) -> str:
        """Where it is, "package.module:function"."""
        return f"{self.module}:{self.function}"

    @functools.cached_property
    def path(self) -> Path:
        """The file of its module, found without importing it or the packages around it."""
        from importlib.machinery import PathFinder
        from importlib.util import find_spec

        first, *rest = self.module.split(".")
        spec, name = find_spec(first), first
        for part in rest:
            name = f"{name}.{part}"
            spec = PathFinder.find_spec(name, spec and spec.submodule_search_locations)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            raise InterpretError(f"{self.name}: there is no module {self.module} in Python here")
        return Path(spec.origin)

    def constant(self, name: str, default: str) -> str:
        """What its module assigns to a name, read from its source; an InterpretError if the function is none to use."""
        import ast

        method = None
        for node in ast.parse(self.path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == name for target in node.targets):
                default = str(ast.literal_eval(node.value))
            if isinstance(node, ast.FunctionDef) and node.name == self.function:
                method = node
        if method is None:
            raise InterpretError(f"{self.path} defines no function {self.function!r}")
        if None in method.args.kw_defaults or len(method.args.args) != 3:
            raise InterpretError(f"{self.address} takes three arguments, and options by keyword that have a default")
        return default

    def load(self) -> Any:
        """The function; an InterpretError where its package fails."""
        try:
            return getattr(importlib.import_module(self.module), self.function)
        except Exception as error:  # the package is another's, and may do anything
            raise InterpretError(f"{self.name} of {self.address} cannot be loaded: {kind_and_text(error)}") from error


def plug_ins(group: str) -> dict[str, PlugIn]:
    """The plug-ins of a group by name, such as "interp.networks"; the first of a name counts."""
    return declared().get(group, {})


@functools.cache
def declared() -> dict[str, dict[str, PlugIn]]:
    """The plug-ins of every group; what is installed is looked through once, since a command asks for all groups."""
    found: dict[str, dict[str, PlugIn]] = {}
    for group, name, value in _every_entry_point():
        module, _, function = value.partition(":")
        plug_in = PlugIn(name.replace("-", "_"), module.strip(), function.strip())
        found.setdefault(group, {}).setdefault(plug_in.name, plug_in)
    return found


def chosen(group: str, constant: str, known: dict[str, str], default: str) -> tuple[dict[str, str], dict[str, str]]:
    """The plug-ins of a group that can be used, each with what its module assigns to a constant; and why others cannot.

    Args:
        group: as for ``plug_ins``.
        constant: the name, such as "DISPLAY".
        known: the methods that come along, whose names are taken; their values are what the constant may be.
        default: where the module does not assign it.
    """
    usable, refused = {}, {}
    for name, plug_in in plug_ins(group).items():
        try:
            value = plug_in.constant(constant, default)
        except (InterpretError, OSError, SyntaxError, ValueError) as error:
            refused[name] = str(error)
            continue
        if name in known:
            refused[name] = f"{plug_in.address} has the name of a method that comes along"
        elif value not in known.values():
            refused[name] = f"{constant} of {plug_in.module} is {value!r}, not one of {sorted(set(known.values()))}"
        else:
            usable[name] = value
    return usable, refused


def _every_entry_point() -> Iterator[tuple[str, str, str]]:
    """Group, name and value of each entry point; not of the current folder, which runs no code unless named."""
    for folder in dict.fromkeys(sys.path):
        if not os.path.isdir(folder) or os.path.samefile(folder, os.curdir):
            continue
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith((".dist-info", ".egg-info")):
                yield from _entry_points(Path(entry.path))


def _entry_points(metadata: Path) -> Iterator[tuple[str, str, str]]:
    try:
        text = (metadata / "entry_points.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return
    if "[interp." in text:  # importlib.metadata takes longer to import than all of this
        from importlib.metadata import PathDistribution

        for point in PathDistribution(metadata).entry_points:
            yield point.group, point.name, point.value
