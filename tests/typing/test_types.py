"""Type checkers and editors see the public names as they are, though these are loaded from tables at run time."""

import re
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

from tests.typing.stubs import STUBS

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.parent.name)
def test_the_stub_is_that_of_the_tables(path):
    assert path.read_text(encoding="utf-8") == STUBS[path](), "run: python -m tests.typing.stubs"
    assert path.with_name("py.typed").exists()


def completions(code: str) -> dict[str, jedi.api.classes.Completion]:
    script = jedi.Script(code, project=jedi.Project(REPOSITORY))
    lines = code.split("\n")
    return {found.name: found for found in script.complete(len(lines), len(lines[-1]))}


def test_an_editor_completes_names_with_their_signatures():
    found = completions("import interpret\ninterpret.gradc")
    assert {"gradcam", "gradcam_plusplus"} <= found.keys()
    signature = found["gradcam"].get_signatures()[0]
    assert [parameter.name for parameter in signature.params] == ["classifier", "images", "target", "layer", "relu"]
    assert "Where the features of one layer speak" in found["gradcam"].docstring()
    assert "pgd" in completions("import attacks\nattacks.pg")


@pytest.mark.slow  # jedi follows all that load imports
def test_a_type_that_a_function_returns_is_known():
    assert "find" in completions("import interpret\nclassifier = interpret.load()\nclassifier.fin")


def snippets() -> str:
    """The Python of the pages, one after the other: later blocks use the names of earlier ones."""
    pages = [REPOSITORY / name / "README.md" for name in ("", "interpret", "attacks")]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return "\n".join(re.findall(r"^```python\n(.*?)^```", "\n".join(texts), re.DOTALL | re.MULTILINE))


@pytest.mark.slow  # without a cache the types of torch take half a minute
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_checkers_find_no_fault(checker, tmp_path):
    """In the pages' snippets and in what stands here; the lines that are wrong there have to be found."""
    pytest.importorskip(checker)
    code = tmp_path / "snippets.py"
    code.write_text(snippets(), encoding="utf-8")
    options = (
        ["--follow-imports", "silent", "--warn-unused-ignores", "--cache-dir", tmp_path] if checker == "mypy" else []
    )
    command = [sys.executable, "-m", checker, *options, code, Path(__file__).with_name("public_names.py")]
    ran = subprocess.run(list(map(str, command)), cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
