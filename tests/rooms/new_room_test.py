"""The room that `coinlake new-source` writes in this repository passes its checks at once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coinlake_cli import main

FOLDERS = ("3rdparty", "build-support", "ops", "pants-plugins", "libs", "stages", "apps")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the code and of what builds it, in which the new room is named where new-source says."""
    copy = tmp_path / "repository"
    copy.mkdir()
    # pyproject.toml is no file of this test's own: Pants brings it, as it holds pytest's settings.
    for file in ("BUILD", "pants", "pants.toml", "pyproject.toml"):
        shutil.copy(file, copy)
    for folder in FOLDERS:
        shutil.copytree(folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    told = subprocess.run(
        [sys.executable, "-m", main.__name__, "new-source", "kraken"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    place = re.search(r'BUILD, behind line (\d+) .*: add (".*",)', told)
    assert place, told
    lines = (copy / "BUILD").read_text().splitlines()
    lines.insert(int(place[1]), f"    {place[2]}")
    (copy / "BUILD").write_text("\n".join(lines) + "\n")
    project = (copy / "pyproject.toml").read_text()
    named = project.replace("known-first-party = [", 'known-first-party = [\n  "coinlake_kraken",')
    (copy / "pyproject.toml").write_text(named)
    return copy


def test_a_new_room_passes_its_tests_its_lint_and_its_types(repository: Path) -> None:
    for goal in ("test", "lint", "check"):
        done = subprocess.run(
            ["./pants", "--no-pantsd", goal, "libs/sources/kraken::", "tests/sources/kraken::"],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert "✓" in done.stderr
