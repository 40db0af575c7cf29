"""A feed: one dataset of one source, slot after slot, from the venue into the lake."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import pluggy
import structlog

from coinlake.bookkeeping import written_down
from coinlake.clock import Clock
from coinlake.errors import CoinlakeError, Refused, TryAgain, WaitUntil
from coinlake.fetch import Answer, Fetcher, redacted
from coinlake.lake import Lake
from coinlake.model import Capture, Dataset, Request
from coinlake.schedule import Schedule
from coinlake.source import Source
from coinlake.state import State
from coinlake.telemetry import metrics
from coinlake.telemetry.tracing import span, traceparent

_log = structlog.get_logger("coinlake.feed")

MOST_PAGES = 1000
"""Calls of one slot; a venue that always has a next page is not followed for ever."""

_CHOSEN_HEADERS = (
    "age",
    "cache-control",
    "cf-cache-status",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "retry-after",
    "retry-after-ms",
)
_CHOSEN_PREFIXES = ("ratelimit", "x-ratelimit", "x-mbx-used-weight")
_SYNTHETIC_HEADER = "x-coinlake-synthetic"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """What became of a slot. Pages stored before an error stay stored."""

    slot: datetime
    stored: int = 0
    """Captures of this slot that are durable in the lake."""
    new: int = 0
    """Those of them that the lake did not have already."""
    error: Exception | None = None
    """Why the slot was given up; None where it is whole."""


class Feed:
    """Fetches a dataset's slots into the lake; whatever fails costs one slot and is told in the state.

    `observe` is `Plugins.observe`; `run_id` stands on each capture. One feed never waits for another,
    except for the quota of a source they share.
    """

    def __init__(
        self,
        source: Source,
        dataset: Dataset,
        fetcher: Fetcher,
        lake: Lake,
        state: State,
        clock: Clock,
        schedule: Schedule,
        observe: pluggy.HookRelay,
        run_id: str,
    ) -> None:
        self._source = source
        self._dataset = dataset
        self._fetcher = fetcher
        self._lake = lake
        self._state = state
        self._clock = clock
        self._schedule = schedule
        self._observe = observe
        self._run_id = run_id
        self._named = {"source": source.name, "dataset": dataset.name}
        self._log = _log.bind(**self._named)

    async def run(self, stop: asyncio.Event) -> None:
        """Captures slot after slot until `stop` is set or the schedule ends.

        On `stop` a call in flight is dropped at once; a capture that is being stored is stored first.
        """
        running = asyncio.create_task(self._run())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            running.cancel()
            await asyncio.wait({running})
        if not running.cancelled():
            running.result()

    async def _run(self) -> None:
        async for slot in self._schedule.slots():
            await self.capture(slot)

    async def capture(self, slot: datetime) -> CaptureOutcome:
        """Captures one slot now, all its pages; never raises for what went wrong with it.

        Calls go on for one cadence at most: after that the next slot is worth more.
        """
        now, cadence_s = self._clock.now(), self._dataset.cadence.total_seconds()
        give_up_at = max(now, slot) + self._dataset.cadence
        await self._remember(self._state.attempted, cadence_s=cadence_s, at=now)
        stored = new = 0
        error: Exception | None = None
        try:
            with span("capture", self._of(slot)):
                pages = _Pages(self._source.plan(self._dataset.name, slot))
                while request := pages.next():
                    capture = await self._fetch(slot, request, give_up_at)
                    new += await _finished(self._store(capture))
                    stored += 1
                    pages.add(self._source.follow(capture))
        except Exception as caught:  # also a defect of a plugin costs this slot only
            error = caught
        outcome = CaptureOutcome(slot, stored, new, error)
        await self._tell(outcome)
        return outcome

    async def _fetch(self, slot: datetime, request: Request, give_up_at: datetime) -> Capture:
        with span("fetch", self._of(slot)):
            answer = await self._fetcher.fetch(self._source, request, give_up_at=give_up_at)
            capture = self._captured(slot, request, answer)
        self._call(self._observe.coinlake_capture_fetched, capture=capture)
        return capture

    def _captured(self, slot: datetime, request: Request, answer: Answer) -> Capture:
        response = answer.response
        return Capture(
            source=self._source.name,
            dataset=self._dataset.name,
            slot=slot,
            page=request.page,
            url=answer.url,
            params=request.params,
            status=response.status,
            headers=_chosen(response.headers, self._source),
            body=response.body,
            requested_at=answer.requested_at,
            received_at=response.received_at,
            run_id=self._run_id,
            plugin_version=self._source.version,
            traceparent=traceparent(),
            synthetic=response.headers.get(_SYNTHETIC_HEADER) == "1",
        )

    async def _store(self, capture: Capture) -> bool:
        with span("store", {"coinlake.capture_id": str(capture.id)}):
            new = await written_down(self._lake.append, capture)
        metrics.CAPTURES_STORED.add(**self._named, new="yes" if new else "no")
        if new:
            metrics.BYTES_STORED.add(len(capture.body), **self._named)
        self._log.info("feed.stored", capture_id=str(capture.id), size=len(capture.body), new=new)
        self._call(self._observe.coinlake_capture_stored, capture=capture, new=new)
        return new

    def _of(self, slot: datetime) -> dict[str, str]:
        """What a span is about."""
        named = {f"coinlake.{name}": value for name, value in self._named.items()}
        return {**named, "coinlake.slot": slot.isoformat(), "coinlake.run_id": self._run_id}

    async def _tell(self, outcome: CaptureOutcome) -> None:
        told = {"slot": outcome.slot.isoformat(), "stored": outcome.stored, "new": outcome.new}
        metrics.SLOTS.add(**self._named, error=metrics.kind_of(outcome.error))
        if outcome.error is None:
            self._log.info("feed.captured", **told)
            await self._remember(self._state.succeeded, slot=outcome.slot, at=self._clock.now())
            return
        reason = str(outcome.error)
        if not isinstance(outcome.error, CoinlakeError):
            reason = redacted(self._source, f"{type(outcome.error).__name__}: {reason}")
            told["where"] = "".join(traceback.format_tb(outcome.error.__traceback__))
        # What passes, or is waited for, needs nobody yet.
        is_passing = isinstance(outcome.error, TryAgain | WaitUntil)
        self._log.log(
            logging.WARNING if is_passing else logging.ERROR, "feed.slot_failed", **told, reason=reason
        )
        await self._remember(self._state.failed, slot=outcome.slot, error=reason)

    async def _remember(self, change: Callable[..., None], **values: Any) -> None:
        """Records in the state; one that cannot be written costs its news, not the feed."""
        try:
            await written_down(change, self._source.name, self._dataset.name, **values)
        except TryAgain as error:
            self._log.warning("state.unwritable", reason=str(error))

    def _call(self, hook: Callable[..., object], **values: Any) -> None:
        """Calls an observing hook; what an observer does wrong costs no capture."""
        try:
            hook(**values)
        except Exception as error:
            said = redacted(self._source, f"{type(error).__name__}: {error}")
            self._log.error("observer.failed", reason=said)


class _Pages:
    """The requests of one slot, in order; nothing is asked twice, whatever page it is called."""

    def __init__(self, first: Iterable[Request]) -> None:
        self._waiting: deque[Request] = deque()
        self._seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self.add(first)

    def add(self, requests: Iterable[Request]) -> None:
        for request in requests:
            asked = (request.path, request.params)
            if asked in self._seen:
                raise Refused(f"Page {request.page} of {request.path} leads back to itself.")
            if len(self._seen) == MOST_PAGES:
                raise Refused(f"{request.path} has more than {MOST_PAGES} pages in one slot.")
            self._seen.add(asked)
            self._waiting.append(request)

    def next(self) -> Request | None:
        return self._waiting.popleft() if self._waiting else None


def _chosen(headers: Mapping[str, str], source: Source) -> dict[str, str]:
    names = {*_CHOSEN_HEADERS, source.limits.used_weight_header}
    return {
        name: redacted(source, text)
        for name, text in headers.items()
        if name in names or name.startswith(_CHOSEN_PREFIXES)
    }


async def _finished(work: Awaitable[Result]) -> Result:
    """Awaits work that must not be left half done: a cancellation waits for its end, then goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
