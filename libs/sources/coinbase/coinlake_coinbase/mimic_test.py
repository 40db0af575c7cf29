"""Coinbase's behaviour, replayed: what its API is known to do, on recorded rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.testing.mimic import Answer, Mimic, Question
from coinlake.testing.recordings import Recording, load
from coinlake_coinbase import recordings
from coinlake_coinbase.mimic import CoinbaseMimic

ALL = sorted(load(recordings.FOLDER), key=lambda r: r.recorded_at or datetime.min.replace(tzinfo=UTC))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
[MINUTES] = [one for one in ALL if one.params.get("granularity") == "60"]
CANDLES = "/products/BTC-USD/candles"


def ask(
    path: str,
    visible: Sequence[Recording] = ALL,
    *,
    mimic: Mimic | None = None,
    now: datetime = NOW,
    **params: str,
) -> Answer:
    return (mimic or CoinbaseMimic()).answer(Question(path, params), visible, now)


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def at(row: bytes) -> datetime:
    return datetime.fromtimestamp(json.loads(row)[0], UTC)


def ask_minutes(first: int, last: int, mimic: Mimic | None = None, now: datetime = NOW) -> Answer:
    """Candles that open from the `first` to the `last` minute since the oldest that was recorded."""
    oldest = at(rows(MINUTES.body)[-1])
    start, end = ((oldest + timedelta(minutes=n)).isoformat() for n in (first, last))
    return ask(CANDLES, mimic=mimic, now=now, granularity="60", start=start, end=end)


def recorded(name: str) -> bytes:
    return (recordings.ERRORS / name).read_bytes()


@pytest.mark.parametrize(
    "path", ["/products", "/products/ETH-USDT/stats", "/products/BTC-USD/ticker", "/products/btc-usd/ticker"]
)
def test_the_newest_recording_is_served_byte_for_byte(path: str) -> None:
    fitting = [one for one in ALL if (one.endpoint or "").upper() == path.upper()]
    answer = ask(path)
    assert answer.body == fitting[-1].body
    assert not answer.synthetic


def test_a_newer_ticker_takes_the_place_of_an_older_one() -> None:
    [real] = load(recordings.FOLDER / "ticker")
    made = replace(real, read=lambda: b"newer", recorded_at=NOW, synthetic=True)
    assert ask("/products/BTC-USD/ticker", [real]).body == real.body
    newest = ask("/products/BTC-USD/ticker", [real, made])
    assert (newest.body, newest.synthetic) == (b"newer", True)


@settings(deadline=None)
@given(st.integers(0, 299), st.integers(0, 299))
def test_a_window_of_candles_is_the_recorded_rows_that_open_in_it_newest_first(a: int, b: int) -> None:
    first, last = min(a, b), max(a, b)
    assert rows(ask_minutes(first, last).body) == rows(MINUTES.body)[299 - last : 300 - first]


def test_the_real_api_sometimes_gives_a_row_before_start_and_so_does_the_mimic_if_told() -> None:
    mimic = CoinbaseMimic(row_before_start=True)
    assert rows(ask_minutes(10, 20, mimic).body) == rows(MINUTES.body)[279:291]
    assert rows(ask_minutes(0, 20, mimic).body) == rows(MINUTES.body)[279:]


def test_a_window_of_more_than_three_hundred_candles_is_refused_as_recorded() -> None:
    assert len(rows(ask_minutes(0, 300).body)) == 300
    refusal = ask_minutes(0, 301)
    assert (refusal.status, refusal.body) == (400, recorded("400_too_many_candles.json"))


def test_without_both_ends_come_the_last_candles() -> None:
    newest = at(rows(MINUTES.body)[0]) + timedelta(minutes=1)
    found = ask(CANDLES, now=newest, granularity="60", start=newest.isoformat())
    assert rows(found.body) == rows(MINUTES.body)
    assert ask(CANDLES, granularity="60").body == b"[]"


def test_a_candle_is_not_served_before_it_has_closed() -> None:
    newest = at(rows(MINUTES.body)[0])
    for age, expected in ((timedelta(seconds=59), 1), (timedelta(seconds=60), 0)):
        assert rows(ask_minutes(290, 299, now=newest + age).body)[0] == rows(MINUTES.body)[expected]


@pytest.mark.parametrize(("granularity", "start"), [("120", "2020-03-20"), ("60", "soon")])
def test_a_window_that_makes_no_sense_is_refused(granularity: str, start: str) -> None:
    answer = ask(CANDLES, granularity=granularity, start=start, end="2020-03-20T01:00:00Z")
    assert answer.status == 400
    assert json.loads(answer.body)["message"]


def test_candles_that_nobody_recorded_are_empty_for_a_known_product_and_refused_for_another() -> None:
    assert ask("/products/ETH-USD/candles", granularity="60").body == b"[]"
    assert ask(CANDLES, granularity="900").body == b"[]"
    assert ask("/products/NO-USD/candles", granularity="60").status == 404


@pytest.mark.parametrize(
    "path", ["/products/NO-USD/ticker", "/products/NO-USD/stats", "/time", "/products/A/b"]
)
def test_what_was_never_recorded_is_not_found(path: str) -> None:
    answer = ask(path)
    assert (answer.status, answer.body) == (404, recorded("404_not_found.json"))


def test_before_its_first_recording_a_known_product_is_out_of_service() -> None:
    assert ask("/products/ETH-USD/ticker").status == 503
    timeless = [one for one in ALL if not one.recorded_at]
    assert ask("/products", timeless).status == 503
    assert ask("/products/NO-USD/ticker", timeless).status == 503


def test_calls_over_the_burst_are_refused_as_recorded_until_enough_have_flown_back() -> None:
    mimic = CoinbaseMimic(burst=15)
    moments = [NOW] * 17 + [NOW + timedelta(milliseconds=100 * n) for n in (1, 1, 3, 3, 3)]
    answers = [ask("/products", mimic=mimic, now=now) for now in moments]
    assert [answer.status for answer in answers] == [*[200] * 15, 429, 429, 200, 429, 200, 200, 429]
    assert answers[15].body == recorded("429_public_rate_limit.json")
