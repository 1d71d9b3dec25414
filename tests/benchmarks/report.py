"""CPU seconds of `interp report` for one picture and for two, with the default methods, attack and checks.

python -m tests.benchmarks.report

Each report is made by a process of its own, on one thread, with an empty cache. Takes two minutes.
"""

import os
import resource
import subprocess
import sys
import tempfile

LIMITS = {"the first photo": 60.0, "each further one": 25.0}


def seconds(*pictures: str) -> float:
    """Of a report, all of its process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "XDG_CACHE_HOME": folder, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        words = [sys.executable, "-m", "cli", "report", *pictures, "-q", "-o", f"{folder}/report.html"]
        subprocess.run(words, check=True, env=variables, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    first = seconds("sample:koala")
    found = {"the first photo": first, "each further one": seconds("sample:koala", "sample:cat") - first}
    print("| report | CPU seconds | limit |\n|---|---|---|")
    for what, spent in found.items():
        print(f"| {what} | {spent:.0f} | {LIMITS[what]:.0f} |")
    raise SystemExit(any(spent > LIMITS[what] for what, spent in found.items()))
