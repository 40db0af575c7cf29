"""What every fault starts from and must end in: a few recorded days, replayed whole and exactly once."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from coinlake_coingecko.recordings import DAILY
from coinlake_lake.sqlite import SqliteLake
from command_line.program import Program

KILLER = "faults.killer"
"""The plugin that kills; a text, since it is only to be loaded into programs that it may end."""
DAYS = 6
ROWS_A_DAY = 100
DEADLINE_S = 60
LOOK_AGAIN_S = 0.02


class Scene:
    """The program in a home of its own, with `DAYS` recordings to replay."""

    def __init__(self, home: Path) -> None:
        self.program = Program(home)
        self.place = home / ".local/share/coinlake-demo"
        self.postmaster_file = self.place / "warehouse/pgdata/postmaster.pid"
        self.recordings = home / "recordings"
        self.recordings.mkdir(parents=True)
        for recording in sorted(DAILY.glob("*.json"))[:DAYS]:
            shutil.copy(recording, self.recordings)

    def arguments(self, *, once: bool = True, seconds: float = 1) -> list[str]:
        """Of a replay."""
        asked = ["--recordings", str(self.recordings), "--seconds", str(seconds), "--port", "0"]
        return ["--verbose", "demo", *asked, *["--once"] * once]

    def start(
        self, environment: dict[str, str] | None = None, *, once: bool = True, seconds: float = 1
    ) -> subprocess.Popen[str]:
        """Starts a replay; `environment` is added to the program's."""
        program = replace(self.program, environment=environment or {})
        return program.start(*self.arguments(once=once, seconds=seconds))

    def start_to_kill(self, whom: str, at: str) -> subprocess.Popen[str]:
        """Starts a replay in which `faults.killer` strikes."""
        killing = {"KILL_AT": at, "KILL_WHOM": whom, "KILL_SERVER_FILE": str(self.postmaster_file)}
        return self.start({"COINLAKE_PLUGINS": json.dumps([KILLER]), **killing})

    def finish(self) -> None:
        """Starts the replay again, and lets it come to its end."""
        done = self.program(*self.arguments())
        assert done.returncode == 0, done.stderr

    def end(self) -> None:
        """Leaves no server behind: a command that ends well stops the one that a killed program left."""
        if self.postmaster() is not None:
            self.program("--demo", "status")

    def postmaster(self) -> int | None:
        """The process of the embedded server, if it runs."""
        try:
            pid = int(self.postmaster_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if Path(f"/proc/{pid}/stat").exists() and not _is_zombie(pid) else None

    def prove_whole(self) -> None:
        """Every recording is in the lake once, every row in the warehouse once, and no server is left."""
        recorded = [hashlib.sha256(file.read_bytes()).hexdigest() for file in self.recordings.iterdir()]
        assert Counter(self.kept()) == Counter(recorded)
        report = self.verified()
        assert report["captures"] == DAYS
        assert report["tables"][0]["found"] == DAYS * ROWS_A_DAY
        assert self.postmaster() is None

    def kept(self) -> list[str]:
        """The digests of all captures in the lake."""
        with SqliteLake(self.place / "lake.db") as lake:
            return [held.capture.sha256 for held in lake.scan()]

    def verified(self) -> dict[str, Any]:
        """The report of `verify`, which must be clean and about all captures."""
        done = self.program("--demo", "--json", "verify")
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["clean"]
        assert report["pending"] == 0
        return report


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and the kernel's word that it was that which ended it."""
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def said_until(process: subprocess.Popen[str], *words: str) -> str:
    """What the program says on stderr up to the line that holds one of these words."""
    assert process.stderr is not None
    descriptor, said = process.stderr.fileno(), b""
    deadline = time.monotonic() + DEADLINE_S
    while not any(word.encode() in said for word in words):
        left_s = deadline - time.monotonic()
        assert left_s > 0, said.decode()
        if select.select([descriptor], [], [], left_s)[0]:
            chunk = os.read(descriptor, 65536)
            assert chunk, f"it ended without {words}: {said.decode()}"
            said += chunk
    return said.decode()


def wait_until_gone(pid: int) -> None:
    """Waits for a process that is not our child to end."""
    deadline = time.monotonic() + DEADLINE_S
    while Path(f"/proc/{pid}").exists() and not _is_zombie(pid):
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(LOOK_AGAIN_S)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return False
