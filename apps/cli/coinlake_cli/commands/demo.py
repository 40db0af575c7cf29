"""`coinlake demo`: recorded answers through the real pipeline, with no key and no network.

A server on loopback answers as CoinGecko does, from recordings; the ordinary fetcher asks it, on a clock
that runs fast while it waits. Everything behind that is what `coinlake run` uses.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from coinlake.errors import FixConfiguration
from coinlake.model import Dataset
from coinlake.schedule import Schedule
from coinlake.settings import Settings
from coinlake.source import Source
from coinlake.testing.clock import ReplayClock, ReplaySchedule, recorded_slots
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake_cli import folder as folders
from coinlake_cli.commands.status import describe
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.output import Output, Table, talk
from coinlake_cli.serving import Serving
from coinlake_coingecko.mimic import CoinGeckoMimic, market_pages
from coinlake_coingecko.recordings import DAILY


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
    answers = load(recordings or [DAILY])
    moments = [answer.recorded_at for answer in answers if answer.recorded_at]
    if not moments:
        raise FixConfiguration("None of the recordings says when it was made: see docs/recordings.md.")
    start = min(moments) - timedelta(minutes=1)
    clock = ReplayClock(start, speed=max((max(moments) - start).total_seconds() / seconds, 1))
    news = NewsOfCaptures()
    folders.claim(place, "demo")
    with (
        folders.only_runner(place),
        ReplayServer(answers, CoinGeckoMimic(), clock) as venue,
        opened(
            _for_replay(settings, place, venue.root), kind="demo", clock=clock, observers=[news]
        ) as deployment,
    ):
        replay = _Replay(deployment, clock, answers, once=once)
        serving = Serving(deployment, news, port=port, banner=_banner(moments), schedules=replay.schedule)
        asyncio.run(serving.until_stopped())
        if once:
            _report(deployment, output)


class _Replay:
    """A feed's schedule in a demo: the recorded slots, with their progress told, then live ones."""

    def __init__(
        self, deployment: Deployment, clock: ReplayClock, recordings: Sequence[Recording], *, once: bool
    ) -> None:
        self._deployment = deployment
        self._clock = clock
        self._recordings = market_pages(recordings, "usd")
        self._once = once
        self._cadence = timedelta()

    def schedule(self, source: Source, dataset: Dataset) -> Schedule:
        """The schedule of that feed."""
        self._cadence = dataset.cadence
        return self

    async def slots(self) -> AsyncIterator[datetime]:
        """Recorded slots in order; when all are loaded, says so; then, unless `once`, one every cadence."""
        began_s = time.monotonic()
        recorded = ReplaySchedule(self._clock, self._recordings, self._cadence, once=True)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=talk
        ) as progress:
            slots = len(recorded_slots(self._recordings, self._cadence))
            bar = progress.add_task("Replaying recordings", total=slots)
            async for slot in recorded.slots():
                progress.update(bar, description=f"Replaying {slot:%Y-%m-%d %H:%M}")
                yield slot
                progress.advance(bar)
        await self._deployment.pipeline.drain(asyncio.Event(), recover=self._deployment.revive)
        self._tell(slots, time.monotonic() - began_s)
        if not self._once:
            async for slot in ReplaySchedule(self._clock, [], self._cadence).slots():
                yield slot

    def _tell(self, slots: int, took_s: float) -> None:
        totals = self._deployment.reader.totals()
        talk.print(
            f"{slots} recorded slots in {took_s:.0f} s: {totals.quotes:,} quotes of {totals.assets:,} "
            f"assets and {totals.dead_letters:,} dead letters in {self._deployment.settings.folder}",
            markup=False,
        )
        if not self._once:
            talk.print("The last page is served again from now on, as CoinGecko's cache would.", markup=False)


def _for_replay(settings: Settings, place: Path, root: str) -> Settings:
    """The given settings, but for the folder, the warehouse and the venue."""
    given = {"root": root, "plan": "keyless"}
    warehouse = type(settings.warehouse)()
    return settings.model_copy(
        update={"folder": place, "sources": {"coingecko": given}, "warehouse": warehouse}
    )


def _banner(moments: Sequence[datetime]) -> str:
    first, last = min(moments), max(moments)
    return f"Demo: recorded answers of {first:%-d %B %Y} to {last:%-d %B %Y}, replayed"


def _report(deployment: Deployment, output: Output) -> None:
    document = describe(deployment)
    output.show(
        document, Table("Demo", ("what", "value"), list(document["parts"].items()), frozenset({"value"}))
    )


def _empty(place: Path) -> None:
    """Removes a demo's folder; refuses any other."""
    if place.exists() and folders.kind_of(place) != "demo":
        raise FixConfiguration(f"{place} is not a demo's folder, so --fresh will not empty it.")
    with folders.only_runner(place) if place.exists() else nullcontext():
        shutil.rmtree(place, ignore_errors=True)
