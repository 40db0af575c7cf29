"""A server's process: started, waited for until it serves, stopped or killed, and never left behind.

Beside each server a guard waits at a pipe that only we hold. When we end in whatever way, the pipe closes,
and the guard kills the server. (The kernel's own way, PR_SET_PDEATHSIG, takes the end of the thread that
started the server for ours.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

START_TIMEOUT_S = 60
"""The longest a start may take; it is a few seconds on a machine that has nothing else to do."""
_STOP_TIMEOUT_S = 20
_LOOK_AGAIN_S = 0.05
_LAST_WORDS_LINES = 40

_GUARD = 'cat >/dev/null; read -r pid _ <"$0" && kill -s KILL -- "-$pid"'


class ServerFailed(Exception):
    """A server did not start, or did not get ready; the message ends with its last words."""


class Guard:
    """Kills the process group whose leader's id a file begins with, as soon as this process is gone."""

    def __init__(self, pid_file: Path) -> None:
        self._shell = subprocess.Popen(
            ["sh", "-c", _GUARD, str(pid_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Sends the guard away, once the server is down."""
        self._shell.kill()
        self._shell.communicate()


class Process:
    """One server's process; its log and its process id lie in the folder, under the server's name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def pid(self) -> int:
        """Of the server, which must have been started."""
        assert self._child is not None, f"{self.name} is not started"
        return self._child.pid

    @property
    def runs(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def is_started(self) -> bool:
        """Whether it was started and not ended by us; it may have ended by itself."""
        return self._child is not None

    def start(
        self, command: Sequence[str], ready: Callable[[], bool], environment: Mapping[str, str] | None = None
    ) -> None:
        """Starts the server and waits until `ready`; else it is killed, and `ServerFailed` shows its log."""
        self.launch(command, environment)
        try:
            self.wait_until(ready)
        except BaseException:
            self.kill()
            raise

    def launch(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts the server and does not wait for it."""
        assert self._child is None, f"{self.name} runs already"
        self._pid_file.unlink(missing_ok=True)
        self._guard = Guard(self._pid_file)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                env=environment,
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._child.pid}\n", encoding="ascii")

    def wait_until(self, answer: Callable[[], T | None]) -> T:
        """The first answer that is not empty; `ServerFailed` when the server ends first, or time is up."""
        assert self._child is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (answered := answer()):
            if self._child.poll() is not None:
                raise self._failed(f"ended with {self._child.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready within {START_TIMEOUT_S} s")
            time.sleep(_LOOK_AGAIN_S)
        return answered

    def stop(self) -> None:
        """Asks the server to end, and kills it if it takes too long; without one does nothing."""
        if self._child is not None:
            self.end(_STOP_TIMEOUT_S)

    def end(self, timeout_s: float) -> int:
        """Asks the server to end; its exit code, once it has, or that of the kill it needed."""
        assert self._child is not None, f"{self.name} is not started"
        self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout_s)
        child = self._child
        self.kill()
        return int(child.returncode)

    def kill(self) -> None:
        """Ends the server there and then, as a power cut would; without one does nothing."""
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def last_words(self) -> str:
        """The end of the server's log."""
        return last_lines(self.log)

    def _failed(self, how: str) -> ServerFailed:
        return ServerFailed(f"{self.name} {how}. The end of {self.log}:\n{self.last_words()}")


def last_lines(log: Path) -> str:
    """The end of a log; nothing where there is none."""
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(said.splitlines()[-_LAST_WORDS_LINES:])
