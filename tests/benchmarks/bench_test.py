"""The benchmark runs and says what it should; how fast anything is, it does not judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DLT = next(
    (pex for pex in map(Path, ("tests.benchmarks/dlt.pex", "dist/tests.benchmarks/dlt.pex")) if pex.exists()),
    Path("tests.benchmarks/dlt.pex"),
)
"""Beside the tests where Pants runs them; else where `./pants package tests/benchmarks:dlt` puts it."""

MEASURED = (
    "refine",
    "load",
    "embedded pipeline",
    "embedded pipeline with telemetry on",
    "embedded pipeline with telemetry on",
    "peak memory",
    "a batch",
    "status",
)


def test_a_quick_run_gives_every_ratio_as_a_number_and_says_whether_it_is_good() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", "--quick", "--json", "--dlt", DLT],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "cores" in report["machine"]
    for what, result in zip(MEASURED, report["results"], strict=True):
        assert result["name"].startswith(what)
        assert result["ratio"] > 0
        assert result["reached"] in (True, False)
