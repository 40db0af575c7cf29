"""The named commit points of producer and Spark program, and how something is killed exactly there.

Programs run with `chaos.struck` reach their points and look for an order: a file of the point's name, which
holds the process to kill, 0 for whoever reaches it. An order is carried out once. The programs' own code
knows nothing of it: what is called at a commit point is wrapped.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

PRODUCER = ("captures_read", "message_sent", "message_acknowledged", "mark_moved")
"""Behind the lake read; behind produce, before its acknowledgement; behind that, before the mark moves; and
behind that."""
SPARK = ("batch_begun", "rows_staged", "batch_staged", "batch_closing", "next_staged", "batch_committed")
"""Before the tasks, so behind Spark's checkpoint of the batch before; in a worker, behind its COPY; behind
all of them; all written, before the closing transaction commits; there, too, and all of the next batch
staged, so behind Spark's checkpoint of the one that is not committed; behind the commit."""
ORDERS = "CHAOS_ORDERS"
"""Environment variable: the folder of orders."""

_LOOK_AGAIN_S = 0.01
_kills = threading.Lock()
"""Held from taking an order until it is carried out, so that nothing held at a point goes on in between."""
_stream_ends = threading.Event()
"""Set while the Spark program ends a stream, of which no further batch comes to any point."""

Call = Callable[..., Any]


class Orders:
    """Orders to kill, from the test to whatever reaches the point first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def give(self, point: str, whom: int = 0) -> None:
        """Whoever reaches the point first kills that process, or itself."""
        draft = self.folder / f"{point}.draft"
        draft.write_text(str(whom), encoding="ascii")
        draft.rename(self.folder / point)

    def stands(self, point: str) -> bool:
        """Whether the order was not carried out yet."""
        return (self.folder / point).exists()

    def withdraw(self, point: str) -> bool:
        """Takes an order back; False where it was carried out before."""
        try:
            (self.folder / point).unlink()
        except FileNotFoundError:
            return False
        return True


def reached(point: str) -> None:
    """Carries out the order for this point, if there is one."""
    folder = Path(os.environ[ORDERS])
    with _kills:
        try:
            (folder / point).rename(taken := folder / f"{point}.{os.getpid()}")
        except FileNotFoundError:
            return
        os.kill(int(taken.read_text(encoding="ascii")) or os.getpid(), signal.SIGKILL)


def held(point: str) -> None:
    """Waits while an order for the point stands: whoever reaches it then, does so meanwhile. Where the stream
    ends, nobody will."""
    while not _stream_ends.is_set():
        with _kills:
            if not (Path(os.environ[ORDERS]) / point).exists():
                return
        time.sleep(_LOOK_AGAIN_S)


def in_producer() -> None:
    """Wraps what the producer calls at its commit points."""
    from coinlake_bus.writer import BusWriter
    from coinlake_lake.mongo import MongoLake
    from coinlake_lake.mongo_positions import MongoPositions

    _around(MongoLake, "tail", behind="captures_read", only_if=bool)
    _around(BusWriter, "send", behind="message_sent")
    _around(MongoPositions, "move", before="message_acknowledged", behind="mark_moved")


def in_spark() -> None:
    """Wraps what Spark's driver and workers call at their commit points."""
    from coinlake_spark import loading
    from coinlake_spark.behind import Behind
    from coinlake_warehouse.attempts import Stager
    from coinlake_warehouse.closing import BusLoader

    _around(Stager, "stage", behind="rows_staged")
    _around(loading, "staged", before="batch_begun")
    _around(Behind, "do", before="next_staged", when=lambda behind: behind.is_busy)
    loading._wait_for = _ending(loading._wait_for)
    _around(
        BusLoader,
        "load",
        before="batch_staged",
        behind="batch_committed",
        staged=_closing,  # a call-back that it has
    )


def _closing() -> None:
    reached("batch_closing")
    held("next_staged")


def _ending(wait: Call) -> Call:
    @wraps(wait)
    def waits(*given: Any) -> Any:
        _stream_ends.set()
        try:
            return wait(*given)
        finally:
            _stream_ends.clear()

    return waits


def _around(
    owner: object,
    name: str,
    *,
    before: str = "",
    when: Callable[[Any], bool] = lambda _: True,
    behind: str = "",
    only_if: Callable[[Any], bool] = lambda _: True,
    **added: Any,
) -> None:
    """Wraps a method: points are reached before its call, where what it is called on is so, and behind it,
    where what it answers is so. It gets the added arguments too."""
    call: Call = getattr(owner, name)

    @wraps(call)
    def wrapped(*given: Any, **named: Any) -> Any:
        if before and when(given[0]):
            reached(before)
        answer = call(*given, **named, **added)
        if behind and only_if(answer):
            reached(behind)
        return answer

    setattr(owner, name, wrapped)
