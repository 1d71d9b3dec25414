"""Numbers out of bounds, over every command and every option that takes one, and over every method in Python."""

import inspect
import math

import click
import numpy as np
import pytest
import torch

import attacks
import interpret
from attacks.bounds import BOUNDS as ATTACK_BOUNDS
from cli.options import signature
from cli.options.numbers import Number
from cli.options.radius import Radius
from cli.options.types import CommaList, Size
from interpret.bounds import ABOVE_0, BELOW_1, BOUNDS, COUNT, LARGEST, bounds_of, in_words, is_within
from interpret.drawing.feature_visualization import visualize
from interpret.errors import InterpretError
from interpret.explainers import EXPLAINERS, explainer_named
from tests.command import all_commands, flowers, interp

VALUES = ("-1", "0", "nan", "inf", "1e9", "9" * 400, "9" * 5000)
COMMANDS = dict(all_commands())


def numeric(command: click.Command) -> list[click.Option]:
    """The options of a command that take a number, a size, or numbers."""
    kinds = (Number, Radius, Size)
    of_numbers = ("list of numbers", "a size such", "channel numbers")
    return [
        option
        for option in command.params
        if isinstance(option.type, kinds)
        or (isinstance(option.type, CommaList) and any(word in option.type.example for word in of_numbers))
    ]


def numbers_of(method: signature.Method) -> list[signature.Option]:
    """The options of a method that take a number, and nothing else but for None."""
    kinds = ("int", "float", "int | None", "float | None")
    return [option for option in method.options if option.annotation in kinds]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_number_out_of_bounds_is_status_2_and_one_line(path, monkeypatch):
    command = COMMANDS[path]
    ran = []
    monkeypatch.setattr(command, "callback", lambda **given: ran.append(given))
    needed = ["x" for parameter in command.params if isinstance(parameter, click.Argument) and parameter.required]
    for other in command.params:
        if isinstance(other, click.Option) and other.required:
            needed += [other.opts[-1], "1"]
    for option in numeric(command):
        for value in VALUES:
            ran.clear()
            run = interp(*path.split(), *needed, option.opts[0], value)
            if run.status == 0:
                (given,) = ran
                chosen = given[option.name] if option.name in given else _inside(given, option.name)
                numbers = chosen if isinstance(chosen, list | tuple) else [chosen]
                assert all(math.isfinite(number) for number in numbers), (option.name, value, chosen)
                assert not isinstance(option.type, Number) or is_within(numbers[-1], option.type.bounds)
            else:
                assert (run.status, run.out, run.err.count("\n")) == (2, "", 1), (option.name, value, run.err)
                assert run.err.startswith(f"Error: Invalid value for '{option.opts[0]}'"), run.err
                assert len(run.err) < 1200
            if value in ("nan", "inf", VALUES[-1], VALUES[-2]) and not isinstance(option.type, Radius):
                assert run.status == 2, (option.name, value)


def _inside(given, name):
    """An option's value in one of the records that a command is given."""
    for record in given.values():
        held = record if isinstance(record, dict) else getattr(record, "__dict__", {})
        if name in held:
            return held[name]
    raise AssertionError(name)


def test_no_option_takes_a_number_without_bounds():
    """The kinds of click know no NaN, and no number that is too large."""
    free = (click.types.IntParamType, click.types.FloatParamType)
    for path, command in COMMANDS.items():
        for option in command.params:
            assert not isinstance(option.type, free) or option.count, (path, option.name)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_python_has_the_same_bounds(name):
    classifier, image = flowers(), torch.rand(1, 3, 32, 32)
    for option in numbers_of(signature.explainer_method(name)):
        kind = signature.kind_of(option)
        assert option.name in BOUNDS, f"{option.name} has no bounds"
        for value in (-1, 0, math.nan, math.inf, 10**400, 0.5):
            if is_within(value, kind.bounds):
                continue
            with pytest.raises(InterpretError) as caught:
                explainer_named(name)(classifier, image, 1, **{option.name: value})
            assert str(caught.value).startswith(f"{option.name} is a ") and "\n" not in str(caught.value)
            assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["visualize", "dream", "style", "invert", "overlay", "heatmap", "write"])
def test_functions_that_draw_have_the_bounds_too(name):
    """What is numeric by its annotation is declared, and is refused before anything is looked at."""
    function = visualize if name == "visualize" else getattr(interpret, name)  # that name is a module's
    numbers = {"int", "float", "collections.abc.Sequence[float]"}
    options = {
        option: parameter
        for option, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
        and numbers & set(inspect.formatannotation(parameter.annotation).split(" | "))
    }
    assert options
    for option, parameter in options.items():
        bounds = bounds_of(option, name)
        assert bounds, f"{option} of {name} has no bounds"
        several = "Sequence" in str(parameter)
        assert parameter.default is None or all(is_within(one, bounds) for one in np.ravel(parameter.default).tolist())
        for value in (-1, 0, math.nan, math.inf, 10**400, 10**5000, 0.5):
            if is_within(value, bounds):
                continue
            needed = [None] * sum(one.default is one.empty for one in inspect.signature(function).parameters.values())
            with pytest.raises(InterpretError) as caught:
                function(*needed, **{option: [value] if several else value})
            assert f"{option} is a " in str(caught.value) and "\n" not in str(caught.value)
            assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [10**400, 2**64, {}, "7"])
def test_a_target_that_is_no_index(value):
    with pytest.raises(InterpretError, match="target"):
        interpret.saliency(flowers(), torch.rand(1, 3, 32, 32), value)


def test_numbers_of_a_classifier():
    network = flowers().network
    out_of_bounds = {"mean": [10**400] * 3}, {"std": [10**5000] * 3}, {"input_size": 10**400}, {"input_size": (0, 8)}
    for wrong in ({"mean": 0.5}, {"std": ["a"] * 3}, {"input_size": "8"}, {"input_size": (8, 8, 8)}, {"labels": 5}):
        with pytest.raises(InterpretError, match=f"{next(iter(wrong))}"):
            interpret.Classifier(network, **{"mean": [0.5] * 3, "std": [0.5] * 3} | wrong)
    for wrong in out_of_bounds:
        with pytest.raises(InterpretError, match=f"{next(iter(wrong))} is a "):
            interpret.Classifier(network, **{"mean": [0.5] * 3, "std": [0.5] * 3} | wrong)
    with pytest.raises(InterpretError, match="input_size is a "):
        interpret.load(input_size=10**400)
    for resize in (0, math.nan, 10**400):
        with pytest.raises(InterpretError, match="resize is a "):
            interpret.Classifier(network, mean=[0.5] * 3, std=[0.5] * 3, input_size=8, resize=resize)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_a_radius_that_is_no_number(norm):
    for value in ("8lv", "8/255", "", 10**400, 10**5000, math.nan, {}):
        with pytest.raises(attacks.AttackError, match="eps is a "):
            attacks.pgd(flowers(), torch.rand(1, 3, 32, 32), torch.tensor([1]), eps=value, norm=norm, steps=1)


@pytest.mark.parametrize("name", [name for name, kind in attacks.ATTACKS.items() if kind not in ("shared", "map")])
def test_python_has_the_same_bounds_for_attacks(name):
    for option in numbers_of(signature.attack_method(name)):
        bounds = signature.kind_of(option).bounds
        for value in (-2, 0, math.nan, math.inf, 10**400, 0.5):
            if is_within(value, bounds):
                continue
            with pytest.raises(attacks.AttackError) as caught:
                getattr(attacks, name)(flowers(), torch.rand(1, 3, 32, 32), torch.tensor([1]), **{option.name: value})
            assert str(caught.value).startswith(f"{option.name} is a ") and len(str(caught.value)) < 200


def test_every_number_of_an_attack_is_declared():
    for method in signature.attack_methods():
        for option in numbers_of(method):
            assert option.name in ATTACK_BOUNDS, (method.name, option.name)


def test_the_defaults_are_within_bounds():
    for method in (*signature.methods(), *signature.attack_methods()):
        for option in numbers_of(method):
            kind = signature.kind_of(option)
            assert option.default is None or is_within(option.default, kind.bounds), (method.name, option.name)


def test_bounds_in_words():
    expected = {
        COUNT: "a whole number of 1 or more",
        (0.0, LARGEST): "a number of 0 or more",
        (ABOVE_0, BELOW_1): "a number above 0 and below 1",
        (ABOVE_0, 1.0): "a number above 0 and up to 1",
        (1, 100): "a whole number from 1 to 100",
        (-LARGEST, LARGEST): "a number that is finite",
    }
    assert {bounds: in_words(bounds) for bounds in expected} == expected


def test_a_number_of_a_configuration(tmp_path):
    for line in ("batch_size = 0", "batch_size = 8.5", "batch_size = true", "percentile = nan", "seed = 1e400"):
        (tmp_path / "interp.toml").write_text(line)
        run = interp("gradcam", "sample:cat")
        assert run.status == 2 and run.err.startswith("Error: Invalid value for"), run.err
