"""Requests: every page once, and a past without holes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import Capture, Request
from coinlake_coingecko.requests import FINE, HOURLY, chart_windows, markets_page, next_page, pages

NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def captured(request: Request, body: bytes) -> Capture:
    return Capture(
        source="coingecko",
        dataset="markets",
        slot=NOW,
        page=request.page,
        url="",
        params=request.params,
        status=200,
        headers={},
        body=body,
        requested_at=NOW,
        received_at=NOW,
        run_id="",
        plugin_version="",
        traceparent="",
    )


def polled(top: int, coins: int) -> list[list[int]]:
    """The pages of one slot at a venue of so many coins, each coin as its place."""
    found, request = [], markets_page(top, "usd", 1)
    while True:
        params = dict(request.params)
        first = (int(params["page"]) - 1) * int(params["per_page"])
        found.append(list(range(coins))[first : first + int(params["per_page"])])
        following = list(next_page(top, captured(request, msgspec.json.encode(found[-1]))))
        if not following:
            return found
        [request] = following


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(0, 12_000))
def test_any_number_of_coins_comes_in_full_and_each_once(top: int, coins: int) -> None:
    found = polled(top, coins)
    flat = [coin for page in found for coin in page]
    assert flat == list(range(len(flat)))
    assert min(top, coins) <= len(flat) < top + pages(top)
    assert len(found) <= pages(top)
    assert all(len(page) <= 250 for page in found)


@pytest.mark.parametrize(
    ("top", "sizes"), [(100, [100]), (250, [250]), (251, [126, 126]), (300, [150, 150]), (500, [250, 250])]
)
def test_the_pages_are_of_one_size_and_hold_hardly_more_than_was_asked(top: int, sizes: list[int]) -> None:
    assert [len(page) for page in polled(top, 1000)] == sizes


def test_a_market_of_exactly_one_full_page_is_asked_once_more() -> None:
    assert [len(page) for page in polled(1000, 250)] == [250, 0]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"prices": []}', b'[{"id":"bitco', b"[" * 100_000, b'["\xff"]', b"[]"]
)
def test_an_answer_that_is_no_full_list_has_no_next_page(body: bytes) -> None:
    assert list(next_page(1000, captured(markets_page(1000, "usd", 1), body))) == []


def test_a_page_is_asked_with_full_precision_and_a_fixed_order() -> None:
    assert markets_page(100, "eur", 1) == Request(
        path="/coins/markets",
        params=(
            ("vs_currency", "eur"),
            ("order", "market_cap_desc"),
            ("per_page", "100"),
            ("page", "1"),
            ("sparkline", "false"),
            ("precision", "full"),
        ),
    )


def bounds(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    found = []
    for request in chart_windows("bitcoin", "usd", (start, end), NOW):
        params = dict(request.params)
        since, until = (datetime.fromtimestamp(int(params[name]), UTC) for name in ("from", "to"))
        found.append((since, until))
    return found


_PAST = st.timedeltas(timedelta(0), timedelta(days=800)).map(lambda age: NOW - age)


@settings(deadline=None)
@given(_PAST, _PAST)
def test_windows_join_without_overlap_or_hole_and_cover_what_was_asked(a: datetime, b: datetime) -> None:
    start, end = min(a, b), max(a, b)
    windows = bounds(start, end)
    if start == end:
        return
    assert start - timedelta(seconds=1) < windows[0][0] <= start
    assert end <= windows[-1][1] < end + timedelta(seconds=1)
    assert all(until == since for (_, until), (since, _) in pairwise(windows))
    assert all(since < until for since, until in windows)


@settings(deadline=None)
@given(_PAST, _PAST)
def test_no_window_is_so_long_that_it_would_come_coarser_than_the_venue_has_it(
    a: datetime, b: datetime
) -> None:
    for since, until in bounds(min(a, b), max(a, b)):
        assert until - since <= HOURLY
        if until > NOW - FINE + timedelta(seconds=1):
            assert since >= NOW - FINE
            assert until - since < timedelta(days=1)


def test_the_last_day_is_asked_apart_from_what_only_comes_hourly() -> None:
    starts = [since for since, _ in bounds(NOW - timedelta(days=100), NOW)]
    assert [(NOW - start).days for start in starts] == [100, 10, 0]


def test_nothing_is_asked_of_the_future_or_of_an_empty_window() -> None:
    assert bounds(NOW + timedelta(days=1), NOW + timedelta(days=2)) == []
    assert bounds(NOW - timedelta(days=1), NOW - timedelta(days=2)) == []
    assert bounds(NOW - timedelta(hours=1), NOW + timedelta(days=1))[-1][1] <= NOW + timedelta(seconds=1)


def test_an_id_of_any_characters_stays_one_part_of_the_path() -> None:
    window = (NOW - timedelta(hours=1), NOW)
    paths = [next(iter(chart_windows(asset, "usd", window, NOW))).path for asset in ("_", "a/../b?c")]
    assert paths == ["/coins/_/market_chart/range", "/coins/a%2F..%2Fb%3Fc/market_chart/range"]


def test_each_window_of_a_past_is_a_page_of_its_own() -> None:
    window = (NOW - timedelta(days=200), NOW)
    assert [request.page for request in chart_windows("bitcoin", "usd", window, NOW)] == [1, 2, 3, 4]
