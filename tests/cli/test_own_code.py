"""The folder one stands in runs no code, unless a network is named that is code in it."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import CAT, REPOSITORY, interp, process

SCRIPT = "from cli.app import main; raise SystemExit(main())"
NETWORK = """
import torch, interpret
import beside_it

def make():
    import needed_late
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                                  torch.nn.Flatten(), torch.nn.Linear(4, 3))
    return interpret.Classifier(network, mean=(0.5,) * 3, std=(0.5,) * 3, input_size=16)
"""


def optional_imports() -> list[str]:
    """What the packages below import somewhere and what is not installed; a few words of their docstrings too."""
    names: set[bytes] = set()
    for package in ("torch", "torchvision", "PIL", "matplotlib"):
        home = Path(importlib.util.find_spec(package).origin).parent
        for file in home.rglob("*.py"):
            names |= set(re.findall(rb"^\s*(?:import|from)\s+([A-Za-z_]\w*)", file.read_bytes(), re.MULTILINE))
    known = sys.stdlib_module_names | sys.modules.keys()
    return [name for name in map(bytes.decode, names) if name not in known and importlib.util.find_spec(name) is None]


@pytest.fixture
def namesakes(tmp_path) -> Path:
    """A folder with a module for every optional import; the file to which those that run add their names."""
    names, ran = optional_imports(), tmp_path / "ran.txt"
    assert {"opt_einsum", "defusedxml", "olefile", "onnx"} & set(names)
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write(__name__ + '\\n')\n")
    return ran


@pytest.mark.parametrize("entrance", ["script", pytest.param("module", marks=pytest.mark.slow)])
def test_a_namesake_of_an_optional_import_does_not_run(namesakes, tmp_path_factory, entrance):
    if entrance == "script":  # as the console script, whose folder Python puts first
        script = tmp_path_factory.mktemp("bin") / "interp.py"
        script.write_text(SCRIPT)
        start = [sys.executable, script]
    else:
        start = [sys.executable, "-m", "cli"]
    words = ["gradcam", CAT, "-m", "squeezenet1_1", "--view", "side-by-side"]
    run = subprocess.run(
        [*start, *words], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    assert run.returncode == 0, run.stderr
    assert not namesakes.exists(), namesakes.read_text()


def test_code_of_the_current_folder_is_imported_where_it_is_named(tmp_path):
    (tmp_path / "my_network.py").write_text(NETWORK)
    for name in ("beside_it", "needed_late"):
        (tmp_path / f"{name}.py").touch()
    before = list(sys.path)
    assert interp("predict", CAT, "-m", "my_network:make").status == 0
    assert sys.path == before
    for name in ("my_network", "beside_it", "needed_late"):
        del sys.modules[name]


def test_a_configuration_that_was_found_imports_nothing(tmp_path):
    (tmp_path / "evil.py").write_text("open('ran.txt', 'w')\n")
    (tmp_path / "interp.toml").write_text('model = "evil:make"\n')
    assert interp("predict", CAT).status == 2
    assert not (tmp_path / "ran.txt").exists()


def test_a_folder_that_is_no_more(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert process("samples").returncode == 0
