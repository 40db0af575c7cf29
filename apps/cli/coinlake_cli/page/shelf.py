"""What the open pages share: each question to the warehouse is asked once a batch, however many tabs ask.

Nothing in a warehouse changes but by a committed batch. So an answer is good until the id of the newest
batch changes, and that id is asked for at most twice a second, and only while somebody looks.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from coinlake_warehouse.reading import Reader

Answer = TypeVar("Answer")

_GOOD_FOR_S = 0.5
"""How long the newest batch's id is believed."""

_KEPT = 256
"""Answers kept at once; the one unused for longest goes first."""


class Shelf:
    """Answers of one `Reader`, which is asked in threads so that the pages stay responsive."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._batch: asyncio.Future[int] | None = None
        self._asked_at_s = 0.0
        self._edition = -1
        self._answers: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()

    async def edition(self) -> int:
        """The id of the newest batch: while it is the same, so is every answer. Errors as of `Reader`."""
        if self._batch is None or time.monotonic() - self._asked_at_s > _GOOD_FOR_S:
            self._asked_at_s = time.monotonic()
            self._batch = asyncio.ensure_future(asyncio.to_thread(self._reader.newest_batch))
        edition = await asyncio.shield(self._batch)
        if edition != self._edition:
            self._edition = edition
            self._answers.clear()
        return edition

    async def ask(self, question: Hashable, answer: Callable[[Reader], Answer]) -> Answer:
        """What `answer` says, or said to whoever asked the same `question` since the newest batch.

        Whoever asks while the first still waits gets the first's answer. Errors are not kept.
        """
        await self.edition()
        waiting = self._answers.get(question)
        if waiting is None:
            waiting = asyncio.ensure_future(asyncio.to_thread(answer, self._reader))
            self._answers[question] = waiting
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        self._answers.move_to_end(question)
        try:
            found: Answer = await asyncio.shield(waiting)
        except Exception:
            if self._answers.get(question) is waiting:
                del self._answers[question]
            raise
        return found
