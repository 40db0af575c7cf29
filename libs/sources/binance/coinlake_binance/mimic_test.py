"""Binance's behaviour, replayed: what its API is known to do, on recorded rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import Request
from coinlake.testing.mimic import Answer, Mimic, Question
from coinlake.testing.recordings import Recording, load
from coinlake_binance import recordings
from coinlake_binance.mimic import EXCHANGE_INFO, KLINES, TICKER, BinanceMimic
from coinlake_binance.requests import exchange_info, latest_klines, tickers

ALL = sorted(load(recordings.FOLDER), key=lambda r: r.recorded_at or datetime.min.replace(tzinfo=UTC))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
[DAY] = [one for one in ALL if "595rows" in one.path.name]
HOURLY = [one for one in ALL if one.params.get("interval") == "1h"]
DAILY = [one for one in ALL if one.params.get("interval") == "1d"]


def ask(
    path: str,
    visible: Sequence[Recording] = ALL,
    *,
    mimic: Mimic | None = None,
    now: datetime = NOW,
    **params: object,
) -> Answer:
    asked = {name: str(value) for name, value in params.items()}
    return (mimic or BinanceMimic()).answer(Question(path, asked), visible, now)


def ask_tickers(*symbols: str, visible: Sequence[Recording] = ALL) -> Answer:
    return ask(TICKER, visible, symbols=msgspec.json.encode(symbols).decode())


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def code(answer: Answer) -> tuple[int, int]:
    return answer.status, json.loads(answer.body)["code"]


def test_tickers_are_the_recorded_rows_byte_for_byte_in_the_order_asked_for() -> None:
    recorded = {json.loads(row)["symbol"]: row for row in rows(DAY.body)}
    asked = [*recorded][::-1][:20]
    assert rows(ask_tickers(*asked).body) == [recorded[symbol] for symbol in asked]


def test_what_was_recorded_with_these_very_symbols_is_served_untouched() -> None:
    at = NOW - timedelta(minutes=1)
    few = replace(
        DAY, read=lambda: b" [ ] ", url='https://h/api/v3/ticker/24hr?symbols=["ETHBTC"]', recorded_at=at
    )
    assert ask_tickers("ETHBTC", visible=[DAY, few]).body == b" [ ] "


def test_a_symbol_is_taken_from_the_newest_recording_that_has_it() -> None:
    body = b'[{"symbol":"NEWUSDT"},{"symbol":"BNBBTC"}]'
    newer = replace(DAY, read=lambda: body, recorded_at=NOW, synthetic=True)
    answer = ask_tickers("NEWUSDT", "ETHBTC", "BNBBTC", visible=[DAY, newer])
    assert [json.loads(row)["symbol"] for row in rows(answer.body)] == ["NEWUSDT", "ETHBTC", "BNBBTC"]
    assert rows(answer.body)[2] == b'{"symbol":"BNBBTC"}'
    assert answer.synthetic
    assert not ask_tickers("ETHBTC", visible=[DAY]).synthetic


def test_one_unknown_symbol_fails_the_whole_call_as_recorded() -> None:
    answer = ask_tickers("ETHBTC", "NOSUCHUSDT")
    assert code(answer) == (400, -1121)
    assert answer.body == (recordings.ERRORS / "400_minus1121_invalid_symbol.json").read_bytes()


@pytest.mark.parametrize("symbols", ["", "[]", "ETHBTC", '["'])
def test_symbols_that_are_no_list_are_refused(symbols: str) -> None:
    assert code(ask(TICKER, symbols=symbols)) == (400, -1102)


def test_before_the_first_recording_the_venue_is_out_of_service() -> None:
    timeless = [one for one in ALL if not one.recorded_at]
    assert ask_tickers("BTCUSDT", visible=timeless).status == 503
    assert ask(EXCHANGE_INFO, timeless).status == 503


def test_what_binance_trades_is_served_byte_for_byte() -> None:
    [info] = load(recordings.FOLDER / "exchangeInfo")
    assert ask(EXCHANGE_INFO).body == info.body


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 1200))
def test_a_window_of_klines_is_the_recorded_rows_that_open_in_it(first: int, count: int, limit: int) -> None:
    recorded = rows(HOURLY[0].body)
    start = json.loads(recorded[0])[0] + first * 3_600_000
    end = start + count * 3_600_000 - 1
    answer = ask(KLINES, symbol="BTCUSDT", interval="1h", startTime=start, endTime=end, limit=limit)
    assert rows(answer.body) == recorded[first : first + count][: min(limit, 1000)]


def test_without_a_start_come_the_last_candles_500_unless_told_otherwise() -> None:
    recorded = rows(HOURLY[0].body)
    assert rows(ask(KLINES, symbol="BTCUSDT", interval="1h").body) == recorded[-500:]
    assert rows(ask(KLINES, symbol="BTCUSDT", interval="1h", limit=3).body) == recorded[-3:]


def test_recordings_that_overlap_are_one_course_of_candles_each_once() -> None:
    found = rows(ask(KLINES, DAILY, symbol="BTCUSDT", interval="1d", startTime=0, limit=1000).body)
    opened = [json.loads(row)[0] for row in found]
    assert len(DAILY) == 2
    assert opened == sorted(set(opened))
    assert len(found) == 372


def test_a_candle_is_not_served_before_it_has_closed() -> None:
    last = json.loads(rows(HOURLY[0].body)[-1])
    for now_ms, expected in ((last[6], last[0] - 3_600_000), (last[6] + 1, last[0])):
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        answer = ask(KLINES, now=now, symbol="BTCUSDT", interval="1h", limit=1)
        assert json.loads(answer.body)[0][0] == expected


def test_klines_that_nobody_recorded_are_empty_for_a_known_symbol_and_refused_for_another() -> None:
    assert ask(KLINES, symbol="ETHBTC", interval="1h").body == b"[]"
    assert ask(KLINES, symbol="BTCUSDT", interval="30m").body == b"[]"
    assert code(ask(KLINES, symbol="NOSUCHUSDT", interval="1h")) == (400, -1121)


def test_another_path_is_not_found() -> None:
    assert ask("/api/v3/nothing").status == 404


@pytest.mark.parametrize("count", [1, 20, 21, 100, 101])
def test_the_costs_that_the_source_declares_are_those_that_are_counted(count: int) -> None:
    symbols = [f"A{number}USDT" for number in range(count)]
    slot = datetime(2026, 1, 1, tzinfo=UTC)
    calls = [*tickers(symbols), exchange_info(), *latest_klines(symbols, "1m", timedelta(minutes=5), slot)]
    mimic = BinanceMimic()
    answers = [mimic.answer(Question(call.path, dict(call.params)), ALL, NOW) for call in calls]
    assert int(answers[-1].headers["x-mbx-used-weight-1m"]) == sum(call.cost for call in calls)


@pytest.mark.parametrize(("count", "weight"), [(1, 2), (20, 2), (21, 40), (100, 40), (101, 80)])
def test_a_ticker_call_of_many_symbols_weighs_more(count: int, weight: int) -> None:
    answer = ask_tickers(*(f"A{number}USDT" for number in range(count)))
    assert answer.headers["x-mbx-used-weight-1m"] == str(weight)


def limited(*seconds: int, weight_per_minute: int = 40) -> list[Answer]:
    """Answers to calls of 20 weight each at those seconds."""
    mimic = BinanceMimic(weight_per_minute=weight_per_minute)
    call: Request = exchange_info()
    return [ask(call.path, mimic=mimic, now=NOW + timedelta(seconds=at)) for at in seconds]


def test_weight_over_the_limit_is_refused_until_the_minute_is_over() -> None:
    answers = limited(0, 1, 50, 60)
    assert [answer.status for answer in answers] == [200, 200, 429, 200]
    assert [answer.headers["x-mbx-used-weight-1m"] for answer in answers] == ["20", "40", "40", "20"]
    assert answers[2].headers["retry-after"] == "10"
    assert answers[2].body == (recordings.ERRORS / "429_minus1003_too_many.json").read_bytes()


def test_who_goes_on_is_banned_for_two_minutes_and_told_until_when() -> None:
    answers = limited(0, 1, 2, 3, 4, 5, 60, 124, 125)
    assert [answer.status for answer in answers] == [200, 200, 429, 429, 429, 418, 418, 418, 200]
    assert [answer.headers["retry-after"] for answer in answers[5:8]] == ["120", "65", "1"]
    until_ms = int((NOW + timedelta(seconds=125)).timestamp() * 1000)
    assert f"IP banned until {until_ms}." in answers[5].body.decode()
