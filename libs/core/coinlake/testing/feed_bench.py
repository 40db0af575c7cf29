"""A feed with all that it is made of, for tests of what becomes of its slots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pluggy

from coinlake import plugins
from coinlake.feed import Feed
from coinlake.fetch import Fetcher
from coinlake.lake import Lake
from coinlake.model import Capture
from coinlake.quota import Quota
from coinlake.schedule import Polling, Schedule
from coinlake.settings import FetchSettings
from coinlake.state import FeedState, State
from coinlake.testing.plain_source import TICKS, PlainSource
from coinlake.testing.stopped_clock import LeapingClock, StoppedClock
from coinlake.testing.unruly import Misdeed, Unruly

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class MemoryLake:
    """A lake as far as a feed can see."""

    def __init__(self) -> None:
        self.captures: dict[UUID, Capture] = {}

    def append(self, capture: Capture) -> bool:
        new = capture.id not in self.captures
        self.captures[capture.id] = capture
        return new

    @property
    def bodies(self) -> list[bytes]:
        return [capture.body for capture in self.captures.values()]


@dataclass
class Listed:
    """A schedule of given slots, each due at once."""

    given: Sequence[datetime]

    async def slots(self) -> AsyncIterator[datetime]:
        for slot in self.given:
            yield slot


class Observer:
    """A plugin that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    @plugins.hookimpl
    def coinlake_capture_fetched(self, capture: Capture) -> None:
        self.told.append(("fetched", capture.id))

    @plugins.hookimpl
    def coinlake_capture_stored(self, capture: Capture, new: bool) -> None:
        self.told.append(("stored", capture.id, new))


@dataclass
class Bench:
    """All that a feed is made of."""

    state: State
    lake: MemoryLake = field(default_factory=MemoryLake)
    clock: StoppedClock = field(default_factory=lambda: LeapingClock(NOON))
    plugin: object | None = None

    @asynccontextmanager
    async def serve(
        self, *misdeeds: Misdeed, schedule: Schedule | None = None, attempts: int = 1, **given: Any
    ) -> AsyncIterator[tuple[Unruly, Feed]]:
        """A server and a feed that asks it; `given` is what its source is made of."""
        observe = plugins.load([]).observe
        if self.plugin is not None:
            manager = pluggy.PluginManager(plugins.GROUP)
            manager.add_hookspecs(plugins.Specification)
            manager.register(self.plugin)
            observe = manager.hook
        settings = FetchSettings(attempts=attempts, answer_timeout_s=20, body_limit_bytes=1_000_000)
        async with (
            Unruly(*misdeeds) as server,
            Fetcher(settings, Quota(self.state), self.clock) as fetcher,
        ):
            source, lake = PlainSource(server.url, **given), cast(Lake, self.lake)
            schedule = schedule or Polling(source, TICKS, self.state, self.clock)
            yield (
                server,
                Feed(source, TICKS, fetcher, lake, self.state, self.clock, schedule, observe, run_id="run-1"),
            )

    def health(self, source: str = "plain") -> FeedState:
        found = self.state.feed(source, "ticks")
        if found is None:
            raise LookupError(f"nothing is known of a feed of {source}")
        return found


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)
