"""Windows of candles join, end in the past and overlap enough, whatever is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.candles import LEAST_CANDLES, check_cadence, latest_window, past_windows
from coinlake.model import CANDLE_WIDTHS

NOW = datetime(2026, 3, 29, 1, 30, 30, tzinfo=UTC)
WIDTHS = st.sampled_from(sorted(CANDLE_WIDTHS))
PAST = st.timedeltas(timedelta(0), timedelta(days=90)).map(lambda age: NOW - age)


@settings(deadline=None)
@given(PAST, PAST, WIDTHS, st.integers(1, 1000))
def test_windows_of_the_past_join_and_cover_what_is_asked_as_far_as_it_is_over(
    a: datetime, b: datetime, interval: str, most: int
) -> None:
    width, (start, end) = CANDLE_WIDTHS[interval], sorted((a, b))
    windows = list(past_windows(interval, (start, end), most * 50, NOW))
    if not windows:
        assert start == end or start + width > NOW - width
        return
    assert windows[0][0] <= start < windows[0][0] + width
    assert min(end, NOW - width) <= windows[-1][1] <= min(end + width, NOW)
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    assert all(timedelta(0) < until - since <= most * 50 * width for since, until in windows)


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 500), PAST)
def test_a_slot_asks_for_what_the_one_before_asked_for_last(
    interval: str, candles: int, slot: datetime
) -> None:
    every = candles * CANDLE_WIDTHS[interval]
    since, until = latest_window(interval, every, slot)
    assert slot - CANDLE_WIDTHS[interval] < until <= slot
    assert since <= latest_window(interval, every, slot - every)[1] - every
    assert until - since >= LEAST_CANDLES * CANDLE_WIDTHS[interval]


def test_a_cadence_has_to_leave_room_for_the_slot_before() -> None:
    check_cadence("every", timedelta(minutes=150), "1m", 300)
    with pytest.raises(ValueError, match=r"every is longer than 150 candles of 1m"):
        check_cadence("every", timedelta(minutes=151), "1m", 300)
    with pytest.raises(ValueError, match=r'every is shorter than a candle of interval = "1h"'):
        check_cadence("every", timedelta(minutes=59), "1h", 300)
