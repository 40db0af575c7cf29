"""Made-up answers of Coinbase from prices of another source, for the demo; marked synthetic everywhere.

A venue is some basis points off an aggregator, so these are too. The same input makes the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from coinlake.testing.recordings import Recording

_PRODUCTS = "https://api.exchange.coinbase.com/products"
_NOISE_BPS = 4
"""The most that a made-up price is off the given one."""
_SPREAD_BPS = Decimal(1)
_PLACES = Decimal("0.00000001")
_TURNOVER = Decimal(1_000_000)
"""Dollars of each product and day: as made up as the rest."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)

Prices = Mapping[str, Decimal]
"""Prices in USD by Coinbase's code of the asset."""


def made_up(moments: Iterable[tuple[datetime, Prices]]) -> list[Recording]:
    """A ticker of each product and moment, then daily candles of each product, all in USD; moments in order.

    A day's candle goes from the day before's first price to its own, so the first day has none. The
    candles of a product are one recording without a time; the mimic serves a day of it once that day is over.
    """
    tickers: list[Recording] = []
    first_of_day: dict[date, Prices] = {}
    candles: dict[str, list[list[msgspec.Raw]]] = {}
    for number, (moment, given) in enumerate(moments, start=1):
        prices = {base: price for base in sorted(given) if (price := _at_venue(base, given[base], moment))}
        for base, price in prices.items():
            tickers.append(_recording(f"{base}-USD/ticker", _ticker(number, price, moment), moment))
        first_of_day.setdefault(moment.astimezone(UTC).date(), prices)
    for (_, opened), (day, closed) in pairwise(first_of_day.items()):
        for base in opened.keys() & closed.keys():
            candles.setdefault(base, []).append(_candle(day, opened[base], closed[base]))
    return tickers + [
        _recording(f"{base}-USD/candles?granularity=86400", candles[base][::-1]) for base in sorted(candles)
    ]


def _at_venue(base: str, price: Decimal, moment: datetime) -> Decimal | None:
    """A price as the venue might have had it; None for one too small for its eight places, and for USD."""
    noise = random.Random(f"coinbase {base} {moment.timestamp()}")  # noqa: S311
    off_bps = Decimal(noise.randint(-100 * _NOISE_BPS, 100 * _NOISE_BPS)) / 100
    made = (price * (1 + off_bps / 10_000)).quantize(_PLACES)
    return made if made > 0 and base != "USD" else None


def _ticker(number: int, price: Decimal, moment: datetime) -> dict[str, int | str]:
    half = price * _SPREAD_BPS / 20_000
    return {
        "trade_id": number,
        "price": f"{price:f}",
        "size": f"{1 / price:.8f}",
        "bid": f"{price - half:.8f}",
        "ask": f"{price + half:.8f}",
        "volume": f"{_TURNOVER / price:.8f}",
        "time": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }


def _candle(day: date, opened: Decimal, closed: Decimal) -> list[msgspec.Raw]:
    open_s = (datetime.combine(day, time(), UTC) - _EPOCH) // timedelta(seconds=1)
    volume = (_TURNOVER / opened).quantize(_PLACES)
    amounts = (min(opened, closed), max(opened, closed), opened, closed, volume)
    return [msgspec.Raw(b"%d" % open_s), *(msgspec.Raw(f"{amount:f}".encode()) for amount in amounts)]


def _recording(target: str, answer: Any, moment: datetime | None = None) -> Recording:
    read = partial(bytes, msgspec.json.encode(answer))
    return Recording(Path("made-up"), read, url=f"{_PRODUCTS}/{target}", recorded_at=moment, synthetic=True)
