"""Memory that is freed is there for the next picture."""

import platform
import subprocess
import sys

import pytest

from tests.command import REPOSITORY

FAULTS = """
import resource, sys
if sys.argv[1] == "keep":
    from cli.memory import keep_freed_memory
    keep_freed_memory()
import torch
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(12):
    torch.ones(12_000_000)  # 48 MB
before = faults()
for _ in range(5):
    torch.ones(12_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.slow
def test_large_buffers_are_not_cleared_by_the_system_again_and_again():
    def faults(how: str) -> int:
        words = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout)

    assert faults("keep") < faults("leave") / 10
