"""Defaults for options from a TOML file and from the environment."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from interpret.errors import InterpretError, did_you_mean, printable

from .options.safety import too_far

Settings = dict[str, Any]


def default_map(path: str | None, commands: Mapping[str, click.Command]) -> dict[str, Settings]:
    """Option defaults for every command, as click takes them.

    Keys are the long names of options. Those at the top of the file hold for every command that has
    such an option; a table named after a command holds for that one and wins. INTERP_OPTION in the
    environment wins over both, and INTERP_COMMAND_OPTION over that.

    Args:
        path: a TOML file; by default interp.toml, or else [tool.interp] in pyproject.toml, in the
            current folder, where there is one. Such a file, which nobody named, may choose no code, and
            nothing outside its folder to take weights from or to write to.
        commands: name to command.

    Returns:
        Command name to {parameter name: value}; a group's name to that of its commands.

    Raises:
        InterpretError: a file that cannot be read, or a key that no command knows.
    """
    settings, found = _settings(path)
    environment = {key.removeprefix("INTERP_"): value for key, value in os.environ.items() if key.startswith("INTERP_")}
    if not settings and not environment:
        return {}  # and no command need be made to see what it knows
    groups = {name: group.commands for name, group in commands.items() if isinstance(group, click.Group)}
    alone = {name: command for name, command in commands.items() if name not in groups}
    # A command of a group is configured under both names: [attack-pgd], INTERP_ATTACK_PGD_EPS.
    inside = {f"{group}-{name}": command for group, held in groups.items() for name, command in held.items()}
    options = {name: _options(command) for name, command in {**alone, **inside}.items()}
    common, tables = _checked(settings, options)
    if found is not None:
        _refuse_too_far(found, common, tables, options)
    defaults = {}
    for name, known in options.items():
        layers = common, tables.get(name, {}), _below(environment, ""), _below(environment, f"{name}-")
        defaults[name] = {
            known[key].name: _as_given(known[key], value)
            for layer in layers
            for key, value in layer.items()
            if key in known
        }
    nested = {group: {name: defaults[f"{group}-{name}"] for name in held} for group, held in groups.items()}
    return {name: defaults[name] for name in alone} | nested


def _below(environment: Mapping[str, str], prefix: str) -> Settings:
    """What the variables that begin so set, by the rest of their names."""
    start = _key(prefix).upper()
    return {name.removeprefix(start).lower(): value for name, value in environment.items() if name.startswith(start)}


def _options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by their long names, as a configuration spells them: class_mode."""
    return {
        _key(flag): option
        for option in command.params
        if isinstance(option, click.Option)
        for flag in option.opts
        if flag.startswith("--")
    }


def _key(name: str) -> str:
    return name.lstrip("-").replace("-", "_")


def _as_given(option: click.Option, value: Any) -> Any:
    # Of an option that may be repeated, a single value is one of them, not its letters.
    return [value] if option.multiple and not isinstance(value, list) else value


def _checked(settings: Settings, options: Mapping[str, Mapping]) -> tuple[Settings, dict[str, Settings]]:
    """What holds for all commands and what for each, once every key is known to mean something."""
    everything = sorted(set().union(*options.values()))
    common = {_key(key): value for key, value in settings.items() if not isinstance(value, dict)}
    tables = {key.replace("_", "-"): value for key, value in settings.items() if isinstance(value, dict)}
    for name, value in [*common.items(), *(pair for table in tables.values() for pair in table.items())]:
        if any(printable(str(text)) != str(text) for text in (value if isinstance(value, list) else [value])):
            raise InterpretError(f"the configuration's {name} = {value!r} holds control characters")
    _refuse_unknown(common, everything, [*everything, *options], "no option")
    _refuse_unknown(tables, options, options, "no command")
    keyed = {name: {_key(key): value for key, value in table.items()} for name, table in tables.items()}
    for name, table in keyed.items():
        _refuse_unknown(table, options[name], options[name], f"no option of {name}")
    return common, keyed


def _refuse_unknown(given: Mapping, known: Any, close: Any, kind: str) -> None:
    for key in given:
        if key not in known:
            raise InterpretError(f"the configuration has {key!r}, which is {kind}{did_you_mean(key, close)}")


def _refuse_too_far(found: Path, common: Settings, tables: Mapping[str, Settings], options: Mapping) -> None:
    """Refuse what a file may not choose that lay in the current folder and was not named, since anybody may have
    put it there: code, weights from elsewhere, and places elsewhere to write to.
    """
    for name, known in options.items():
        for key, value in (common | tables.get(name, {})).items():
            if key in known and (reason := too_far(known[key].type, value, found.parent)):
                raise InterpretError(
                    f"{found} was found, not named, and its {key} = {value!r} {reason}; if you trust it, name it: "
                    f"interp --config {found} …"
                )


def _settings(path: str | None) -> tuple[Settings, Path | None]:
    """What the file says, and the file where it was found, not named."""
    if path is not None:
        return _read(Path(path)), None
    if Path("interp.toml").is_file():
        return _read(Path("interp.toml")), Path("interp.toml")
    if Path("pyproject.toml").is_file():
        try:
            tool = _read(Path("pyproject.toml")).get("tool", {})
        except InterpretError:
            return {}, None  # somebody else's file, which need not concern us
        return tool.get("interp", {}), Path("pyproject.toml")
    return {}, None


def _read(path: Path) -> Settings:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InterpretError(f"cannot read the configuration {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InterpretError(f"the configuration {path} is not valid TOML: {error}") from error
