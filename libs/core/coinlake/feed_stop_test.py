"""Feeds that run: beside one another, and until they are stopped, cleanly at every moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from coinlake.model import Capture
from coinlake.state import State
from coinlake.testing import unruly
from coinlake.testing.feed_bench import NOON, Bench, MemoryLake, Observer, until
from coinlake.testing.plain_source import TICKS
from coinlake.testing.stopped_clock import StoppedClock


class GatedLake(MemoryLake):
    """A lake whose disk is slow: nothing is stored before the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.gate = threading.Event()

    def append(self, capture: Capture) -> bool:
        self.asked.set()
        assert self.gate.wait(20)
        return super().append(capture)


@pytest.fixture
def bench(tmp_path: Path) -> Iterable[Bench]:
    with State(tmp_path) as state:
        yield Bench(state)


async def test_polling_and_feed_together_fetch_a_slot_every_cadence(bench: Bench) -> None:
    stop = asyncio.Event()
    async with bench.serve(unruly.whole()) as (_, feed):
        running = asyncio.create_task(feed.run(stop))
        await until(lambda: len(bench.lake.captures) >= 5)
        stop.set()
        await running
    slots = [capture.slot for capture in bench.lake.captures.values()]
    assert slots[:5] == [NOON + number * TICKS.cadence for number in range(5)]
    assert bench.health().slots_missed == 0


async def test_one_feed_never_delays_another(bench: Bench) -> None:
    stop = asyncio.Event()
    async with (
        bench.serve(unruly.silence(), name="silent") as (silent, stuck),
        bench.serve(unruly.whole()) as (_, healthy),
    ):
        running = [asyncio.create_task(feed.run(stop)) for feed in (stuck, healthy)]
        await until(lambda: silent.heads and len(bench.lake.captures) >= 3)
        stop.set()
        await asyncio.gather(*running)
    assert bench.health("silent").last_slot is None


async def test_a_stop_drops_a_call_in_flight_at_once(bench: Bench) -> None:
    stop = asyncio.Event()
    async with bench.serve(unruly.silence()) as (server, feed):
        running = asyncio.create_task(feed.run(stop))
        await until(lambda: server.heads)
        stop.set()
        async with asyncio.timeout(5):
            await running
    assert bench.lake.captures == {}
    assert bench.health().last_slot is None  # so that a restart fetches it again


async def test_a_stop_while_waiting_for_a_slot_is_at_once(bench: Bench) -> None:
    bench.clock = StoppedClock(NOON)
    stop = asyncio.Event()
    async with bench.serve(unruly.whole()) as (_, feed):
        running = asyncio.create_task(feed.run(stop))
        await until(lambda: bench.clock.awaited[1:])
        stop.set()
        async with asyncio.timeout(5):
            await running
    assert len(bench.lake.captures) == 1


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_stop_waits_for_the_capture_that_is_being_stored(bench: Bench, how: str) -> None:
    bench.lake = lake = GatedLake()
    bench.plugin = observer = Observer()
    stop = asyncio.Event()
    async with bench.serve(unruly.whole()) as (_, feed):
        running = asyncio.create_task(feed.run(stop))
        await until(lake.asked.is_set)
        if how == "stop":
            stop.set()
        else:
            running.cancel()
        await asyncio.sleep(0)
        assert not running.done()
        lake.gate.set()
        async with asyncio.timeout(5):
            await asyncio.wait({running})
    assert len(lake.captures) == 1
    assert [told[0] for told in observer.told] == ["fetched", "stored"]
    assert running.cancelled() == (how == "cancel")
