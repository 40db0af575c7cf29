"""A deployment's feeds: one for each dataset of each configured source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from coinlake.feed import Feed
from coinlake.fetch import Fetcher
from coinlake.model import Capture, Dataset
from coinlake.plugins import hookimpl
from coinlake.quota import Quota
from coinlake.schedule import Polling, Schedule
from coinlake.source import Source
from coinlake.telemetry.logs import RUN_ID
from coinlake_cli.deployment import Deployment


class NewsOfCaptures:
    """An observer that wakes the pipeline when a capture is stored, so that loading need not wait a poll."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop that waits for `arrived`; captures are stored in other threads."""
        self._loop = loop

    @hookimpl
    def coinlake_capture_stored(self, capture: Capture, new: bool) -> None:
        """Wakes whoever waits."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.arrived.set)


@asynccontextmanager
async def fetching(deployment: Deployment) -> AsyncIterator[Fetcher]:
    """The process's fetcher, with the quota that all processes of the deployment share."""
    async with Fetcher(deployment.settings.fetch, Quota(deployment.state), deployment.clock) as fetcher:
        yield fetcher


Schedules = Callable[[Source, Dataset], Schedule | None]
"""A schedule of the caller's for a feed; None for the ordinary one."""


@dataclass(frozen=True)
class NamedFeed:
    """A feed, and what it is of."""

    source: Source
    dataset: Dataset
    feed: Feed


def feeds_of(
    deployment: Deployment, fetcher: Fetcher, schedules: Schedules = lambda source, dataset: None
) -> list[NamedFeed]:
    """All feeds of the deployment, with the id of this run of the program."""
    return [
        NamedFeed(source, dataset, _feed(deployment, fetcher, schedules, source, dataset))
        for source in deployment.sources.values()
        for dataset in source.datasets.values()
    ]


def _feed(
    deployment: Deployment,
    fetcher: Fetcher,
    schedules: Schedules,
    source: Source,
    dataset: Dataset,
) -> Feed:
    state, clock = deployment.state, deployment.clock
    schedule = schedules(source, dataset) or Polling(source, dataset, state, clock)
    observe = deployment.plugins.observe
    return Feed(source, dataset, fetcher, deployment.lake, state, clock, schedule, observe, RUN_ID)
