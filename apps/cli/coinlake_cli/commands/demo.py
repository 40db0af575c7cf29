"""`coinlake demo`: recorded answers through the real pipeline, with no key and no network.

Servers on loopback answer as the venues do, from recordings; the ordinary fetcher asks them, on a clock
that runs fast while it waits. Everything behind that is what `coinlake run` uses.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from coinlake.errors import FixConfiguration
from coinlake.model import Dataset
from coinlake.schedule import Schedule
from coinlake.settings import Settings
from coinlake.source import Source
from coinlake.testing.clock import ReplayClock, ReplaySchedule, recorded_slots
from coinlake.testing.recordings import Recording
from coinlake_cli import folder as folders
from coinlake_cli.commands.status import describe
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.output import Output, Table, talk
from coinlake_cli.serving import Serving
from coinlake_cli.venues import Venue, recorded, replaying, shipped


def demo(
    settings: Settings,
    output: Output,
    *,
    folder: Path | None,
    recordings: Sequence[Path],
    once: bool,
    fresh: bool,
    seconds: float,
    port: int | None,
) -> None:
    """Replays recordings (the shipped 60 days unless others are named) until stopped, or `once`."""
    place = (folder or folders.of_demo()).expanduser().absolute()
    if fresh:
        _empty(place)
    venues = recorded(recordings) if recordings else shipped()
    moments = [moment for venue in venues for slots in venue.course.values() for moment in _moments(slots)]
    if not moments:
        raise FixConfiguration("None of the recordings says when it was made: see docs/recordings.md.")
    start = min(moments) - timedelta(minutes=1)
    clock = ReplayClock(start, speed=max((max(moments) - start).total_seconds() / seconds, 1))
    news = NewsOfCaptures()
    with (
        replaying(venues, clock) as sources,
        opened(
            _for_replay(settings, place, sources), kind="demo", alone=True, clock=clock, observers=[news]
        ) as deployment,
    ):
        replay = _Replay(deployment, clock, venues, once=once)
        banner = _banner(moments, venues)
        serving = Serving(
            deployment,
            news,
            port=port,
            banner=banner,
            schedules=replay.schedule,
            tidy=replay.progress.stop,
        )
        with replay.progress:
            asyncio.run(serving.until_stopped())
        if once:
            _report(deployment, output)


class _Replay:
    """The feeds' schedules in a demo: the recorded slots of all, with their progress told, then live ones."""

    def __init__(
        self, deployment: Deployment, clock: ReplayClock, venues: Sequence[Venue], *, once: bool
    ) -> None:
        self._deployment = deployment
        self._clock = clock
        self._courses = {
            (venue.source, dataset): recordings
            for venue in venues
            for dataset, recordings in venue.course.items()
        }
        self._once = once
        self._at: dict[tuple[str, str], datetime] = {}
        self._moved = asyncio.Condition()
        self._all_replayed = asyncio.Event()
        self._slots = 0
        self._began_s = time.monotonic()
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=talk
        )
        self._bar = self.progress.add_task("Replaying recordings", total=0)

    def schedule(self, source: Source, dataset: Dataset) -> Schedule:
        """The schedule of that feed."""
        recordings = self._courses.get((source.name, dataset.name), ())
        slots = recorded_slots(recordings, dataset.cadence)
        self._slots += len(slots)
        self.progress.update(self._bar, total=self._slots)
        feed = (source.name, dataset.name)
        self._at[feed] = slots[0][1] if slots else datetime.max.replace(tzinfo=UTC)
        return _Course(self, feed, slots, dataset.cadence)

    async def slots(
        self, feed: tuple[str, str], recorded: Sequence[tuple[datetime, datetime]], cadence: timedelta
    ) -> AsyncIterator[datetime]:
        """A feed's recorded slots in order; when all feeds' are loaded, says so; then, unless `once`, one
        every cadence."""
        for slot, moment in recorded:
            await self._reach(feed, moment)
            self.progress.update(self._bar, description=f"Replaying {slot:%Y-%m-%d %H:%M}")
            yield slot
            self.progress.advance(self._bar)
        if await self._leave(feed):
            await self._finish()
        await self._all_replayed.wait()
        if not self._once:
            async for slot in ReplaySchedule(self._clock, [], cadence).slots():
                yield slot

    async def _reach(self, feed: tuple[str, str], moment: datetime) -> None:
        """Returns at a moment, once no feed is at an earlier one: the clock would run away from its calls."""
        async with self._moved:
            self._at[feed] = moment
            self._moved.notify_all()
            await self._moved.wait_for(lambda: moment == min(self._at.values()))
        await self._clock.sleep_until(moment)

    async def _leave(self, feed: tuple[str, str]) -> bool:
        """Takes a feed out of the replay; True for the last one."""
        async with self._moved:
            del self._at[feed]
            self._moved.notify_all()
            return not self._at

    async def _finish(self) -> None:
        await self._deployment.pipeline.drain(asyncio.Event(), recover=self._deployment.revive)
        self.progress.stop()
        totals = self._deployment.reader.totals()
        talk.print(
            f"{self._slots} recorded slots in {time.monotonic() - self._began_s:.0f} s: {totals.quotes:,} "
            f"quotes of {totals.assets:,} assets and {totals.dead_letters:,} dead letters in "
            f"{self._deployment.settings.folder}",
            markup=False,
        )
        if not self._once:
            talk.print("The last answers are served again from now on, as a cache would.", markup=False)
        self._all_replayed.set()


@dataclass(frozen=True)
class _Course:
    """A feed's part of the replay."""

    replay: _Replay
    feed: tuple[str, str]
    recorded: Sequence[tuple[datetime, datetime]]
    cadence: timedelta

    def slots(self) -> AsyncIterator[datetime]:
        """As `_Replay.slots`."""
        return self.replay.slots(self.feed, self.recorded, self.cadence)


def _moments(recordings: Sequence[Recording]) -> list[datetime]:
    return [each.recorded_at for each in recordings if each.recorded_at]


def _for_replay(settings: Settings, place: Path, sources: dict[str, dict[str, Any]]) -> Settings:
    """The given settings, but for the folder and the venues."""
    return settings.model_copy(update={"folder": place, "sources": sources})


def _banner(moments: Sequence[datetime], venues: Sequence[Venue]) -> str:
    first, last = min(moments), max(moments)
    said = f"Demo: recorded answers of {first:%-d %B %Y} to {last:%-d %B %Y}, replayed"
    made_up = [venue.source for venue in venues if venue.is_made_up]
    return f"{said}. Those of {' and '.join(made_up)} are made up" if made_up else said


def _report(deployment: Deployment, output: Output) -> None:
    document = describe(deployment)
    output.show(
        document, Table("Demo", ("what", "value"), list(document["parts"].items()), frozenset({"value"}))
    )


def _empty(place: Path) -> None:
    """Removes a demo's folder; refuses any other."""
    if place.exists() and folders.mark_of(place) != "demo":
        raise FixConfiguration(f"{place} is not a demo's folder, so --fresh will not empty it.")
    with folders.only_runner(place) if place.exists() else nullcontext():
        shutil.rmtree(place, ignore_errors=True)
