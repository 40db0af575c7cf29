"""Requests: every symbol once, closed candles only, and a past without overlap or hole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import CANDLE_WIDTHS, Request
from coinlake_binance.requests import exchange_info, latest_klines, past_klines, tickers

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, 0, 30, 500_000, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
calmly = settings(deadline=None)


class Window(NamedTuple):
    """Candles asked for: those that open in [since, until)."""

    symbol: str
    since: datetime
    until: datetime


def window(request: Request) -> Window:
    params = dict(request.params)
    since, last = (EPOCH + timedelta(milliseconds=int(params[name])) for name in ("startTime", "endTime"))
    return Window(params["symbol"], since, last + MILLISECOND)


@calmly
@given(st.integers(1, 500))
def test_every_symbol_is_asked_once_in_order_twenty_a_call(count: int) -> None:
    symbols = [f"A{number}USDT" for number in range(count)]
    calls = list(tickers(symbols))
    asked = [json.loads(dict(call.params)["symbols"]) for call in calls]
    assert [symbol for group in asked for symbol in group] == symbols
    assert all(len(group) == 20 for group in asked[:-1])
    assert [call.page for call in calls] == list(range(1, len(calls) + 1))


def test_a_hundred_symbols_weigh_ten_and_not_forty() -> None:
    assert sum(call.cost for call in tickers([f"A{n}USDT" for n in range(100)])) == 10


def test_tickers_are_asked_as_json_and_in_full() -> None:
    assert list(tickers(["BTCUSDT", "ETHUSDT"])) == [
        Request(
            path="/api/v3/ticker/24hr",
            params=(("symbols", '["BTCUSDT","ETHUSDT"]'), ("type", "FULL")),
            page=1,
            cost=2,
        )
    ]


def test_what_binance_trades_weighs_twenty() -> None:
    assert exchange_info() == Request(path="/api/v3/exchangeInfo", cost=20)


def test_a_slot_asks_each_symbol_for_candles_that_closed_before_it() -> None:
    slot = datetime(2026, 3, 1, 12, tzinfo=UTC)
    first, second = latest_klines(["BTCUSDT", "ETHUSDT"], "1m", timedelta(minutes=5), slot)
    assert first == Request(
        path="/api/v3/klines",
        params=(
            ("symbol", "BTCUSDT"),
            ("interval", "1m"),
            ("startTime", "1772362800000"),
            ("endTime", "1772366399999"),
            ("limit", "1000"),
        ),
        page=1,
        cost=2,
    )
    assert (second.page, window(second)) == (2, Window("ETHUSDT", slot - timedelta(hours=1), slot))


_WIDTHS = st.sampled_from(sorted(CANDLE_WIDTHS))
_PAST = st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda age: NOW - age)


@calmly
@given(_WIDTHS, st.integers(1, 500), st.integers(0, 1000))
def test_slots_overlap_so_that_a_missed_one_is_made_good(interval: str, candles: int, number: int) -> None:
    width = CANDLE_WIDTHS[interval]
    every = candles * width
    slots = [EPOCH + n * every for n in (number, number + 2)]
    [before], [after] = (list(latest_klines(["BTCUSDT"], interval, every, slot)) for slot in slots)
    assert window(before).until <= slots[0]
    assert slots[0] - window(before).until < width
    assert window(after).since <= window(before).until
    assert 60 * width <= window(after).until - window(after).since <= 1000 * width


@calmly
@given(_PAST, _PAST, st.sampled_from(["1m", "5m", "1h", "1d"]))
def test_windows_of_the_past_join_without_overlap_or_hole(a: datetime, b: datetime, interval: str) -> None:
    start, end, width = min(a, b), max(a, b), CANDLE_WIDTHS[interval]
    windows = [window(request) for request in past_klines(["BTCUSDT"], interval, (start, end), NOW)]
    closed = NOW - (NOW - EPOCH) % width
    if start == end or start >= closed:
        return
    assert windows[0].since <= start < windows[0].since + width
    assert min(end, closed) <= windows[-1].until < end + width
    assert windows[-1].until <= NOW
    assert all(before.until == after.since for before, after in pairwise(windows))
    assert all(timedelta(0) < until - since <= 1000 * width for _, since, until in windows)
    assert all((since.timestamp() % width.total_seconds()) == 0 for _, since, _ in windows)


def test_each_window_of_each_symbol_is_a_page_of_its_own() -> None:
    past = (NOW - timedelta(minutes=2500), NOW)
    requests = list(past_klines(["BTCUSDT", "BTCEUR"], "1m", past, NOW))
    assert [request.page for request in requests] == [1, 2, 3, 4, 5, 6]
    assert [window(request).symbol for request in requests] == ["BTCUSDT"] * 3 + ["BTCEUR"] * 3


@pytest.mark.parametrize("hours", [(1, 2), (-1, -2), (-1, -1)])
def test_nothing_is_asked_of_the_future_or_of_an_empty_window(hours: tuple[int, int]) -> None:
    since, until = (NOW + timedelta(hours=h) for h in hours)
    asked = [window(r) for r in past_klines(["BTCUSDT"], "1m", (since, until), NOW)]
    assert all(one.until - one.since == timedelta(minutes=1) and one.until <= NOW for one in asked)
    assert len(asked) == (hours == (-1, -1))
