"""Feeds of several venues in one program, on a clock that waits fast, as `coinlake run` wires them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coinlake import plugins
from coinlake.clock import Clock
from coinlake.feed import Feed
from coinlake.fetch import Fetcher
from coinlake.model import Capture, Dataset
from coinlake.quota import Quota
from coinlake.schedule import Polling
from coinlake.settings import FetchSettings
from coinlake.state import State
from coinlake.testing.clock import ReplayClock
from coinlake.testing.plain_source import PlainSource
from coinlake_lake.sqlite import SqliteLake

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPEED = 30
"""A minute of the clock's takes two seconds."""
PATIENCE_S = 6
"""Real seconds that an answer may take: three minutes of the clock's."""


def each_minute(count: int = 1) -> dict[str, Dataset]:
    """So many datasets, each with a slot a minute."""
    return {f"ticks{number}": Dataset(f"ticks{number}", cadence=MINUTE) for number in range(count)}


@dataclass
class Program:
    """What the feeds of one process share."""

    state: State
    lake: SqliteLake
    clock: Clock
    fetcher: Fetcher

    @asynccontextmanager
    async def polling(self, sources: Sequence[PlainSource]) -> AsyncIterator[None]:
        """Every feed of every source runs meanwhile."""
        observe, stop = plugins.load([]).observe, asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for source in sources:
                for dataset in source.datasets.values():
                    schedule = Polling(source, dataset, self.state, self.clock)
                    feed = Feed(
                        source,
                        dataset,
                        self.fetcher,
                        self.lake,
                        self.state,
                        self.clock,
                        schedule,
                        observe,
                        "run",
                    )
                    group.create_task(feed.run(stop))
            try:
                yield
            finally:
                stop.set()

    def captured(self, source: str) -> list[Capture]:
        """What the lake holds of a source, oldest first."""
        return [held.capture for held in self.lake.scan(source=source)]

    async def until_captured(self, source: str, slots: int) -> None:
        """Returns once the lake holds so many slots of a source; an error if that takes a minute."""
        await until(lambda: len(self.captured(source)) >= slots)

    def kept_time(self, source: str, slots: int) -> None:
        """Asserts that every slot of a source from noon on was captured within it, and none given up."""
        captures = self.captured(source)
        assert [capture.slot for capture in captures[:slots]] == [NOON + n * MINUTE for n in range(slots)]
        for capture in captures:
            assert timedelta() <= capture.requested_at - capture.slot < MINUTE
        (fares,) = (feed for feed in self.state.feeds() if feed.source == source)
        assert (fares.slots_missed, fares.failures) == (0, 0)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Program]:
    """A program that starts at noon in a new folder."""
    settings = FetchSettings(
        connect_timeout_s=PATIENCE_S, read_timeout_s=PATIENCE_S, answer_timeout_s=PATIENCE_S
    )
    clock = ReplayClock(NOON, SPEED)
    with State(folder) as state, SqliteLake(folder / "lake.db") as lake:
        async with Fetcher(settings, Quota(state), clock) as fetcher:
            yield Program(state, lake, clock, fetcher)


async def until(condition: Callable[[], object]) -> None:
    """Returns once a condition holds; an error if that takes a minute."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)
