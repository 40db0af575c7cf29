"""Grafana's own grammars and types, from npm, run by node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers.fetch import Missing, kept

PINS = Path("3rdparty/npm").absolute()
_FETCH_TIMEOUT_S = 240
_RUN_TIMEOUT_S = 120


def packages() -> Path:
    """The folder with `node_modules`, fetched once. What the machine lacks is a skip, under CI a failure."""
    try:
        return kept("npm", [PINS / "package.json", PINS / "package-lock.json"], _fetch)
    except Missing as missing:
        if "CI" in os.environ:
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Read:
    """What a grammar makes of a question."""

    errors: Sequence[int]
    """The offsets at which it is none."""
    series: Sequence[str]
    """Of PromQL: the names of series."""
    labels: Sequence[str]
    """Of PromQL: the names of labels."""


def parsed(packages: Path, questions: Sequence[tuple[str, str]]) -> list[Read]:
    """What the grammars make of questions, each with its language."""
    ran = _ran(Path(__file__).with_name("parse.mjs").absolute(), given=questions, folder=packages)
    assert ran.returncode == 0, ran.stderr
    return [Read(**one) for one in json.loads(ran.stdout)]


def type_errors(packages: Path, folder: Path) -> list[str]:
    """What TypeScript finds wrong with the project in a folder."""
    ran = _ran(packages / "node_modules/typescript/bin/tsc", "--pretty", "false", folder=folder)
    assert ran.stdout or ran.returncode == 0, ran.stderr
    return [line for line in ran.stdout.splitlines() if not line.startswith(" ")]


def _ran(
    program: Path, *arguments: str, folder: Path, given: object = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_program("node"), str(program), *arguments],
        input=json.dumps(given),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_RUN_TIMEOUT_S,
    )


def _fetch(place: Path) -> None:
    for pin in ("package.json", "package-lock.json"):
        shutil.copy(PINS / pin, place)
    command = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    _checked(command, place)


def _checked(command: Sequence[str], folder: Path) -> None:
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"`{' '.join(command)}` took more than {_FETCH_TIMEOUT_S} s.") from None
    if ran.returncode:
        raise Missing(f"`{' '.join(command)}` failed; it needs the network:\n{ran.stderr[-2000:]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"There is no {name}: `apt-get install npm` (Debian), then the grammars can be run.")
    return found
