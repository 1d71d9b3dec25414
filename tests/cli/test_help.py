"""Help that is read by who is new: whole sentences, with what values mean and which are allowed."""

import re
import typing
from typing import Literal

import click
import pytest

from cli.options.radius import RADII, Radius
from cli.options.record import command, option
from tests.command import all_commands, interp

COMMANDS = dict(all_commands())


def options_of(path):
    context = click.Context(COMMANDS[path], info_name=path)
    return [one for one in COMMANDS[path].get_params(context) if isinstance(one, click.Option)]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_explained_by_a_sentence(path):
    for one in options_of(path):
        assert one.help and one.help[0].isupper() and one.help.endswith("."), (path, one.name, one.help)
        assert not re.match(r"(Of|In|For|At|Over) [^.,:;]*\.", one.help), (path, one.name, one.help)


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("columns", [80, 100])
def test_no_line_ends_inside_an_option_or_a_value(path, columns, monkeypatch):
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: (columns, 24))
    told = interp(*path.split(), "--help").out
    for line in told.splitlines():
        assert not re.search(r"\S-$|\[default:$", line) and line.count("`") % 2 == 0, line
        assert len(line) <= columns or "[" in line.split()[1], line  # a choice among many long words
    assert "\ue000" not in told and "\ue001" not in told


def test_the_help_says_what_levels_are_wherever_a_size_may_be_given_in_them():
    for path in COMMANDS:
        sizes = [one for one in options_of(path) if isinstance(one.type, Radius) or one.type is RADII]
        told = " ".join(interp(*path.split(), "--help").out.split())
        assert told.count("8lv for 8 of 255 levels") == len(sizes), path
    assert "255 levels of an 8-bit file, which 2lv is two of" in " ".join(interp("attack", "--help").out.split())


def test_the_help_says_which_numbers_are_allowed():
    told = " ".join(interp("gradcam", "--help").out.split())
    assert "[default: 0.72; above 0 and up to 1]" in told and "[from 20 to 1200]" in told
    assert "[default: 0]" in told  # a seed may be any
    assert "[default: 20.0; from 0 to 360]" in " ".join(interp("attack", "patch", "--help").out.split())


def test_a_choice_that_may_be_left_open_is_a_choice():
    @command()
    def look(*, view: Literal["near", "far"] | None = option("How near it is.")) -> None: ...

    (view,) = (one for one in look.params if one.name == "view")
    assert isinstance(view.type, click.Choice) and view.default is None
    for path in COMMANDS:
        for one in options_of(path):
            if one.name in ("task", "crop", "log", "rule"):
                assert isinstance(one.type, click.Choice), (path, one.name)
    run = interp("predict", "sample:cat", "--task", "guessing")
    assert run.status == 2 and "'guessing' is not one of 'classification'" in run.err
    assert typing.get_origin(Literal["a"] | None) is typing.Union  # which no X | Y is


def test_an_attack_says_what_it_changes_where_no_picture_is_named():
    told = " ".join(interp("attack", "fgsm", "--help").out.split())
    assert "Without a PICTURE it is sample:giant-panda that is changed, as squeezenet1_1 sees it." in told
