"""Pages for measuring: recorded coins under many names, with the time of each slot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from coinlake.model import Capture
from coinlake_coingecko.recordings import DAILY

START = datetime(2024, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=3)
_TIME = re.compile(rb'"last_updated":"[^"]*"')


class Pages:
    """Pages of `coins` coins, each row a recorded one with its digits; only name and time are changed."""

    def __init__(self, coins: int) -> None:
        rows = (
            bytes(row).replace(b'"id":"', f'"id":"{day}-'.encode(), 1)
            for day, file in enumerate(sorted(DAILY.glob("*.json")))
            for row in msgspec.json.decode(file.read_bytes(), type=list[msgspec.Raw])
        )
        self._parts = _TIME.split(b"[" + b",".join(islice(rows, coins)) + b"]")

    def captures(self, count: int, first: int = 0) -> Iterator[Capture]:
        """Captures of consecutive slots, from number `first` on; all synthetic."""
        for number in range(first, first + count):
            slot = START + number * EVERY
            received_at = slot + timedelta(seconds=1)
            moment = f'"last_updated":"{slot:%Y-%m-%dT%H:%M:%S}.125Z"'.encode()
            yield Capture(
                source="coingecko",
                dataset="markets",
                slot=slot,
                page=1,
                url="https://api.coingecko.com/api/v3/coins/markets",
                params=(("vs_currency", "usd"),),
                status=200,
                headers={},
                body=moment.join(self._parts),
                requested_at=slot,
                received_at=received_at,
                run_id="benchmark",
                plugin_version="1",
                traceparent="",
                synthetic=True,
            )
