"""Defaults for options from a TOML file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from interpret.errors import InterpretError, did_you_mean


def default_map(path: str | None, commands: Mapping[str, click.Command]) -> dict[str, dict[str, Any]]:
    """Option defaults for every command, as click takes them.

    Keys at the top of the file hold for every command that has such an option; a table named after
    a command holds for that one and wins.

    Args:
        path: a TOML file; by default interp.toml, or else [tool.interp] in pyproject.toml, in the
            current folder, where there is one.
        commands: name to command.

    Returns:
        Command name to {parameter name: value}.

    Raises:
        InterpretError: a file that cannot be read, or a key that no command knows.
    """
    settings = _settings(path)
    tables = {key: value for key, value in settings.items() if isinstance(value, dict)}
    common = {key.replace("-", "_"): value for key, value in settings.items() if key not in tables}
    options = {name: {parameter.name for parameter in command.params} for name, command in commands.items()}
    everything = set().union(*options.values())
    for key in [*common, *tables]:
        if key not in everything and key not in commands:
            hint = did_you_mean(key, [*everything, *commands])
            raise InterpretError(f"the configuration has {key!r}, which is no option and no command{hint}")
    return {
        name: {
            **{key: value for key, value in common.items() if key in options[name]},
            **{key.replace("-", "_"): value for key, value in tables.get(name, {}).items()},
        }
        for name in commands
    }


def _settings(path: str | None) -> dict[str, Any]:
    if path is not None:
        return _read(Path(path))
    if Path("interp.toml").is_file():
        return _read(Path("interp.toml"))
    if Path("pyproject.toml").is_file():
        try:
            return _read(Path("pyproject.toml")).get("tool", {}).get("interp", {})
        except InterpretError:
            return {}  # somebody else's file, which need not concern us
    return {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InterpretError(f"cannot read the configuration {path}: {error}") from error
