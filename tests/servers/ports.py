"""Ports that stay ours while their server is down, so that it can come back on the same one.

They lie below those that the kernel gives to clients (from 32768 on Linux, from 49152 on macOS): there, a
client that calls a server which is down would sooner or later get the server's own port, and talk to itself.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
from collections.abc import Iterable
from pathlib import Path

HOST = "127.0.0.1"

_PORTS = range(15_000, 32_000)
_TRIES = 200
_LOCKS = Path("~/.cache/coinlake/servers/ports").expanduser()


class Port:
    """A free port on loopback, which no other `Port` of this user has until `release` or this process ends.

    The file keeps its number for the next one who asks with that file.
    """

    def __init__(self, file: Path) -> None:
        _LOCKS.mkdir(parents=True, exist_ok=True)
        kept = [int(file.read_text(encoding="ascii"))] if file.exists() else []
        self.number, self._lock = _take([*kept, *random.sample(_PORTS, _TRIES)])
        file.write_text(f"{self.number}\n", encoding="ascii")

    def release(self) -> None:
        """Gives the port back; once more does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def _take(numbers: Iterable[int]) -> tuple[int, int]:
    for number in numbers:
        lock = os.open(_LOCKS / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_free(number):
                return number, lock
        except BlockingIOError:
            pass
        os.close(lock)
    raise RuntimeError(f"{_TRIES} ports of {HOST} between {_PORTS[0]} and {_PORTS[-1]} are all taken.")


def _is_free(number: int) -> bool:
    with socket.socket() as tried:
        # As servers do: connections that ended a minute ago still have the port's number.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, number))
        except OSError:
            return False
        return True
