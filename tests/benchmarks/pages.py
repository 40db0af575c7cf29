"""Pages for measuring: recorded coins under many names, with the time of each slot.

The same in every run and on every machine, and made in well under a millisecond each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice

import msgspec

from coinlake.model import Capture
from coinlake_coingecko.recordings import DAILY

COINS = 250
"""Rows a page: the most that CoinGecko gives in one answer."""
EVERY = timedelta(minutes=3)
"""Between two captures, as the source polls by default."""
_START = datetime(2024, 1, 1, tzinfo=UTC)
_TIME = re.compile(rb'"last_updated":"[^"]*"')


def captures(count: int, first: int = 0) -> Iterator[Capture]:
    """Captures of consecutive slots, from number `first` on; all synthetic."""
    for number in range(first, first + count):
        slot = _START + number * EVERY
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
            body=moment.join(_between_times()),
            requested_at=slot,
            received_at=slot + timedelta(seconds=1),
            run_id="benchmark",
            plugin_version="1",
            traceparent="",
            synthetic=True,
        )


@cache
def _between_times() -> list[bytes]:
    """A page cut at its times: recorded rows, digit for digit, their ids made unique by the day's number."""
    rows = (
        bytes(row).replace(b'"id":"', f'"id":"{day}-'.encode(), 1)
        for day, file in enumerate(sorted(DAILY.glob("*.json")))
        for row in msgspec.json.decode(file.read_bytes(), type=list[msgspec.Raw])
    )
    return _TIME.split(b"[" + b",".join(islice(rows, COINS)) + b"]")
