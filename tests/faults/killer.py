"""A plugin that kills the program it is loaded into, or its server, at a chosen call of a chosen hook.

`KILL_AT=coinlake_batch_staged:3` means the third call of that hook; `KILL_WHOM` is "program", "server" or
"both". The kernel ends them there and then, as a power cut or an out-of-memory killer would: nothing is
flushed, closed or unlocked.
"""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

from coinlake.model import Capture, Decoded
from coinlake.plugins import hookimpl

_hook, _, _call = os.environ["KILL_AT"].partition(":")
_whom = os.environ["KILL_WHOM"]
_server_file = Path(os.environ["KILL_SERVER_FILE"])
_calls = itertools.count(1)


def _reached(hook: str) -> None:
    if hook != _hook or next(_calls) != int(_call):
        return
    if _whom != "program":
        os.kill(int(_server_file.read_text().split()[0]), signal.SIGKILL)
    if _whom != "server":
        os.kill(os.getpid(), signal.SIGKILL)


@hookimpl
def coinlake_capture_fetched(capture: Capture) -> None:
    """Before an answer is stored."""
    _reached("coinlake_capture_fetched")


@hookimpl
def coinlake_capture_stored(capture: Capture, new: bool) -> None:
    """Behind the lake's commit."""
    _reached("coinlake_capture_stored")


@hookimpl
def coinlake_batch_refined(decoded: Decoded) -> None:
    """Before the warehouse hears of a batch."""
    _reached("coinlake_batch_refined")


@hookimpl
def coinlake_batch_staged() -> None:
    """Before the warehouse's commit."""
    _reached("coinlake_batch_staged")


@hookimpl
def coinlake_batch_committed(position: int) -> None:
    """Behind the warehouse's commit."""
    _reached("coinlake_batch_committed")
