"""A small package adds an explainer, an attack and a network: commands, a column of a grid, rows of a report."""

import json
import re
import subprocess
import sys
import textwrap

import pytest
from PIL import Image

from interpret.explainers import BUILT_IN, EXPLAINERS
from interpret.plug_ins import chosen, declared, plug_ins
from tests.command import CAT, REPOSITORY, process

PAGE = (REPOSITORY / "interpret" / "README.md").read_text(encoding="utf-8")
BROKEN = """
    [interp.explainers]
    nowhere = no_such_package.here:method
    elsewhere = my_methods:missing
    needy = my_methods:small_network
    gradcam = my_methods:gradient_norm
"""


def block(language: str, begins: str) -> str:
    """A block of the page."""
    found = [part.split("```")[0] for part in PAGE.split(f"```{language}\n")[1:]]
    return next(part for part in found if part.startswith(begins))


def write_modules(folder):
    """The files of the page's package."""
    (folder / "my_methods.py").write_text(block("python", '"""Gradient norm'))
    (folder / "my_attack.py").write_text(block("python", '"""Coin flips'))


def installed(folder, entry_points: str):
    """What `pip install` leaves of the page's package."""
    write_modules(folder)
    metadata = folder / "my_methods-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: my-methods\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text(textwrap.dedent(entry_points))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the page's package."""
    points = block("toml", "[project]").partition("[project.entry")[2]
    points = re.sub(r'\[project.entry-points."(.*?)"\]', r"[\1]", f"[project.entry{points}").replace('"', "")
    return installed(tmp_path_factory.mktemp("site"), points)


RUNS = [
    ["models", "small"],
    ["gradient-norm", "cat.png", "-m", "tests.command:flowers", "-c", "rose", "--power", "2"],
    [
        "grid",
        "cat.png",
        "-m",
        "tests.command:flowers",
        "-c",
        "rose",
        "--methods",
        "saliency,gradient-norm",
        "-o",
        "grid.png",
    ],
    ["attack", "coin-flips", "cat.png", "-m", "tests.command:flowers", "--eps", "8lv", "--json"],
    [
        "report",
        "cat.png",
        "-m",
        "tests.command:flowers",
        "--methods",
        "gradient-norm",
        "--no-sanity",
        "--no-attack",
        "-q",
    ],
]


def test_it_is_there_like_the_others(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.open(CAT).resize((48, 32)).save("cat.png")
    code = "import sys, json; from cli.app import main; sys.exit(max(main(words) for words in json.loads(sys.argv[1])))"
    path = {"PYTHONPATH": f"{place}:{REPOSITORY}", "PATH": "/usr/bin"}
    words = json.dumps([list(map(str, run)) for run in RUNS])
    ran = subprocess.run([sys.executable, "-c", code, words], capture_output=True, text=True, env=path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "cat_gradient_norm_rose.png").exists() and (tmp_path / "grid.png").exists()
    assert '"attack": "coin_flips"' in ran.stdout or "coin" in ran.stdout
    assert re.search(r"^small +my_methods:small_network$", ran.stdout, re.MULTILINE)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Gradient norm (after Simonyan et al. 2014)" in page and "interp gradient-norm" in page


HELPS = [
    ["--help"],
    ["gradient-norm", "--help"],
    ["attack", "--help"],
    ["attack", "coin-flips", "-h"],
]


def test_its_help_imports_nothing(place):
    code = "import sys, json; from cli.app import main; [main(words) for words in json.loads(sys.argv[1])]"
    code += "; print({*sys.modules})"
    path = {"PYTHONPATH": f"{place}:{REPOSITORY}", "PATH": "/usr/bin"}
    command = [sys.executable, "-c", code, json.dumps(HELPS)]
    out = subprocess.run(command, capture_output=True, text=True, env=path, check=True).stdout
    assert out.count("gradient-norm") >= 2 and out.count("coin-flips") >= 2 and "'cli'" in out
    assert "How far the score moves" in out and "--power FLOAT" in out and "What the norm is raised to" in out
    assert "'torch'" not in out and "'my_methods'" not in out


@pytest.fixture
def fresh():
    """The table of plug-ins as a new process sees it."""
    declared.cache_clear()
    yield
    declared.cache_clear()


def test_what_cannot_be_used_is_left_out_and_told(tmp_path_factory, monkeypatch, fresh):
    monkeypatch.syspath_prepend(installed(tmp_path_factory.mktemp("site"), BROKEN))
    usable, refused = chosen("interp.explainers", "DISPLAY", {name: EXPLAINERS[name] for name in BUILT_IN}, "map")
    assert usable == {} and set(refused) == {"nowhere", "elsewhere", "needy", "gradcam"}
    assert "no module no_such_package.here" in refused["nowhere"]
    assert "defines no function 'missing'" in refused["elsewhere"]
    assert "takes three arguments" in refused["needy"]
    assert "has the name of a method that comes along" in refused["gradcam"]


def test_the_current_folder_adds_nothing(place, monkeypatch, fresh):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(place))
    assert plug_ins("interp.networks") == {}


@pytest.mark.slow
def test_a_real_installation(tmp_path, monkeypatch):
    """By pip, into a folder of its own."""
    project = tmp_path / "project"
    project.mkdir()
    write_modules(project)
    (project / "pyproject.toml").write_text(block("toml", "[project]"))
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", tmp_path / "site", project], check=True)
    assert "gradient-norm" in process("--help", PYTHONPATH=str(tmp_path / "site")).stdout
