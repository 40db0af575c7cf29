"""The subject's venue replayed: the ordinary feed and fetcher, over real sockets, on a clock that leaps."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pluggy

from coinlake.feed import CaptureOutcome, Feed
from coinlake.fetch import Fetcher
from coinlake.lake import Lake
from coinlake.model import Capture, Dataset
from coinlake.plugins import GROUP, Specification
from coinlake.quota import Quota
from coinlake.schedule import Schedule, slot_at
from coinlake.settings import FetchSettings
from coinlake.source import Source
from coinlake.state import State
from coinlake.testing.contract.subject import Subject
from coinlake.testing.faults import Fault
from coinlake.testing.feed_bench import Listed, MemoryLake
from coinlake.testing.replay import ReplayServer
from coinlake.testing.stopped_clock import LeapingClock

PATIENT = FetchSettings(attempts=3)
IMPATIENT = FetchSettings(attempts=1, read_timeout_s=0.2)
"""One try, given up soon: for venues that are known to be silent."""


class CrashingLake(MemoryLake):
    """A lake whose program dies once so many captures are stored."""

    def __init__(self, captures: int) -> None:
        super().__init__()
        self._left = captures

    def append(self, capture: Capture) -> bool:
        if not self._left:
            raise ConnectionAbortedError("the program died here")
        self._left -= 1
        return super().append(capture)


@dataclass
class Venue:
    """One dataset's venue at the moment of its newest answer; a context manager."""

    subject: Subject
    dataset: str
    faults: Sequence[Fault] = ()
    make: Callable[[str, str], Source] | None = None
    """Makes the source below a root, for a dataset; the subject's ordinary one unless given."""
    lake: MemoryLake = field(default_factory=MemoryLake)

    def __enter__(self) -> Venue:
        recordings = self.subject.recordings
        moment = self.subject.moment(self.dataset)
        self.clock = LeapingClock(moment)
        self.slot = slot_at(moment, self.described.cadence)
        self.server = ReplayServer(recordings, self.subject.mimic(), self.clock, faults=self.faults)
        self.server.__enter__()
        self._folder = Path(tempfile.mkdtemp(dir=self.subject.folder))
        self.state = State(self._folder).__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.state.close()
        self.server.__exit__(None, None, None)
        shutil.rmtree(self._folder)

    @property
    def described(self) -> Dataset:
        """The dataset."""
        return self.subject.source(None, self.dataset).datasets[self.dataset]

    def captured(self, lake: MemoryLake | None = None, bounds: FetchSettings = PATIENT) -> CaptureOutcome:
        """The slot captured by a process that starts now: a fresh source, fetcher and feed."""
        return asyncio.run(self._captured(self.lake if lake is None else lake, bounds))

    async def _captured(self, lake: MemoryLake, bounds: FetchSettings) -> CaptureOutcome:
        source = (self.make or self.subject.source)(self.server.root, self.dataset)
        dataset = source.datasets[self.dataset]
        observers = pluggy.PluginManager(GROUP)
        observers.add_hookspecs(Specification)
        async with Fetcher(bounds, Quota(self.state), self.clock) as fetcher:
            feed = Feed(
                source,
                dataset,
                fetcher,
                cast(Lake, lake),
                self.state,
                self.clock,
                cast(Schedule, Listed([])),
                observers.hook,
                run_id="contract",
            )
            return await feed.capture(self.slot)


def kept(lake: MemoryLake) -> list[bytes]:
    """The answers that a lake holds, in no order of their own."""
    return sorted(lake.bodies)


def untroubled(subject: Subject, dataset: str) -> list[bytes]:
    """What a slot gives when nothing goes wrong."""
    if dataset not in subject.untroubled:
        with Venue(subject, dataset) as venue:
            venue.captured()
            subject.untroubled[dataset] = kept(venue.lake)
    return subject.untroubled[dataset]
