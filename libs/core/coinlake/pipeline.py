"""The embedded engine: the lake's tail, refined and loaded, batch after batch.

Order of commits, which is what makes a crash anywhere harmless:
  1. a capture is durable in the lake before anything looks at it;
  2. a batch's rows, dead letters and position are committed to the warehouse in one transaction;
  3. nothing else remembers how far loading got: the next batch starts behind the committed position.
A crash before 2 repeats the batch, and loading is idempotent.

While the warehouse loads one batch of a long tail, the next is read and refined.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from typing import Literal, NamedTuple

import pluggy
import structlog
from opentelemetry.trace import Span, use_span

from coinlake.clock import Clock
from coinlake.errors import Refused, TryAgain
from coinlake.lake import Lake
from coinlake.model import Held, capture_batch
from coinlake.refining import Refinery, reject_whole
from coinlake.settings import RefineSettings
from coinlake.telemetry import traceparent, tracer
from coinlake.warehouse import Batch, Loaded, Warehouse

IDLE_POLL_S = 2.0
"""How often the lake is looked at for captures of other processes."""
_PAUSES_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses between tries while the warehouse is away; the last one repeats."""

log = structlog.get_logger("coinlake.pipeline")


class Refined(NamedTuple):
    """A batch that is to be loaded, and its span, which ends then."""

    batch: Batch
    span: Span


class Pipeline:
    """Moves captures from a lake into a warehouse."""

    def __init__(
        self,
        lake: Lake,
        warehouse: Warehouse,
        refinery: Refinery,
        settings: RefineSettings,
        *,
        clock: Clock,
        observe: pluggy.HookRelay,
    ) -> None:
        self._lake = lake
        self._warehouse = warehouse
        self._refinery = refinery
        self._settings = settings
        self._clock = clock
        self._observe = observe
        # Tail and replays may be loaded from different threads, and the warehouse takes one batch at a time.
        self._loading = threading.Lock()
        self._refining = ThreadPoolExecutor(1, "refine")
        self._ahead: Future[Refined | None] | None = None

    def step(self) -> list[Loaded]:
        """Refines and loads the next batch of the tail; empty when all captures are loaded.

        A batch has one `Loaded`, or several where it had to be split to single out a capture that the
        warehouse refuses. Raises `TryAgain` while the warehouse is away.
        """
        with self._loading:
            position = self._warehouse.position(self._lake.id)
            refined = self._refined_ahead(position) or self._refine_tail(position)
            if refined is None:
                return []
            self._ahead = self._refining.submit(self._refine_tail, refined.batch.captures[-1].position)
            try:
                return self._load(refined)
            finally:
                wait([self._ahead])  # nothing goes on behind the caller's back

    def catch_up(self) -> None:
        """Loads all that is in the lake. Raises as `step` does."""
        while self.step():
            pass

    def replay(self, captures: Iterable[Held]) -> Iterator[Loaded]:
        """Refines and loads captures again, as the plugins read them now. The position stays."""
        waiting = iter(captures)
        while held := list(islice(waiting, self._settings.batch_captures)):
            with self._loading:
                loaded = self._load(self._refine("replay", held[0].position - 1, held))
            yield from loaded

    async def run(
        self, stop: asyncio.Event, news: asyncio.Event, *, recover: Callable[[], None] = lambda: None
    ) -> None:
        """Loads until `stop`; `news` says that captures were stored. A batch begun is finished first."""
        while not stop.is_set():
            news.clear()
            await self.drain(stop, recover=recover)
            await _first_of(stop, news, timeout_s=IDLE_POLL_S)

    async def drain(self, stop: asyncio.Event, *, recover: Callable[[], None] = lambda: None) -> None:
        """Loads all that is in the lake, or until `stop`.

        While the warehouse is away it is tried again, after `recover` had a chance to bring it back.
        """
        failures = 0
        while not stop.is_set():
            try:
                if failures:
                    await asyncio.to_thread(recover)
                loaded = await asyncio.to_thread(self.step)
            except TryAgain as error:
                pause_s = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                failures += 1
                log.warning("pipeline.warehouse_away", reason=str(error), again_in_s=pause_s)
                await _first_of(stop, timeout_s=pause_s)
                continue
            if failures:
                log.info("pipeline.warehouse_back", failures=failures)
            failures = 0
            if not loaded:
                return

    def _refined_ahead(self, position: int) -> Refined | None:
        """What was refined while the last batch was loaded, if it is what comes next."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.exception():
            return None
        refined = ahead.result()
        return refined if refined and refined.batch.after == position else None

    def _refine_tail(self, position: int) -> Refined | None:
        """The next batch behind a position; None when there is no capture."""
        held = self._lake.tail(
            position, captures=self._settings.batch_captures, body_bytes=self._settings.batch_body_bytes
        )
        return self._refine("tail", position, held) if held else None

    def _refine(self, kind: Literal["tail", "replay"], after: int, held: Sequence[Held]) -> Refined:
        span = tracer.start_span("batch")
        with use_span(span):
            started_at = self._clock.now()
            captures = capture_batch(one.capture for one in held)
            with tracer.start_as_current_span("refine"):
                decoded = self._refinery.refine(captures)
            return Refined(Batch(kind, self._lake.id, after, held, decoded, started_at, traceparent()), span)

    def _load(self, refined: Refined) -> list[Loaded]:
        batch, held = refined.batch, refined.batch.captures
        with use_span(refined.span, end_on_exit=True):
            self._observe.coinlake_batch_refined(decoded=batch.decoded)
            try:
                return [self._commit(batch)]
            except Refused as error:
                if len(held) == 1:
                    capture = held[0].capture
                    log.error("pipeline.capture_quarantined", capture_id=str(capture.id), reason=str(error))
                    refused = reject_whole(capture_batch([capture]), "load", f"load_refused: {error}")
                    return [self._commit(replace(batch, decoded=refused))]
        middle = len(held) // 2
        first = self._load(self._refine(batch.kind, batch.after, held[:middle]))
        return first + self._load(self._refine(batch.kind, held[middle - 1].position, held[middle:]))

    def _commit(self, batch: Batch) -> Loaded:
        with tracer.start_as_current_span("load"):
            loaded = self._warehouse.load(batch, staged=lambda: self._observe.coinlake_batch_staged())
        last = batch.captures[-1].position
        self._observe.coinlake_batch_committed(position=last)
        log.info(
            "pipeline.batch_committed",
            kind=batch.kind,
            captures=len(batch.captures),
            quotes_new=loaded.quotes_new,
            rejects=loaded.rejects,
            position=last,
            traceparent=batch.traceparent,
        )
        return loaded


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    """Returns when one of the events is set, or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
