"""What a warehouse must hold of captures, by the plainest reading of them: no code of ours takes part."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from coinlake.model import Capture
from distributed.site import Site

_BUCKETS = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Quote(NamedTuple):
    """What is compared of a quote."""

    price: Decimal
    capture_id: UUID


class Candle(NamedTuple):
    """What is compared of a candle."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    quotes: int


Quotes = Mapping[tuple[str, datetime], Quote]
"""By asset and `as_of`."""
Candles = Mapping[tuple[str, str, datetime], Candle]
"""By asset, interval and open time."""


def quotes_of(captures: Iterable[Capture]) -> Quotes:
    """Of several answers about one moment the one that was received first stands."""
    found: dict[tuple[str, datetime], Quote] = {}
    for capture in sorted(captures, key=lambda one: one.received_at):
        for row in json.loads(capture.body, parse_float=Decimal, parse_int=Decimal):
            key = (row["id"], datetime.fromisoformat(row["last_updated"]))
            found.setdefault(key, Quote(row["current_price"], capture.id))
    return found


def candles_of(quotes: Quotes) -> Candles:
    """Open, high, low, close and number of the quotes in each bucket."""
    buckets: defaultdict[tuple[str, str, datetime], list[Decimal]] = defaultdict(list)
    for asset, as_of in sorted(quotes):
        for interval, width in _BUCKETS.items():
            opened = as_of - (as_of - _EPOCH) % width
            buckets[asset, interval, opened].append(quotes[asset, as_of].price)
    return {
        bucket: Candle(prices[0], max(prices), min(prices), prices[-1], len(prices))
        for bucket, prices in buckets.items()
    }


def held_quotes(site: Site) -> Quotes:
    """The quotes that are there; none of them twice."""
    rows = site.rows("SELECT asset, as_of, price, capture_id FROM quotes")
    found = {(asset, as_of): Quote(*rest) for asset, as_of, *rest in rows}
    assert len(found) == len(rows)
    return found


def held_candles(site: Site) -> Candles:
    """The candles that are there; none of them twice."""
    rows = site.rows('SELECT asset, "interval", open_time, open, high, low, close, quotes FROM candles')
    found = {(asset, interval, opened): Candle(*rest) for asset, interval, opened, *rest in rows}
    assert len(found) == len(rows)
    return found
