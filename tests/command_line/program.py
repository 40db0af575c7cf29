"""Runs the `coinlake` program as a person does: a process with arguments, two streams and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from coinlake_cli import main

TIMEOUT_S = 120


@dataclass(frozen=True)
class Program:
    """The program in a home of its own; `environment` is added to a minimal one."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            cwd=self.home,
            env=self.variables(),
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts it and returns at once."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=self.variables(),
        )

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", main.__name__, *arguments]

    def variables(self) -> dict[str, str]:
        """The whole environment."""
        return {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
            # Absolute, since the program runs in another folder than the test.
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            **self.environment,
        }
