"""Parts of the pipeline as processes: what a fault does to them, and who is below whom."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from coinlake_spark.main import AWAY, DONE
from distributed.site import DEADLINE_S
from servers.process import Process

_ENDED = {AWAY, -signal.SIGKILL}
"""How a program may end by itself: a server that it needs is away, or a fault has killed it."""
_STOPPED = {DONE, -signal.SIGTERM, *_ENDED}
"""How it may end that is told to stop, at once after its start too."""


class Part(Protocol):
    """A server or a program."""

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""

    @property
    def pid(self) -> int:
        """Of its first process."""

    def start(self) -> None:
        """Starts it, which must be down."""

    def stop(self) -> None:
        """Stops it in its own good way."""

    def kill(self) -> None:
        """Ends it there and then."""


class Program:
    """A program of ours: it is started and not waited for."""

    def __init__(
        self, folder: Path, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._process = Process(folder, name)
        self._command = command
        self._environment = environment

    @property
    def runs(self) -> bool:
        return self._process.runs

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        self._process.launch(self._command, self._environment)

    def stop(self) -> None:
        self._assert_in(_STOPPED, self.end())

    def end(self) -> int:
        """Tells it to stop; its exit code."""
        return self._process.end(DEADLINE_S)

    def kill(self) -> None:
        self._process.kill()

    def revive(self) -> None:
        """Starts it again if it has ended, as its supervisor would. It must not need a person."""
        if self._process.runs:
            return
        if self._process.is_started:  # and has ended by itself
            self._assert_in(_ENDED, self._process.end(0))
        self.start()

    def last_words(self) -> str:
        """The end of its log."""
        return self._process.last_words()

    def _assert_in(self, expected: set[int], code: int) -> None:
        assert code in expected, f"{self._process.name} ended with {code}:\n{self.last_words()}"


def children(process: int) -> list[int]:
    """The processes that it has started, and that it has not outlived."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:  # it, or a thread of it, has ended meanwhile
        return []


def is_daemon(process: int) -> bool:
    """Whether it is the process whose children are Spark's Python workers."""
    try:
        return b"pyspark.daemon" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False


def family(process: int) -> list[int]:
    """A process and all below it."""
    return [process, *(one for child in children(process) for one in family(child))]


def send(number: signal.Signals, processes: Sequence[int]) -> None:
    """Sends a signal to those that are still there."""
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue
