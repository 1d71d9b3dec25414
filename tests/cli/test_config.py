"""Defaults from files and from the environment, and which of them wins."""

import json

import click
import pytest

from tests.command import TINY, all_commands, interp

GRADCAM = ("gradcam", "sample:cat", *TINY, "--json")


def about(*words):
    """What the runs of Grad-CAM say about themselves."""
    run = interp(*words)
    assert run.status == 0, run.err
    return [json.loads(line) for line in run.out.splitlines()]


def test_a_later_source_wins(tmp_path, monkeypatch):
    """pyproject < interp.toml < --config; in a file: all commands < one; then the environment; then the line."""
    (tmp_path / "pyproject.toml").write_text("[tool.interp]\nseed = 1\n")
    assert about(*GRADCAM)[0]["seed"] == 1
    (tmp_path / "interp.toml").write_text("seed = 2\n")
    assert about(*GRADCAM)[0]["seed"] == 2
    (tmp_path / "other.toml").write_text("seed = 3\n")
    assert about("--config", "other.toml", *GRADCAM)[0]["seed"] == 3
    monkeypatch.setenv("INTERP_CONFIG", "other.toml")
    assert about(*GRADCAM)[0]["seed"] == 3
    (tmp_path / "other.toml").write_text("seed = 3\n[gradcam]\nseed = 4\n[saliency]\nseed = 99\n")
    assert about(*GRADCAM)[0]["seed"] == 4
    monkeypatch.setenv("INTERP_SEED", "5")
    assert about(*GRADCAM)[0]["seed"] == 5
    monkeypatch.setenv("INTERP_GRADCAM_SEED", "6")
    assert about(*GRADCAM)[0]["seed"] == 6
    assert about(*GRADCAM, "--seed", 7)[0]["seed"] == 7


def test_values_of_every_kind(tmp_path):
    (tmp_path / "interp.toml").write_text(
        'json = true\nmodel = "tests.command:flowers"\n'
        '[gradcam]\nclass = ["rose", "water lily"]\nview = "heatmap"\nscale = 2.5\nrelu = false\nquiet = true\n'
        "[predict]\ntop_k = 2\n"
    )
    named = ("--config", "interp.toml")  # which may name code of its own
    rose, lily = about(*named, "gradcam", "sample:cat")
    assert (rose["class"], lily["class"]) == ("rose", "water lily")
    assert rose["display"].items() >= {"view": "heatmap", "scale": 2.5}.items()
    assert rose["options"]["relu"] is False
    assert len(about(*named, "predict", "sample:cat")[0]["top"]) == 2


def test_one_value_of_an_option_that_may_be_repeated(tmp_path, monkeypatch):
    (tmp_path / "interp.toml").write_text('class = "water lily"\n')
    assert [result["class"] for result in about(*GRADCAM)] == ["water lily"]
    monkeypatch.setenv("INTERP_CLASS", "rose")
    assert [result["class"] for result in about(*GRADCAM)] == ["rose"]


def test_numbers_and_flags_from_the_environment(monkeypatch):
    monkeypatch.setenv("INTERP_JSON", "1")
    monkeypatch.setenv("INTERP_RELU", "no")
    (result,) = about("gradcam", "sample:cat", *TINY)
    assert result["options"]["relu"] is False


def test_lists_of_numbers(tmp_path):
    (tmp_path / "interp.toml").write_text("mean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\ninput-size = 64\n")
    (result,) = about("gradcam", "sample:cat", "-m", "squeezenet1_1", "--json")
    assert result["preprocessing"]["mean"] == [0.5, 0.5, 0.5]
    assert result["preprocessing"]["input_size"] == [64, 64]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("sead = 1", "'sead', which is no option; did you mean 'seed'"),
        ("[gradcm]\nseed = 1", "'gradcm', which is no command; did you mean 'gradcam'"),
        ("[gradcam]\nlaeyr = 'conv1'", "'laeyr', which is no option of gradcam; did you mean 'layer'?"),
        ("[predict]\nrelu = true", "'relu', which is no option of predict"),
        ("seed = ", "the configuration interp.toml is not valid TOML: "),
        ("seed = 'x'", "Invalid value for '--seed': 'x' is not a valid integer"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(tmp_path, content, says):
    (tmp_path / "interp.toml").write_text(content)
    run = interp(*GRADCAM)
    assert (run.status, run.err.count("\n")) == (2, 1)
    assert says in run.err


def test_a_file_that_is_not_there():
    run = interp("--config", "nothing.toml", *GRADCAM)
    assert run.status == 2
    assert run.err == "Error: cannot read the configuration nothing.toml: No such file or directory\n"


FAR = {  # what a configuration that was found may not say -> why
    "model = 'evil:make'": "chooses code to be run",
    "model = 'timm:resnet18 + evil:make'": "chooses code to be run",
    "model = ['timm:resnet18', 'command:./evil']": "chooses code to be run",
    "[grid]\nmodels = ['squeezenet1_1', 'evil:make']": "chooses code to be run",
    "[evaluate-robustness]\ncompare = 'evil:make'": "chooses code to be run",
    "[train]\nfrom = 'evil:make'": "chooses code to be run",
    "[gradcam]\nscore = 'evil:make'": "chooses code to be run",
    "model = '../run/best.pt'": "takes weights from outside its folder",
    "model = 'squeezenet1_1 + ../run/best.pt'": "takes weights from outside its folder",
    "model = '../run/net.onnx'": "takes weights from outside its folder",
    "weights = '/tmp/net.pth'": "takes weights from outside its folder",
    "output = '..'": "writes outside its folder",
    "[attack-pgd]\ncsv = '/tmp/rows.csv'": "writes outside its folder",
    "[grid]\ncache = 'link'": "writes outside its folder",
    "[train]\nroot = '../data'": "writes outside its folder",
    "[dream]\ngif = 'link/dream.gif'": "writes outside its folder",
}


@pytest.mark.parametrize("name", ["interp.toml", "pyproject.toml"])
@pytest.mark.parametrize("content", FAR)
def test_a_file_that_was_found_chooses_no_code_and_nothing_outside_its_folder(tmp_path, content, name):
    (tmp_path / "link").symlink_to(tmp_path.parent)
    table, _, line = content.rpartition("\n")
    tool = "tool.interp" if name == "pyproject.toml" else ""
    place = ".".join(filter(None, [tool, table.strip("[]")]))
    (tmp_path / name).write_text(f"[{place}]\n{line}\n" if place else line)
    run = interp("samples")
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)
    assert run.err.startswith(f"Error: {name} was found, not named, and its ") and FAR[content] in run.err
    if name == "interp.toml":
        assert interp("--config", name, "samples").status == 0


def test_every_option_that_names_a_network_or_a_place_to_write_knows_it(tmp_path):
    """Over all commands, so that none is forgotten."""
    networks, places = (
        {"model", "models", "compare", "judge", "relative_to", "network", "source"},
        {"output", "csv", "folder", "gif", "curve"},
    )
    for path, command in all_commands():
        for option in command.params:
            if isinstance(option, click.Option) and option.name in {*networks, *places, "weights"}:
                assert hasattr(option.type, "too_far"), (path, option.name)
            elif isinstance(option.type, click.Path) and option.name not in ("labels", "regions", "data", "mask"):
                assert hasattr(option.type, "too_far"), f"{path} {option.name}: is it read or written?"


def test_what_lies_in_the_folder_may_be_chosen(tmp_path):
    (tmp_path / "interp.toml").write_text("output = 'maps'\n[attack-pgd]\ncsv = 'rows.csv'\n")
    assert interp("gradcam", "sample:cat", *TINY).out.startswith("maps/")


def test_a_broken_pyproject_is_somebody_else_s(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.")
    assert interp(*GRADCAM).status == 0
