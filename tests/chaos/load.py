"""A load of captures into MongoDB, which knows exactly what the lake acknowledged."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from coinlake.errors import TryAgain
from coinlake.model import Capture
from coinlake.settings import Secret
from coinlake_coingecko.recordings import DAILY
from coinlake_lake.mongo import MongoLake

WRITERS = 2
EVERY = timedelta(seconds=20)
"""Between the slots of two captures, so that batches meet in the buckets of candles."""
FIRST_SLOT = datetime(2026, 3, 31, 22, tzinfo=UTC)
"""Two hours before a new day and month."""
REPEATED_EVERY = 5
"""One capture in so many has quotes of the keys of an earlier one, with other prices."""
BROKEN_EVERY = 17
"""One capture in so many is no JSON, and becomes a dead letter."""

_ASSETS = 20
_PAGES = 5
_PAUSE_S = 0.2
_TIME = re.compile(rb'"last_updated":"[^"]*"')


class Load:
    """Captures by number; each is appended until the lake has acknowledged it, whatever comes between."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.acknowledged: list[int] = []
        """Their numbers."""

    @contextmanager
    def running(self, lake_url: Secret) -> Iterator[None]:
        """Writes until the end of the block, at which every capture that was begun is acknowledged."""
        stop = threading.Event()
        with ThreadPoolExecutor(WRITERS) as threads:
            writers = [threads.submit(self._write, lake_url, stop) for _ in range(WRITERS)]
            try:
                yield
            finally:
                stop.set()
            for writer in writers:
                writer.result()

    def captures(self) -> Iterator[Capture]:
        """All that was acknowledged."""
        return map(capture, self.acknowledged)

    def _write(self, lake_url: Secret, stop: threading.Event) -> None:
        with MongoLake(lake_url) as lake:
            while not stop.wait(_PAUSE_S):
                number = next(self._numbers)
                _append(lake, capture(number))
                self.acknowledged.append(number)


def _append(lake: MongoLake, wanted: Capture) -> None:
    """Returns once the lake says that it has the capture: of this try, or of one before."""
    while True:
        try:
            lake.append(wanted)
        except TryAgain:
            continue
        return


def capture(number: int) -> Capture:
    """The same for the same number: recorded rows, with the time of its slot."""
    slot = FIRST_SLOT + number * EVERY
    moment = slot - (REPEATED_EVERY - 1) * EVERY if number % REPEATED_EVERY == 0 else slot
    time = f'"last_updated":"{moment:%Y-%m-%dT%H:%M:%S}.125Z"'.encode()
    recorded = _recorded()
    return Capture(
        source="coingecko",
        dataset="markets",
        slot=slot,
        page=1 + number % _PAGES,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=b"<html>Bad gateway" if is_broken(number) else _TIME.sub(time, recorded[number % len(recorded)]),
        requested_at=slot,
        received_at=slot + timedelta(seconds=1),
        run_id=str(number),
        plugin_version="1",
        traceparent="",
    )


def is_broken(number: int) -> bool:
    """Whether that capture is no JSON."""
    return number % BROKEN_EVERY == 0


@cache
def _recorded() -> list[bytes]:
    """The first rows of each recorded page, digit for digit."""
    pages = [file.read_bytes() for file in sorted(DAILY.glob("*.json"))]
    rows = (msgspec.json.decode(page, type=list[msgspec.Raw])[:_ASSETS] for page in pages)
    return [b"[" + b",".join(map(bytes, first)) + b"]" for first in rows]
