"""Made-up answers of Binance from prices of another source, for the demo; marked synthetic everywhere.

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

import msgspec

from coinlake.testing.recordings import Recording
from coinlake_binance.mimic import KLINES, TICKER

_ROOT = "https://data-api.binance.vision"
_NOISE_BPS = 5
"""The most that a made-up price is off the given one."""
_PLACES = Decimal("0.00000001")
_TURNOVER, _TRADES = Decimal(1_000_000), 1000
"""USDT and trades of each pair and day: as made up as the rest."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)

Prices = Mapping[str, Decimal]
"""Prices in USD by Binance's code of the asset."""
_Row = dict[str, int | str] | list[int | str]


def made_up(moments: Iterable[tuple[datetime, Prices]]) -> list[Recording]:
    """Tickers of each moment, then daily klines of each pair, all against USDT. Moments are in order.

    A day's candle goes from the day before's first price to its own, so the first day has none. The klines of
    a pair are one recording without a time; the mimic serves a day of it once that day is over.
    """
    tickers: list[Recording] = []
    first_of_day: dict[date, Prices] = {}
    klines: dict[str, list[_Row]] = {}
    before: Prices = {}
    for moment, given in moments:
        prices = {base: price for base in sorted(given) if (price := _at_venue(base, given[base], moment))}
        rows: list[_Row] = [_ticker(base, prices[base], before.get(base), moment) for base in prices]
        tickers.append(_recording(f"{TICKER}?type=FULL", rows, moment))
        first_of_day.setdefault(moment.astimezone(UTC).date(), prices)
        before = prices
    for (_, opened), (day, closed) in pairwise(first_of_day.items()):
        for base in opened.keys() & closed.keys():
            klines.setdefault(base, []).append(_kline(day, opened[base], closed[base]))
    return tickers + [
        _recording(f"{KLINES}?symbol={base}USDT&interval=1d", klines[base]) for base in sorted(klines)
    ]


def _at_venue(base: str, price: Decimal, moment: datetime) -> Decimal | None:
    """A price as the venue might have had it; None for one too small for its eight places, and for USDT."""
    noise = random.Random(f"{base} {moment.timestamp()}")  # noqa: S311
    off_bps = Decimal(noise.randint(-100 * _NOISE_BPS, 100 * _NOISE_BPS)) / 100
    made = (price * (1 + off_bps / 10_000)).quantize(_PLACES)
    return made if made > 0 and base != "USDT" else None


def _ticker(base: str, price: Decimal, before: Decimal | None, moment: datetime) -> dict[str, int | str]:
    opened = before or price
    return {
        "symbol": f"{base}USDT",
        "priceChange": f"{price - opened:f}",
        "priceChangePercent": f"{(price / opened - 1) * 100:.3f}",
        "lastPrice": f"{price:f}",
        "openPrice": f"{opened:f}",
        "highPrice": f"{max(price, opened):f}",
        "lowPrice": f"{min(price, opened):f}",
        "volume": f"{_TURNOVER / price:.8f}",
        "quoteVolume": f"{_TURNOVER:.8f}",
        "openTime": _milliseconds(moment - _DAY),
        "closeTime": _milliseconds(moment),
        "firstId": 1,
        "lastId": _TRADES,
        "count": _TRADES,
    }


def _kline(day: date, opened: Decimal, closed: Decimal) -> list[int | str]:
    open_ms = _milliseconds(datetime.combine(day, time(), UTC))
    close_ms = open_ms + _DAY // timedelta(milliseconds=1) - 1
    prices = [f"{price:f}" for price in (opened, max(opened, closed), min(opened, closed), closed)]
    volume, turnover = f"{_TURNOVER / opened:.8f}", f"{_TURNOVER:.8f}"
    return [open_ms, *prices, volume, close_ms, turnover, _TRADES, "0", "0", "0"]


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _recording(target: str, rows: list[_Row], moment: datetime | None = None) -> Recording:
    read = partial(bytes, msgspec.json.encode(rows))
    return Recording(Path("made-up"), read, url=f"{_ROOT}{target}", recorded_at=moment, synthetic=True)
