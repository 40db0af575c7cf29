"""What Coinbase really said comes out digit for digit: tickers, day summaries, candles and products."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from coinlake.model import AMOUNTS, Capture, Decoded, capture_batch
from coinlake.testing.recordings import Recording, load
from coinlake_coinbase import recordings
from coinlake_coinbase.decode import CANDLES, INSTRUMENTS, STATS, TICKER, decode
from coinlake_coinbase.requests import INTERVALS

RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)
[TICKED] = load(recordings.FOLDER / "ticker")
[SUMMED] = load(recordings.FOLDER / "stats")
COURSES = load(recordings.FOLDER / "candles")
LISTED = load(recordings.PRODUCTS)
BTC = "https://api.exchange.coinbase.com/products/BTC-USD"


def capture(
    dataset: str,
    body: bytes,
    url: str = BTC,
    params: Mapping[str, str] | None = None,
    received_at: datetime = RECEIVED,
) -> Capture:
    return Capture(
        source="coinbase",
        dataset=dataset,
        slot=RECEIVED,
        page=1,
        url=url,
        params=tuple((params or {}).items()),
        status=200,
        headers={},
        body=body,
        requested_at=received_at,
        received_at=received_at,
        run_id="test",
        plugin_version="1",
        traceparent="",
    )


def read(dataset: str, recording: Recording) -> Decoded:
    return decode(capture_batch([capture(dataset, recording.body, recording.url or "", recording.params)]))


def decoded(dataset: str, answer: object, url: str = f"{BTC}/ticker") -> Decoded:
    return decode(capture_batch([capture(dataset, json.dumps(answer).encode(), url)]))


def read_candles(body: bytes, received_at: datetime = RECEIVED) -> Decoded:
    asked = (f"{BTC}/candles?granularity=60", {"granularity": "60"})
    return decode(capture_batch([capture(CANDLES, body, *asked, received_at)]))


def rows_of(body: bytes) -> Any:
    """An answer by the standard library, numbers as their text."""
    return json.loads(body, parse_float=str, parse_int=str)


def moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def named(recording: Recording) -> str:
    return recording.path.name


def test_the_recorded_ticker_is_its_last_trade_with_its_digits_and_its_own_time() -> None:
    [quote] = read(TICKER, TICKED).quotes.to_pylist()
    row = rows_of(TICKED.body)
    assert (quote["asset"], quote["symbol"], quote["quote_currency"]) == ("BTC", "BTC", "usd")
    assert (quote["granularity"], quote["as_of"]) == ("live", datetime.fromisoformat(row["time"]))
    assert [quote[name] for name in AMOUNTS] == [row["price"], *[None] * 12]
    assert rows_of(quote["extra"].encode()) == {k: v for k, v in row.items() if k not in ("price", "time")}


def test_the_recorded_stats_are_a_summary_of_a_day_that_has_no_price_of_any_moment() -> None:
    [quote] = read(STATS, SUMMED).quotes.to_pylist()
    row = rows_of(SUMMED.body)
    assert (quote["asset"], quote["symbol"], quote["quote_currency"]) == ("ETH", "ETH", "usdt")
    assert (quote["granularity"], quote["as_of"]) == ("24h", RECEIVED)
    assert (quote["high_24h"], quote["low_24h"]) == (row["high"], row["low"])
    assert all(quote[name] is None for name in AMOUNTS if name not in ("high_24h", "low_24h"))
    assert rows_of(quote["extra"].encode()) == {k: v for k, v in row.items() if k not in ("high", "low")}


@pytest.mark.parametrize("recording", COURSES, ids=named)
def test_every_recorded_candle_comes_out_with_the_very_digits_of_its_text(recording: Recording) -> None:
    found = read(CANDLES, recording)
    rows, candles = rows_of(recording.body), found.candles.to_pylist()
    assert found.rejects.num_rows == 0
    assert len(candles) in (169, 300)
    for candle, row in zip(candles, rows, strict=True):
        assert (candle["asset"], candle["quote_currency"]) == ("BTC", "usd")
        assert candle["interval"] == INTERVALS[recording.params["granularity"]]
        assert candle["open_time"] == moment(row[0])
        assert [candle[name] for name in ("low", "high", "open", "close", "volume")] == row[1:]
        assert (candle["quote_volume"], candle["trades"], candle["extra"]) == (None, None, "{}")


def test_digits_that_no_binary_number_holds_are_kept() -> None:
    [candle] = read_candles(
        b"[[1517443680,10106.01,1.013e4,1E-8,10106.01,4.7275215200000010]]"
    ).candles.to_pylist()
    assert [candle[name] for name in ("high", "open", "volume")] == ["1.013e4", "1E-8", "4.7275215200000010"]


def test_there_is_no_row_where_nothing_was_traded() -> None:
    traded = [1517443800, 1517443620]  # two minutes between them are missing
    found = read_candles(json.dumps([[at, 1, 1, 1, 1, 1] for at in traded]).encode())
    assert [candle["open_time"].timestamp() for candle in found.candles.to_pylist()] == traded
    assert read_candles(b"[]") == Decoded()


def test_a_row_before_the_start_that_was_asked_for_is_a_fact_and_kept_once() -> None:
    minutes = next(one for one in COURSES if one.params["granularity"] == "60")
    rows = rows_of(minutes.body)
    start = moment(rows[-2][0]).isoformat()
    params = {"granularity": "60", "start": start, "end": moment(rows[0][0]).isoformat()}
    page = capture(CANDLES, minutes.body, f"{BTC}/candles", params)
    opened = decode(capture_batch([page])).candles.column("open_time").to_pylist()
    assert opened == [moment(row[0]) for row in rows]


@pytest.mark.parametrize(("late", "closed"), [(timedelta(0), 1), (-timedelta(microseconds=1), 0)])
def test_a_candle_that_was_still_open_is_left_out_without_a_reject(late: timedelta, closed: int) -> None:
    found = read_candles(b"[[1517443680,1,1,1,1,1]]", moment("1517443740") + late)
    assert (found.candles.num_rows, found.rejects.num_rows) == (closed, 0)


@pytest.mark.parametrize(("early", "closed"), [(timedelta(0), 1), (timedelta(seconds=1), 0)])
def test_a_clock_of_ours_that_is_ahead_closes_no_candle(early: timedelta, closed: int) -> None:
    ends = moment("1517443740")
    asked = (f"{BTC}/candles?granularity=60", {"granularity": "60"})
    ahead = capture(CANDLES, b"[[1517443680,1,1,1,1,1]]", *asked, ends + timedelta(hours=2))
    dated = replace(ahead, headers={"date": format_datetime(ends - early, usegmt=True)})
    assert decode(capture_batch([dated])).candles.num_rows == closed


@pytest.mark.parametrize("recording", LISTED, ids=named)
def test_every_recorded_product_is_an_instrument_with_the_very_digits_of_its_steps(
    recording: Recording,
) -> None:
    found = read(INSTRUMENTS, recording)
    rows, instruments = rows_of(recording.body), found.instruments.to_pylist()
    assert found.rejects.num_rows == 0
    assert len(rows) in (9, 404, 429)
    columns = {
        "instrument": "id",
        "asset": "base_currency",
        "status": "status",
        "price_step": "quote_increment",
        "amount_step": "base_increment",
    }
    for instrument, row in zip(instruments, rows, strict=True):
        for column, key in columns.items():
            assert instrument[column] == row.get(key), column
        assert instrument["quote_currency"] == row["quote_currency"].lower()
        taken = {*columns.values(), "quote_currency"}
        assert rows_of(instrument["extra"].encode()) == {k: v for k, v in row.items() if k not in taken}


TRADE = {"trade_id": 1, "price": "2.50", "time": "2026-03-01T00:00:00.123456Z"}


@pytest.mark.parametrize("zero", ["0", "0.00000000", "0E-8", 0])
def test_a_price_of_zero_says_that_nobody_traded_and_is_null(zero: object) -> None:
    [quote] = decoded(TICKER, TRADE | {"price": zero}).quotes.to_pylist()
    assert quote["price"] is None
    assert json.loads(quote["extra"])["price"] == zero
    [summary] = decoded(STATS, {"high": zero, "low": zero}).quotes.to_pylist()
    assert (summary["high_24h"], summary["low_24h"]) == (None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": "much"}, "not_a_number: price is 'much'"),
        ({"time": "soon"}, "not_a_time: time is 'soon'"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_reject_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    found = decoded(TICKER, TRADE | changes)
    assert found.quotes.num_rows == 0
    assert found.rejects.to_pylist()[0]["reasons"] == [reason]


@pytest.mark.parametrize(
    ("url", "asset"),
    [
        (f"{BTC}/ticker?a=/products/ETH-USD/ticker", "BTC"),
        ("http://127.0.0.1:1/below/products/eth-usd/ticker", "ETH"),
    ],
)
def test_the_product_is_the_one_in_the_path_that_was_asked(url: str, asset: str) -> None:
    assert decoded(TICKER, TRADE, url).quotes.column("asset").to_pylist() == [asset]


@pytest.mark.parametrize("path", ["/products/BTCUSD/ticker", "/products", "", "/products/BTC-USD/ticker/x"])
def test_a_path_without_a_product_makes_a_reject(path: str) -> None:
    found = decoded(TICKER, TRADE, f"https://api.exchange.coinbase.com{path}")
    assert found.quotes.num_rows == 0
    [reason] = found.rejects.to_pylist()[0]["reasons"]
    assert reason.startswith("unknown_product: ")


def test_captures_of_all_datasets_are_read_together_in_any_order() -> None:
    captures = [
        capture(dataset, one.body, one.url or "", one.params)
        for dataset, one in (
            (INSTRUMENTS, LISTED[0]),
            (CANDLES, COURSES[0]),
            (TICKER, TICKED),
            (STATS, SUMMED),
        )
    ]
    there, back = decode(capture_batch(captures)), decode(capture_batch(captures[::-1]))
    assert (there.candles, there.instruments, there.rejects) == (back.candles, back.instruments, back.rejects)
    assert there.quotes.num_rows == back.quotes.num_rows == 2
