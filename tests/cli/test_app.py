"""The command line as a whole: what answers without torch, and the commands that inform."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import get_completion_class

from cli.commands import app
from interpret.bundled import samples
from interpret.explainers import EXPLAINERS
from interpret.labels.names import imagenet
from tests.command import CAT, FLOWERS, SQUEEZE, TINY, all_commands, interp, process


def completed(line: str) -> subprocess.CompletedProcess:
    """What bash would be offered behind a line."""
    position = str(len(line.split()) - 1)
    words = {"_INTERP_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": position}
    return process(python=("-X", "importtime"), **words)


def offered(line: str) -> list[str]:
    return [answer.partition(",")[2] for answer in completed(line).stdout.splitlines()]


def imports(run: subprocess.CompletedProcess, module: str) -> bool:
    return bool(re.search(rf"\| +{module}$", run.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    "line", ["--help", "--version", "gradcam --help", "classes cat", "gradcm", "samples", "methods"]
)
def test_what_needs_no_network_answers_without_torch(line):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = process(*line.split())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"interp {line}: {after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.3f} s CPU")
    assert run.returncode == (2 if line == "gradcm" else 0), run.stderr
    traced = process(*line.split(), python=("-X", "importtime"))
    assert imports(traced, "interpret")
    assert not imports(traced, "torch")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("interp gradc", "gradcam"),
        ("interp gradcam --class-m", "--class-mode"),
        ("interp gradcam sample:kit", "sample:kitten"),
        ("interp gradcam -c police", "police-van"),
        ("interp gradcam --versus pol", "polar-bear"),
        ("interp gradcam -m squ", "squeezenet1_1"),
    ],
)
def test_completion_answers_without_torch(line, answer):
    run = completed(line)
    assert f"plain,{answer}" in run.stdout.splitlines()
    assert not imports(run, "torch")


def test_completed_classes_are_one_word_that_means_the_class():
    answers = offered("interp gradcam -c c")
    assert "cat" in answers
    for answer in answers:
        assert not re.search(r"[\s'\"\\]", answer)
        assert imagenet().find(answer)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script(shell):
    if get_completion_class(shell) is None:
        pytest.skip(f"this version of click does not complete in {shell}")
    run = interp("completion", shell)
    assert run.status == 0
    assert "_INTERP_COMPLETE" in run.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_takes_the_completion_script():
    script = interp("completion", "bash").out
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""


def test_without_arguments_the_help_is_printed():
    run = interp()
    assert run.status == 0
    for command in ("predict", "models", "layers", "classes", "methods", "samples", "doctor", "completion", "gradcam"):
        assert re.search(rf"^  {command} ", run.out, re.MULTILINE)


def test_the_installed_command_is_the_module(tmp_path):
    script = shutil.which("interp", path=f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}")
    if script is None:
        pytest.skip("interp is not installed")
    run = subprocess.run([script, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert run.stdout == process("--version").stdout


@pytest.mark.parametrize("complete", [False, True])
def test_another_package_of_that_name_is_recognised(tmp_path, complete):
    other = tmp_path / "interpret"
    (other / "glassbox").mkdir(parents=True)
    (other / "__init__.py").write_text("" if complete else "raise ImportError('half of a package')")
    (other / "glassbox" / "__init__.py").touch()
    run = process("gradcam", CAT, python=("-P",), PYTHONPATH=str(tmp_path))
    assert run.returncode == 2
    assert run.stderr.startswith(f"Error: the import name 'interpret' leads to another package ({other})")
    assert run.stderr.count("\n") == 1
    assert "python -m venv" in run.stderr


def test_predict():
    run = interp("predict", "sample:cat", CAT, *SQUEEZE, "--top-k", 3)
    first, *rows = run.out.splitlines()
    assert first == "sample:cat"
    assert len(rows) == 3  # the sample and its file are one picture
    assert re.fullmatch(r" +\d+\.\d%  tiger cat \(282\)", rows[0])
    (line,) = interp("predict", "sample:cat", *SQUEEZE, "--json").out.splitlines()
    answer = json.loads(line)
    assert answer["picture"] == "sample:cat"
    assert len(answer["top"]) == 5
    assert answer["top"][0].items() >= {"index": 282, "name": "tiger cat"}.items()


def test_models():
    lines = interp("models").out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["efficientnet_lite0", "squeezenet1_1"]
    assert all("offline" in line for line in lines[:2])
    rows = [json.loads(line) for line in interp("models", "resnet", "--json").out.splitlines()]
    assert {"name": "resnet50", "offline": False} in rows
    assert all("resnet" in row["name"] for row in rows)


def test_layers_marks_the_default():
    marked = [line for line in interp("layers", *SQUEEZE).out.splitlines() if line.startswith("*")]
    assert len(marked) == 1
    rows = [json.loads(line) for line in interp("layers", *SQUEEZE, "--json").out.splitlines()]
    (default,) = [row for row in rows if row["default"]]
    assert marked[0].split()[1] == default["name"]
    assert default["shape"][1:] == [13, 13]


def test_layers_have_the_shapes_of_the_networks_own_input():
    rows = [json.loads(line) for line in interp("layers", *TINY, "--json").out.splitlines()]
    assert rows[0]["shape"][1:] == [32, 32]


def test_classes():
    assert len(interp("classes").out.splitlines()) == 1000
    run = interp("classes", "cat")
    marked = [line for line in run.out.splitlines() if line.startswith("*")]
    assert [int(line.split()[1]) for line in marked] == list(range(281, 288))
    assert len(run.out.splitlines()) > len(marked)
    assert "7 classes" in run.err
    rows = [json.loads(line) for line in interp("classes", "cat", "--json").out.splitlines()]
    assert [row["index"] for row in rows if row["meant"]] == list(range(281, 288))
    assert interp("classes", "catt").status == 2


def test_classes_of_another_file(tmp_path):
    names = tmp_path / "flowers.txt"
    names.write_text("\n".join(FLOWERS))
    assert [line.split(maxsplit=1)[1] for line in interp("classes", "--labels", names).out.splitlines()] == [*FLOWERS]


def test_methods():
    rows = [json.loads(line) for line in interp("methods", "--json").out.splitlines()]
    assert [row["command"] for row in rows] == [name.replace("_", "-") for name in EXPLAINERS]
    assert all(row["url"].startswith("https://") and row["shows"] and row["paper"] for row in rows)
    assert "gradcam" in interp("methods").out


def test_samples():
    rows = [json.loads(line) for line in interp("samples", "--json").out.splitlines()]
    assert {row["name"]: row["path"] for row in rows} == {name: str(path) for name, path in samples().items()}
    assert f"sample:{rows[0]['name']} " in interp("samples").out


def test_doctor():
    run = interp("doctor")
    assert run.status == 0
    assert all(line.startswith("ok ") for line in run.out.splitlines())
    assert "squeezenet1_1          sees the sample cat as" in run.out


def test_an_overlay_takes_pytorch_and_little_else(tmp_path):
    """What starts slowly, and what a single overlay needs not."""
    run = process("gradcam", "sample:cat", "-o", tmp_path / "cat.png", python=("-X", "importtime"))
    assert run.returncode == 0, run.stderr
    modules = re.findall(r"\| +([\w.]+)$", run.stderr, re.MULTILINE)
    own = [name for name in modules if name.partition(".")[0] in ("cli", "interpret", "attacks")]
    for package in ("torchvision", "captum", "matplotlib", "timm", "safetensors"):
        assert not imports(run, package)
    alone = subprocess.run([sys.executable, "-X", "importtime", "-c", "import torch"], capture_output=True, text=True)
    least = set(re.findall(r"\| +([\w.]+)$", alone.stderr, re.MULTILINE))
    beyond = set(modules) - least
    print(f"{len(own)} modules of our own, {len(beyond)} beyond PyTorch")
    assert "interpret.figures" in own and len(beyond) < 240, sorted(beyond)


def test_every_command_is_listed_once_under_a_heading_by_its_method_s_name():
    listed = interp("--help").out
    for name in app.commands:
        assert len(re.findall(rf"^  {name} ", listed, re.MULTILINE)) == 1, name
    assert re.search(r"^  gradcam +Grad-CAM: where the features", listed, re.MULTILINE)
    assert re.search(r"^  bim +The basic iterative method: the fast", interp("attack", "--help").out, re.MULTILINE)


@pytest.mark.parametrize("group", ["attack", "evaluate"])
def test_a_bare_group_prints_its_help(group):
    assert interp(group) == interp(group, "--help")
    assert interp(group).status == 0


def test_options_stand_under_headings_and_say_nothing_that_only_python_knows():
    told = interp("gradcam", "--help").out
    headings = ["What is explained:", "The method:", "How it is drawn:", "The network:", "Output:"]
    places = [told.index(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places) and "(eq. 1 of Selvaraju et al. 2017)" in " ".join(told.split())
    for path, command in all_commands():
        texts = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
        for text in texts:
            assert not re.search(r"\(N|\btensor\b|``|\bdict\b|\bNone\b|\binterpret\.", text), (path, text)
