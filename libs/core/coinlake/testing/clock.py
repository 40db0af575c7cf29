"""The replay's time: recorded days pass in seconds, and no recording is ever passed over.

Time runs fast only while somebody waits for a moment, and stops there until whoever waited has woken.
While work is done it runs at its ordinary pace. So however slow the work, each recorded moment is reached
once and in order, and what is measured between two moments (an answer's latency) stays true.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from coinlake.schedule import slot_at
from coinlake.testing.recordings import Recording

_LOOK_AGAIN_S = 0.2
"""Real seconds after which a sleeper looks again whether the pace has changed."""


class ReplayClock:
    """A `Clock` that waits `speed` times faster than real time; one for all threads and event loops.

    Of several sleepers the first to be due sets the pace: time stands at its moment until it has woken.
    """

    def __init__(self, start: datetime, speed: float = 1) -> None:
        self._now = start.astimezone(UTC)
        self._speed = speed
        self._looked_s = time.monotonic()
        self._awaited: list[datetime] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._advance()

    async def sleep_until(self, moment: datetime) -> None:
        with self._waiting(moment):
            while (left_s := (moment - self.now()).total_seconds()) > 0:
                await asyncio.sleep(min(left_s / self._speed, _LOOK_AGAIN_S))

    def run_at(self, speed: float) -> None:
        """Changes how fast waiting goes from now on; 1 is real time."""
        with self._lock:
            self._advance()
            self._speed = speed

    @contextmanager
    def _waiting(self, moment: datetime) -> Iterator[None]:
        with self._lock:
            self._advance()
            self._awaited.append(moment)
        try:
            yield
        finally:
            with self._lock:
                self._advance()
                self._awaited.remove(moment)

    def _advance(self) -> datetime:
        looked_s = time.monotonic()
        passed = timedelta(seconds=looked_s - self._looked_s)
        self._looked_s = looked_s
        if self._awaited and self._speed != 1:
            due = max(self._now, min(self._awaited))
            self._now = min(self._now + passed * self._speed, due)
        else:
            self._now += passed
        return self._now


def recorded_slots(recordings: Iterable[Recording], cadence: timedelta) -> list[tuple[datetime, datetime]]:
    """The slots in which something was recorded, each with the moment of its last recording, in order.

    Errors and recordings without a time make no slot.
    """
    moments: dict[datetime, datetime] = {}
    for recording in recordings:
        if recording.recorded_at and recording.status == 200:
            slot = slot_at(recording.recorded_at, cadence)
            moments[slot] = max(recording.recorded_at, moments.get(slot, recording.recorded_at))
    return sorted(moments.items())


class ReplaySchedule:
    """A `coinlake.schedule.Schedule`: each recorded slot when the clock reaches its last recording.

    Then, unless `once`, the clock runs in real time and a slot comes every `cadence`.
    """

    def __init__(
        self,
        clock: ReplayClock,
        recordings: Iterable[Recording],
        cadence: timedelta,
        *,
        once: bool = False,
    ) -> None:
        self._clock = clock
        self._recorded = recorded_slots(recordings, cadence)
        self._cadence = cadence
        self._once = once

    async def slots(self) -> AsyncIterator[datetime]:
        """Slots in order. A live slot that began while the one before was worked on is left out."""
        for slot, moment in self._recorded:
            await self._clock.sleep_until(moment)
            yield slot
        self._clock.run_at(1)
        while not self._once:
            slot = slot_at(self._clock.now(), self._cadence) + self._cadence
            await self._clock.sleep_until(slot)
            yield slot
