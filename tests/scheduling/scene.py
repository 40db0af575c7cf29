"""Coinlake in a folder, the venues that it asks, and the Airflow that schedules it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coinlake.model import Capture
from coinlake_lake.sqlite import SqliteLake
from command_line.program import Program
from scheduling.airflow import Airflow
from servers.postgres import Postgres

Tables = dict[str, dict[str, Any]]
"""Settings of sources by name."""


@dataclass
class Scene:
    """What a test has."""

    program: Program
    airflow: Airflow
    sources: Tables = field(default_factory=dict)
    plugins: list[str] = field(default_factory=lambda: ["scheduling.plain"])

    @classmethod
    def made(cls, home: Path, postgres: Postgres) -> Scene:
        """With a metadata database and a warehouse, both new."""
        program = Program(home, {"COINLAKE_WAREHOUSE__DSN": postgres.new_database()})
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in program.variables().items())
        script = home / "coinlake"
        script.write_text(
            f'#!/bin/sh\ncd {home}\nexec env {variables} {shlex.join(program.command())} "$@"\n'
        )
        script.chmod(0o700)
        airflow = Airflow(home, postgres.new_database(), str(script))
        airflow("db", "migrate")
        return cls(program, airflow)

    def configure(self) -> None:
        """Writes the settings, and the catalogue of what they say."""
        lines = [f"plugins = {self.plugins}", f'folder = "{self.folder}"', "[fetch]", "attempts = 1"]
        for name, given in self.sources.items():
            lines += [f"[sources.{name}]", *(f"{key} = {value!r}" for key, value in given.items())]
        (self.program.home / "coinlake.toml").write_text("\n".join(lines) + "\n")
        done = self.program("catalogue", "-o", str(self.airflow.catalogue))
        assert done.returncode == 0, done.stderr

    @property
    def folder(self) -> Path:
        """Of the deployment."""
        return self.program.home / "folder"

    def captured(self, source: str) -> list[Capture]:
        """What the lake has of a source, oldest first."""
        with SqliteLake(self.folder / "lake.db") as lake:
            return [held.capture for held in lake.scan(source=source)]
