"""A Docker of the tests' own: a daemon that nobody else uses, without a network of its own; its containers.

The daemon lives in a process namespace: whoever ends it ends all that it started, containers too. It changes
nothing of the machine's network; containers and builds use that of the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from servers.fetch import Missing
from servers.process import Process

_CLIENT = "/usr/bin/docker"

PROGRAMS = {
    _CLIENT: "docker.io",
    "dockerd": "docker.io",
    "docker-init": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
}
"""What is needed, and which of Debian's packages has it."""
CALL_TIMEOUT_S = 300
STOP_TIMEOUT_S = 60
"""What a container is given to end whole, as the docs advise."""

_REMOVING_S = 20

HARDENED = (
    *("--network=host", "--init", "--read-only", "--tmpfs=/tmp:exec"),
    *("--cap-drop=ALL", "--security-opt=no-new-privileges"),
)
"""How all containers run: with nothing that they do not need."""

_ON_THE_NETWORK_OF_THE_MACHINE = f"""#!/bin/sh
[ "$1" = build ] && {{ shift; exec {_CLIENT} build --network=host "$@"; }}
exec {_CLIENT} "$@"
"""


class Docker:
    """A daemon in a folder of its own. As a context manager it is started, and ended with all it runs."""

    def __init__(self) -> None:
        """`Missing` where it cannot start."""
        if os.geteuid() != 0:
            raise Missing("A Docker of the tests' own wants root: run them as root.")
        for program, package in PROGRAMS.items():
            if shutil.which(program) is None:
                raise Missing(f"There is no {program}: `apt-get install {package}` (Debian).")
        # A short path: that of a socket has 107 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="coinlake-docker-"))
        self._process = Process(self.folder, "dockerd")
        self.socket = f"unix://{self.folder}/docker.sock"

    def __enter__(self) -> Self:
        places = {name: self.folder / name for name in ("data-root", "exec-root", "pidfile")}
        self._process.start(
            [
                *("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "dockerd"),
                *(f"--{option}={place}" for option, place in places.items()),
                f"--host={self.socket}",
                *("--bridge=none", "--iptables=false", "--ip6tables=false"),
            ],
            lambda: Path(self.folder, "docker.sock").exists() and self._answers(),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        _remove(self.folder)

    def __call__(self, *arguments: str, checked: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the client to its end."""
        done = subprocess.run(
            [_CLIENT, f"--host={self.socket}", *arguments],
            env=os.environ | {"DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CALL_TIMEOUT_S,
        )
        assert not checked or done.returncode == 0, (
            f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        )
        return done

    def client(self) -> Path:
        """The folder of a client that builds on the machine's network, as this daemon has none of its own."""
        folder = self.folder / "client"
        folder.mkdir(exist_ok=True)
        (folder / "docker").write_text(_ON_THE_NETWORK_OF_THE_MACHINE)
        (folder / "docker").chmod(0o755)
        return folder

    def inspect(self, name: str) -> Any:
        """What Docker knows of an image or a container."""
        return json.loads(self("inspect", name).stdout)[0]

    def once(
        self, image: str, *command: str, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in a new container to its end, whatever that is."""
        given = [f"--env={name}={value}" for name, value in environment.items()]
        return self("run", "--rm", *HARDENED, *given, *options, image, *command, checked=False)

    def _answers(self) -> bool:
        return self("version", checked=False).returncode == 0


def _remove(folder: Path) -> None:
    """Removes what the daemon kept: the last of its processes may still be about to end."""
    deadline = time.monotonic() + _REMOVING_S
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=time.monotonic() < deadline)


class Container:
    """One container that goes on; it is removed at the end, and its log shown if anything went wrong."""

    def __init__(
        self,
        docker: Docker,
        image: str,
        *command: str,
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] = {},
    ) -> None:
        self._docker = docker
        self.name = f"{image.split(':')[0]}-{uuid4().hex[:8]}"
        given = [f"--env={name}={value}" for name, value in environment.items()]
        self._run = ["run", "--detach", f"--name={self.name}", *HARDENED, *given, *options, image, *command]

    def __enter__(self) -> Self:
        self._docker(*self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(f"{self.name} said:\n{self.said()}")
        with suppress(AssertionError):
            self._docker("rm", "--force", "--volumes", self.name)

    @property
    def state(self) -> Any:
        """What Docker knows of it now."""
        return self._docker.inspect(self.name)["State"]

    def said(self) -> str:
        """Its log."""
        done = self._docker("logs", self.name, checked=False)
        return done.stdout + done.stderr

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in it."""
        return self._docker("exec", self.name, *command, checked=False)

    def processes(self) -> str:
        """The command lines of all its processes, whole, however wide COLUMNS says that a terminal is."""
        return self._docker("top", self.name, "-ww", "-o", "pid,args").stdout

    def trouble(self) -> str:
        """What its image's own check of health finds wrong now; nothing where it is well."""
        kind, *check = self._docker.inspect(self.name)["Config"]["Healthcheck"]["Test"]
        assert kind == "CMD"
        done = self.inside(*check)
        return done.stdout + done.stderr if done.returncode else ""

    def kill_and_start(self) -> None:
        """Ends it as a power cut would, and starts it again on what it kept."""
        self._docker("kill", "--signal=KILL", self.name)
        self._docker("start", self.name)

    def stop(self) -> int:
        """Tells it to end, by SIGTERM; its exit code."""
        self._docker("stop", f"--time={STOP_TIMEOUT_S}", self.name)
        return int(self.state["ExitCode"])
