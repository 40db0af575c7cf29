"""What Binance really said comes out digit for digit: tickers, dead pairs, candles and instruments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from coinlake.model import AMOUNTS, CANDLE_AMOUNTS, CANDLE_WIDTHS, Capture, Decoded, capture_batch
from coinlake.testing import pages
from coinlake.testing.pages import RECEIVED
from coinlake.testing.recordings import Recording, load
from coinlake_binance import recordings
from coinlake_binance.decode import INSTRUMENTS, KLINES, TICKER, decode
from coinlake_binance.pairs import split

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKERS = load(recordings.FOLDER / "ticker_24hr")
CANDLES = load(recordings.FOLDER / "klines")
[INFO] = load(recordings.FOLDER / "exchangeInfo")

COLUMNS = {
    "price": "lastPrice",
    "volume_24h": "quoteVolume",
    "high_24h": "highPrice",
    "low_24h": "lowPrice",
    "price_change_24h": "priceChange",
    "price_change_pct_24h": "priceChangePercent",
}


def capture(
    dataset: str, body: bytes, params: Mapping[str, str] | None = None, received_at: datetime = RECEIVED
) -> Capture:
    asked = tuple((params or {}).items())
    received = pages.capture(body, source="binance", after=received_at - RECEIVED)
    return replace(received, dataset=dataset, params=asked)


def read(dataset: str, recording: Recording) -> Decoded:
    return decode(capture_batch([capture(dataset, recording.body, recording.params)]))


def rows_of(body: bytes) -> Any:
    """An answer by the standard library, numbers as their text."""
    return json.loads(body, parse_float=str, parse_int=str)


def moment(milliseconds: str) -> datetime:
    return EPOCH + timedelta(milliseconds=int(milliseconds))


@pytest.mark.parametrize("recording", TICKERS, ids=lambda one: one.path.name)
def test_every_recorded_ticker_comes_out_with_the_very_digits_of_its_text(recording: Recording) -> None:
    decoded = read(TICKER, recording)
    rows, quotes = rows_of(recording.body), decoded.quotes.to_pylist()
    assert decoded.rejects.to_pylist() == []
    for quote, row in zip(quotes, rows, strict=True):
        assert quote["asset"] + quote["quote_currency"].upper() == row["symbol"]
        assert (quote["symbol"], quote["granularity"]) == (quote["asset"], "live")
        assert quote["as_of"] == moment(row["closeTime"])
        traded = row["count"] != "0"
        taken = {"symbol", "closeTime", *(COLUMNS.values() if traded else ())}
        for column in AMOUNTS:
            assert quote[column] == (row[COLUMNS[column]] if traded and column in COLUMNS else None), column
        assert rows_of(quote["extra"].encode()) == {k: v for k, v in row.items() if k not in taken}


def test_fifty_one_dead_pairs_are_told_from_live_ones_and_say_nothing_of_a_price() -> None:
    [recording] = [one for one in TICKERS if "595rows" in one.path.name]
    quotes = read(TICKER, recording).quotes.to_pylist()
    dead = [quote for quote in quotes if quote["price"] is None]
    assert len(dead) == 51
    assert all(quote[column] is None for quote in dead for column in AMOUNTS)
    assert all('"lastPrice":"0.00000000"' in quote["extra"] for quote in dead)
    assert all('"count":0' in quote["extra"] and '"firstId":-1' in quote["extra"] for quote in dead)
    assert all(float(quote["price"]) > 0 for quote in quotes if quote["price"] is not None)


def ticker(**changes: Any) -> Decoded:
    """One recorded ticker with some changes."""
    [recording] = [one for one in TICKERS if "BTCUSDT" in one.path.name]
    row = json.loads(recording.body)[0] | changes
    return decode(capture_batch([capture(TICKER, json.dumps([row]).encode())]))


def test_a_live_pair_that_nobody_traded_for_a_day_has_no_price_of_now() -> None:
    [quote] = ticker(count=0, firstId=-1, lastId=-1, lastPrice="69624.00000000").quotes.to_pylist()
    assert (quote["price"], quote["volume_24h"]) == (None, None)
    assert '"lastPrice":"69624.00000000"' in quote["extra"]


def test_a_change_of_zero_of_a_traded_pair_is_a_fact() -> None:
    [quote] = ticker(priceChange="0.00000000").quotes.to_pylist()
    assert quote["price_change_24h"] == "0.00000000"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbol": "BTCXYZ"}, "unknown_pair: no known quote asset ends the symbol 'BTCXYZ'"),
        ({"symbol": None}, "unknown_pair: no known quote asset ends the symbol None"),
        ({"lastPrice": "much"}, "not_a_number: lastPrice is 'much'"),
        ({"closeTime": "soon"}, "not_a_time: closeTime is 'soon'"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_reject_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    decoded = ticker(**changes)
    assert decoded.quotes.num_rows == 0
    assert decoded.rejects.to_pylist()[0]["reasons"] == [reason]


@pytest.mark.parametrize("recording", CANDLES, ids=lambda one: one.path.name)
def test_every_recorded_kline_comes_out_with_the_very_digits_of_its_text(recording: Recording) -> None:
    decoded = read(KLINES, recording)
    rows, candles = rows_of(recording.body), decoded.candles.to_pylist()
    assert decoded.rejects.to_pylist() == []
    for candle, row in zip(candles, rows, strict=True):
        assert (candle["asset"], candle["quote_currency"]) == ("BTC", "usdt")
        assert (candle["interval"], candle["open_time"]) == (recording.params["interval"], moment(row[0]))
        assert [candle[column] for column in CANDLE_AMOUNTS] == [*row[1:6], row[7]]
        assert candle["trades"] == row[8]
        assert rows_of(candle["extra"].encode()) == {
            "closeTime": row[6],
            "takerBuyBaseVolume": row[9],
            "takerBuyQuoteVolume": row[10],
            "ignore": row[11],
        }
        assert moment(row[6]) - candle["open_time"] < CANDLE_WIDTHS[candle["interval"]]


@pytest.mark.parametrize(("after", "closed"), [(timedelta(0), 60), (-timedelta(milliseconds=1), 59)])
def test_a_candle_that_was_still_open_is_left_out_without_a_reject(after: timedelta, closed: int) -> None:
    [recording] = [one for one in CANDLES if "_1m_" in one.path.name]
    ends = moment(rows_of(recording.body)[-1][6]) + timedelta(milliseconds=1)
    decoded = decode(capture_batch([capture(KLINES, recording.body, recording.params, ends + after)]))
    assert (decoded.candles.num_rows, decoded.rejects.num_rows) == (closed, 0)


@pytest.mark.parametrize(("after", "closed"), [(timedelta(0), 60), (-timedelta(seconds=1), 59)])
def test_a_clock_of_ours_that_is_ahead_closes_no_candle(after: timedelta, closed: int) -> None:
    [recording] = [one for one in CANDLES if "_1m_" in one.path.name]
    ends = moment(rows_of(recording.body)[-1][6]) + timedelta(milliseconds=1)
    ahead = capture(KLINES, recording.body, recording.params, ends + timedelta(hours=2))
    dated = replace(ahead, headers={"date": format_datetime(ends + after, usegmt=True)})
    assert decode(capture_batch([dated])).candles.num_rows == closed


def test_klines_of_a_symbol_that_no_rule_splits_are_rejects() -> None:
    params = {"symbol": "BTCXYZ", "interval": "1d"}
    decoded = decode(capture_batch([capture(KLINES, CANDLES[0].body, params)]))
    assert decoded.candles.num_rows == 0
    assert decoded.rejects.num_rows == len(rows_of(CANDLES[0].body))


def test_every_recorded_symbol_is_an_instrument_with_the_very_digits_of_its_steps() -> None:
    decoded = read(INSTRUMENTS, INFO)
    rows, instruments = rows_of(INFO.body)["symbols"], decoded.instruments.to_pylist()
    assert decoded.rejects.to_pylist() == []
    assert len(rows) == 595
    for number, (instrument, row) in enumerate(zip(instruments, rows, strict=True)):
        filters = {one["filterType"]: one for one in row["filters"]}
        assert instrument["path"] == f"/symbols/{number}"
        assert instrument["instrument"] == row["symbol"]
        assert (instrument["asset"], instrument["quote_currency"]) == (
            row["baseAsset"],
            row["quoteAsset"].lower(),
        )
        assert instrument["status"] == row["status"]
        assert instrument["price_step"] == filters["PRICE_FILTER"]["tickSize"]
        assert instrument["amount_step"] == filters["LOT_SIZE"]["stepSize"]
        taken = ("symbol", "status", "baseAsset", "quoteAsset")
        kept = {key: value for key, value in row.items() if key not in taken}
        assert rows_of(instrument["extra"].encode()) == kept


def test_tickers_and_instruments_name_an_asset_alike() -> None:
    for instrument in read(INSTRUMENTS, INFO).instruments.to_pylist():
        pair = split(instrument["instrument"])
        assert pair is not None
        assert (pair.base, pair.quote.lower()) == (instrument["asset"], instrument["quote_currency"])


@pytest.mark.parametrize(
    "filters", [[], None, [{"filterType": "PRICE_FILTER", "tickSize": "0.00000000"}, {"filterType": "NEW"}]]
)
def test_a_step_that_is_switched_off_or_not_given_is_null(filters: object) -> None:
    symbol = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"}
    body = json.dumps({"symbols": [symbol | {"filters": filters}]}).encode()
    [instrument] = decode(capture_batch([capture(INSTRUMENTS, body)])).instruments.to_pylist()
    assert (instrument["price_step"], instrument["amount_step"]) == (None, None)


def test_captures_of_all_datasets_are_read_together_in_any_order() -> None:
    captures = [
        capture(INSTRUMENTS, INFO.body),
        capture(KLINES, CANDLES[0].body, CANDLES[0].params),
        capture(TICKER, TICKERS[0].body),
    ]
    forth, back = decode(capture_batch(captures)), decode(capture_batch(captures[::-1]))
    assert forth == back
    assert min(table.num_rows for table in (forth.quotes, forth.candles, forth.instruments)) > 0
