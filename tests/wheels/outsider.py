"""Somebody at a shell who has Coinlake from pip, and nothing else of it.

The wheels are the ones just built. Everything else comes from the configured package index, in the locked
versions, so that a release elsewhere cannot break a test here; the ranges in the wheels have to admit them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_S = 300
_LOCK = Path("3rdparty/main/requirements.lock")
_OF_PIP = re.compile(r"PIP_.*|.*_PROXY|SSL_CERT_.*|REQUESTS_CA_BUNDLE", re.IGNORECASE)


def wheels() -> list[Path]:
    """The wheels: beside the tests where Pants runs them, else where `./pants package ::` puts them."""
    return sorted(wheel.absolute() for wheel in [*Path().glob("*.whl"), *Path("dist").glob("*.whl")])


class Outsider:
    """A person at a shell, in an empty folder at first; folder and variables stay from command to command."""

    def __init__(self, place: Path) -> None:
        self._state = place / "state.sh"
        self._constraints = place / "constraints.txt"
        self._constraints.write_text(_locked_and_ours())
        (place / "home").mkdir()
        (place / "work").mkdir()
        self._state.write_text(f"cd '{place / 'work'}'\n")
        self._environment = {
            **{name: value for name, value in os.environ.items() if _OF_PIP.fullmatch(name)},
            "HOME": str(place / "home"),
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.base_prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser()),
            "PIP_CONSTRAINT": str(self._constraints),
            "PIP_FIND_LINKS": " ".join(map(str, sorted({wheel.parent for wheel in wheels()}))),
        }
        self._find_the_index()

    def __call__(self, script: str) -> str:
        """Runs lines of shell, and gives what they print; what fails fails the test with all that it said."""
        done = self.attempt(script)
        assert done.returncode == 0, f"{script}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
        return done.stdout

    def attempt(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs lines of shell; the first that fails ends them."""
        remember = f"{{ declare -px; echo cd \"'$PWD'\"; }} > '{self._state}'"
        return subprocess.run(
            self._shell(f"{script}\n{remember}"),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def start(self, script: str) -> subprocess.Popen[Any]:
        """Runs one command in another terminal, in the folder where this one is."""
        return subprocess.Popen(
            self._shell(f"exec {script}"),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def write(self, name: str, text: str) -> None:
        """Saves a file in the folder where the shell is."""
        folder = self("pwd").strip()
        (Path(folder) / name).write_text(text, encoding="utf-8")

    def _shell(self, script: str) -> list[str]:
        return ["/bin/bash", "-euo", "pipefail", "-c", f"source '{self._state}'\n{script}"]

    def _find_the_index(self) -> None:
        """Fails under CI, else skips, where no package index can be reached."""
        asked = self.attempt("python3.11 -m pip download -q --no-deps --no-cache-dir -d ../probe pluggy")
        if asked.returncode == 0:
            return
        said = f"No package index can be reached, and wheels need what is there:\n{asked.stderr[-2000:]}"
        if "CI" in os.environ:
            pytest.fail(said)
        pytest.skip(said)


def _locked_and_ours() -> str:
    """Constraints for pip: the locked versions, and our own packages as the wheels just built."""
    locked = re.findall(r"^[\w.-]+(?:\[.*\])?==[^\s\\]+(?: ; [^\\\n]+)?", _LOCK.read_text(), re.MULTILINE)
    ours = ["==".join(wheel.name.split("-")[:2]).replace("_", "-") for wheel in wheels()]
    return "\n".join([*(re.sub(r"\[.*\]", "", line) for line in locked), *ours]) + "\n"
