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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from itertools import islice
from typing import Literal, NamedTuple

import pluggy
import structlog
from opentelemetry.trace import Span, use_span

from coinlake.clock import Clock
from coinlake.errors import CoinlakeError, Refused, TryAgain
from coinlake.lake import Lake
from coinlake.model import Held, capture_batch
from coinlake.refining import Refinery, reject_whole
from coinlake.settings import RefineSettings
from coinlake.telemetry import batches, metrics, tracing
from coinlake.warehouse import Batch, Loaded, Warehouse

IDLE_POLL_S = 2.0
"""How often the lake is looked at for captures of other processes."""
_PAUSES_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses between tries while the warehouse is away; the last one repeats."""

_ENGINE: Literal["embedded"] = "embedded"

log = structlog.get_logger("coinlake.pipeline")


class Refined(NamedTuple):
    """A batch that is to be loaded, its span, which ends then, and when it began (`time.time_ns`)."""

    batch: Batch
    span: Span
    since_ns: int


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
            self._ahead = self._refining.submit(
                copy_context().run, self._refine_tail, refined.batch.captures[-1].position
            )
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
                metrics.LOAD_INTERRUPTIONS.add(engine=_ENGINE, error=metrics.kind_of(error))
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
        since_ns = time.time_ns()
        batch = tracing.tracer.start_span(
            "batch",
            links=tracing.links_to(_traceparents(held)),
            attributes={"coinlake.captures": len(held), "coinlake.first_position": held[0].position},
        )
        with use_span(batch):
            started_at = self._clock.now()
            captures = capture_batch(one.capture for one in held)
            with tracing.span("refine"):
                began_s = time.perf_counter()
                decoded = self._refinery.refine(captures)
                metrics.REFINE_DURATION.record(time.perf_counter() - began_s, engine=_ENGINE)
            made = Batch(kind, self._lake.id, after, held, decoded, started_at, tracing.traceparent())
            return Refined(made, batch, since_ns)

    def _load(self, refined: Refined) -> list[Loaded]:
        batch, held = refined.batch, refined.batch.captures
        with use_span(refined.span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            self._observe.coinlake_batch_refined(decoded=batch.decoded)
            try:
                return [self._commit(refined)]
            except Refused as error:
                if len(held) == 1:
                    return [self._quarantine(refined, error)]
        middle = len(held) // 2
        first = self._load(self._refine(batch.kind, batch.after, held[:middle]))
        return first + self._load(self._refine(batch.kind, held[middle - 1].position, held[middle:]))

    def _quarantine(self, refined: Refined, error: Refused) -> Loaded:
        """Loads a capture that the warehouse refuses as a whole dead letter."""
        (held,) = refined.batch.captures
        log.error("pipeline.capture_quarantined", capture_id=str(held.capture.id), reason=str(error))
        metrics.QUARANTINED.add(source=held.capture.source)
        refused = reject_whole(capture_batch([held.capture]), "load", f"load_refused: {error}")
        return self._commit(refined._replace(batch=replace(refined.batch, decoded=refused)))

    def _commit(self, refined: Refined) -> Loaded:
        batch = refined.batch
        try:
            loaded = self._warehouse.load(batch, staged=lambda: self._observe.coinlake_batch_staged())
        except CoinlakeError as error:
            batches.ended(_ENGINE, batch.kind, since_ns=refined.since_ns, error=error)
            tracing.failed(refined.span, error)
            raise
        last = batch.captures[-1].position
        self._observe.coinlake_batch_committed(position=last)
        batches.committed(
            _ENGINE,
            batch.kind,
            loaded,
            since_ns=refined.since_ns,
            now=self._clock.now(),
            batch=refined.span,
            traceparents=_traceparents(batch.captures),
        )
        log.info(
            "pipeline.batch_committed",
            kind=batch.kind,
            captures=len(batch.captures),
            quotes_new=loaded.quotes_new,
            rejects=loaded.rejects,
            position=last,
        )
        return loaded


def _traceparents(held: Iterable[Held]) -> Iterator[str]:
    return (one.capture.traceparent for one in held)


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    """Returns when one of the events is set, or the time has passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
