"""The one-file program that `./pants package` makes, run as a newcomer runs it: in an empty home."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from coinlake import __version__

PROGRAM = next(
    (pex for pex in map(Path, ("apps.cli/coinlake.pex", "dist/apps.cli/coinlake.pex")) if pex.exists()),
    Path("apps.cli/coinlake.pex"),
).absolute()
"""Beside the tests where Pants runs them; else where `./pants package apps/cli:coinlake` puts it."""

TIMEOUT_S = 240

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, in which the program unpacks itself once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the program in a folder of its own, which holds nothing of the sources."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--folder", str(tmp_path / "a lake"), *arguments],
            cwd=tmp_path,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        if program.poll() is None:
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=TIMEOUT_S)


def ended(program: subprocess.Popen[str]) -> str:
    """The standard output of a program that ends well."""
    out, err = program.communicate(timeout=TIMEOUT_S)
    assert program.returncode == 0, err
    return out


def test_it_knows_its_version(start: Start) -> None:
    assert ended(start("--version")) == f"coinlake {__version__}\n"


def test_it_replays_its_recordings_into_its_own_postgresql_and_proves_the_result(start: Start) -> None:
    ended(start("demo", "--once", "--port", "0"))
    proof = json.loads(ended(start("--json", "verify")))
    found = {table["table"]: table["found"] for table in proof["tables"]}
    assert found["quotes"] > 1000
    assert found["candles"] > 1000


def test_it_serves_its_page_until_ctrl_c_which_loses_nothing(start: Start) -> None:
    program = start("demo", "--port", "0")
    assert program.stderr is not None
    url = next(found[0] for line in program.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
    with urlopen(url, timeout=30) as page:
        assert "Coinlake" in page.read().decode()
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=TIMEOUT_S)
    assert program.returncode == 0
    assert ended(start("verify"))
