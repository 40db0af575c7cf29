"""Requests: every product once, closed candles only, and a past without overlap or hole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import CANDLE_WIDTHS, Request
from coinlake_coinbase.requests import INTERVALS, all_products, latest_candles, of_each, past_candles

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, 0, 30, 500_000, tzinfo=UTC)
calmly = settings(deadline=None)


class Window(NamedTuple):
    """Candles asked for: those that open in [since, until)."""

    path: str
    since: datetime
    until: datetime


def window(request: Request) -> Window:
    params = dict(request.params)
    since, last = (datetime.fromisoformat(params[name]) for name in ("start", "end"))
    return Window(request.path, since, last + timedelta(seconds=int(params["granularity"])))


@pytest.mark.parametrize("what", ["ticker", "stats"])
def test_every_product_is_asked_once_in_its_order(what: str) -> None:
    assert list(of_each(["BTC-USD", "ETH-EUR"], what)) == [
        Request(path=f"/products/BTC-USD/{what}", page=1),
        Request(path=f"/products/ETH-EUR/{what}", page=2),
    ]


def test_what_coinbase_trades_is_one_call() -> None:
    assert all_products() == Request(path="/products")


def test_a_slot_asks_each_product_for_sixty_candles_that_closed_before_it_both_ends_counted_in() -> None:
    slot = datetime(2026, 3, 1, 12, tzinfo=UTC)
    first, second = latest_candles(["BTC-USD", "ETH-USD"], "1m", timedelta(minutes=5), slot)
    assert first == Request(
        path="/products/BTC-USD/candles",
        params=(
            ("granularity", "60"),
            ("start", "2026-03-01T11:00:00Z"),
            ("end", "2026-03-01T11:59:00Z"),
        ),
        page=1,
    )
    assert (second.page, window(second)) == (
        2,
        Window("/products/ETH-USD/candles", slot - timedelta(hours=1), slot),
    )


_INTERVALS = st.sampled_from(list(INTERVALS.values()))
_PAST = st.timedeltas(timedelta(0), timedelta(days=100)).map(lambda age: NOW - age)


@calmly
@given(_INTERVALS, st.integers(1, 150), st.integers(0, 1000))
def test_slots_overlap_so_that_a_missed_one_is_made_good(interval: str, candles: int, number: int) -> None:
    width = CANDLE_WIDTHS[interval]
    every = candles * width
    slots = [EPOCH + n * every for n in (number, number + 2)]
    [before], [after] = (list(latest_candles(["BTC-USD"], interval, every, slot)) for slot in slots)
    assert window(before).until <= slots[0]
    assert slots[0] - window(before).until < width
    assert window(after).since <= window(before).until
    assert 60 * width <= window(after).until - window(after).since <= 300 * width


@calmly
@given(_PAST, _PAST, _INTERVALS)
def test_windows_of_the_past_join_without_overlap_or_hole(a: datetime, b: datetime, interval: str) -> None:
    start, end, width = min(a, b), max(a, b), CANDLE_WIDTHS[interval]
    windows = [window(request) for request in past_candles(["BTC-USD"], interval, (start, end), NOW)]
    closed = NOW - (NOW - EPOCH) % width
    if start == end or start >= closed:
        return
    assert windows[0].since <= start < windows[0].since + width
    assert min(end, closed) <= windows[-1].until < end + width
    assert windows[-1].until <= NOW
    assert all(before.until == after.since for before, after in pairwise(windows))
    assert all(timedelta(0) < until - since <= 300 * width for _, since, until in windows)
    assert all((since.timestamp() % width.total_seconds()) == 0 for _, since, _ in windows)


def test_each_window_of_each_product_is_a_page_of_its_own() -> None:
    past = (NOW - timedelta(minutes=750), NOW)
    requests = list(past_candles(["BTC-USD", "BTC-EUR"], "1m", past, NOW))
    assert [request.page for request in requests] == [1, 2, 3, 4, 5, 6]
    assert [request.path for request in requests] == [
        *["/products/BTC-USD/candles"] * 3,
        *["/products/BTC-EUR/candles"] * 3,
    ]


@pytest.mark.parametrize("hours", [(1, 2), (-1, -2), (-1, -1)])
def test_nothing_is_asked_of_the_future_or_of_an_empty_window(hours: tuple[int, int]) -> None:
    since, until = (NOW + timedelta(hours=h) for h in hours)
    asked = [window(r) for r in past_candles(["BTC-USD"], "1m", (since, until), NOW)]
    assert all(one.until - one.since == timedelta(minutes=1) and one.until <= NOW for one in asked)
    assert len(asked) == (hours == (-1, -1))
