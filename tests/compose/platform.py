"""The platform of ops/compose as people drive it: by `docker compose` and its own commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.resolved import laid_out
from servers import fetch

HERE = Path("tests/compose").absolute()
BASE = "coinlake-base:bookworm"
SERVERS = ("mongo", "kafka", "postgres")
_LOOK_AGAIN_S = 2


def make_servers() -> None:
    """The images of the three servers, from packages; as `servers/Containerfile` says."""
    with tempfile.TemporaryDirectory() as context:
        shutil.copytree(HERE / "servers", context, dirs_exist_ok=True)
        shutil.copy(fetch.mongod(), context)
        shutil.copytree(fetch.jars("kafka"), Path(context, "kafka"))
        for name in SERVERS:
            command = ["docker", "build", f"--file={context}/Containerfile", f"--tag={image(name)}"]
            subprocess.run(
                [*command, f"--target={name}", "--network=host", f"--build-arg=BASE_IMAGE={BASE}", context],
                check=True,
            )


def image(server: str) -> str:
    """The name of the image of a server that `make_servers` makes."""
    return f"coinlake-test-{server}"


@dataclass(frozen=True)
class Platform:
    """One project of Docker Compose, in a folder of its own."""

    place: Path
    project: str

    @classmethod
    def laid_out(cls, folder: Path, project: str, ports: Mapping[str, int]) -> Platform:
        """The files of ops/compose, with new secrets, our servers and a venue that is recorded."""
        place = laid_out(folder)
        for name in ("override.yaml", "venue.py"):
            shutil.copy(HERE / name, place)
        with (place / ".env").open("a", encoding="ascii") as variables:
            variables.writelines(f"{server.upper()}_IMAGE={image(server)}\n" for server in SERVERS)
            variables.writelines(f"{name}={port}\n" for name, port in ports.items())
        return cls(place, project)

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`docker compose ARGUMENTS`; unless it may fail, its last words are the error."""
        return self.run("docker", "compose", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command that finds the project by its environment, as our scripts do."""
        files = f"{self.place}/compose.yaml:{self.place}/override.yaml"
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": self.project},
        )
        if check and done.returncode:
            said = (done.stdout + done.stderr)[-4000:]
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
        return done

    def states(self) -> dict[str, dict[str, Any]]:
        """Every container, by its service."""
        lines = self.compose("ps", "--all", "--format=json").stdout.splitlines()
        return {one["Service"]: one for one in map(json.loads, lines)}

    def asked(self, query: str) -> list[Any]:
        """What the warehouse answers; each row is one JSON value."""
        script = (
            f'PGPASSWORD="$POSTGRES_PASSWORD" psql -h 127.0.0.1 -U postgres -d coinlake -qAt -c "{query}"'
        )
        asked = self.compose("exec", "-T", "postgres", "bash", "-euc", script)
        return [json.loads(line) for line in asked.stdout.splitlines()]

    def loaded(self) -> int:
        """How many captures are on record as loaded."""
        (count,) = self.asked("SELECT count(*) FROM coinlake.loaded_captures")
        return int(count)

    def coinlake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of Coinlake's, as people run it."""
        return self.compose("run", "--rm", "-T", "coinlake", *arguments, check=check)


def until(said: str, condition: Callable[[], bool], timeout_s: float) -> float:
    """Waits until the condition holds; how many seconds it took."""
    began = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - began
        except AssertionError:  # a container that is not up yet answers nothing
            pass
        if time.monotonic() - began > timeout_s:
            raise AssertionError(f"Within {timeout_s:g} s it did not come about that {said}.")
        time.sleep(_LOOK_AGAIN_S)
