"""Candles and instruments that cannot be are refused; of several answers the last stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pyarrow as pa
import pytest

from coinlake.model import CANDLES, INSTRUMENTS, Decoded
from coinlake_refine.deduplicate import deduplicate
from coinlake_refine.validate import validate

RECEIVED = datetime(2024, 10, 15, 12, 0, 3, tzinfo=UTC)
OPENED = datetime(2024, 10, 15, 11, 55, tzinfo=UTC)

CANDLE = {
    "source": "venue",
    "asset": "BTC",
    "quote_currency": "usdt",
    "interval": "5m",
    "open_time": OPENED,
    "open": "65000.10",
    "high": "65001",
    "low": "64999.9",
    "close": "65000",
    "volume": "1.5",
    "quote_volume": None,
    "trades": "12",
    "fetched_at": RECEIVED,
    "extra": "{}",
    "synthetic": False,
    "capture_id": "a",
    "path": "/0",
}
INSTRUMENT = {
    "source": "venue",
    "instrument": "BTCUSDT",
    "asset": "BTC",
    "quote_currency": "usdt",
    "status": "TRADING",
    "price_step": "0.01",
    "amount_step": "0.00001",
    "fetched_at": RECEIVED,
    "extra": "{}",
    "synthetic": False,
    "capture_id": "a",
    "path": "/0",
}


def candles(*rows: dict[str, Any]) -> Decoded:
    """Candles with some columns other than those of `CANDLE`."""
    return Decoded(candles=pa.RecordBatch.from_pylist([CANDLE | row for row in rows], CANDLES))


def instruments(*rows: dict[str, Any]) -> Decoded:
    """Instruments with some columns other than those of `INSTRUMENT`."""
    return Decoded(instruments=pa.RecordBatch.from_pylist([INSTRUMENT | row for row in rows], INSTRUMENTS))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"asset": " "}, "no_asset: asset is ' '"),
        ({"quote_currency": ""}, "no_quote_currency: quote_currency is ''"),
        ({"interval": "7m"}, "unknown_interval: interval is '7m'"),
        ({"open_time": None}, "no_time: open_time is null"),
        ({"open_time": OPENED + timedelta(seconds=1)}, "between_buckets: open_time is 2024-10-15T11:55:01"),
        ({"open_time": OPENED + timedelta(minutes=10)}, "open_candle: open_time is 2024-10-15T12:05:00"),
        ({"close": None}, "no_price: close is null"),
        ({"low": "-1"}, "negative: low is '-1'"),
        ({"volume": "1e99"}, "implausible: volume is '1e99'"),
        ({"trades": "-1"}, "negative: trades is '-1'"),
        ({"high": "64999.95"}, "high_below_low: high is '64999.95'"),
        ({"low": "65000.01"}, "high_below_low: high is '65001'"),
    ],
)
def test_a_candle_that_cannot_be_is_refused_and_its_neighbours_go_on(
    columns: dict[str, Any], reason: str
) -> None:
    found = validate(candles({"path": "/0"}, columns | {"path": "/1"}, {"path": "/2"}))
    assert found.candles.column("path").to_pylist() == ["/0", "/2"]
    (refused,) = found.rejects.to_pylist()
    assert (refused["path"], refused["stage"]) == ("/1", "validate")
    assert any(said.startswith(reason) for said in refused["reasons"])


@pytest.mark.parametrize(
    "columns",
    [
        {"volume": None, "trades": None},
        {"open": "1", "high": "1", "low": "1", "close": "1.00"},
        {"volume": "0"},
        {"interval": "1m", "open_time": OPENED + timedelta(minutes=4)},
        {"interval": "1d", "open_time": datetime(2024, 10, 14, tzinfo=UTC)},
    ],
)
def test_a_candle_that_can_be_is_kept_as_it_is(columns: dict[str, Any]) -> None:
    given = candles(columns)
    assert validate(given) == given


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"instrument": ""}, "no_instrument: instrument is ''"),
        ({"price_step": "-0.01"}, "negative: price_step"),
        ({"quote_currency": "\0"}, "nul_character: quote_currency"),
    ],
)
def test_an_instrument_that_cannot_be_is_refused(columns: dict[str, Any], reason: str) -> None:
    found = validate(instruments({}, columns | {"path": "/1"}))
    assert found.instruments.num_rows == 1
    assert found.rejects.column("reasons")[0].as_py()[0].startswith(reason)


def test_of_several_answers_about_a_candle_or_an_instrument_the_last_stands_in_any_order() -> None:
    answers = [
        {"capture_id": "b", "fetched_at": RECEIVED},
        {"capture_id": "a", "fetched_at": RECEIVED + timedelta(minutes=5)},
        {"capture_id": "c", "fetched_at": RECEIVED - timedelta(minutes=5)},
    ]
    for order in permutations(answers):
        assert deduplicate(candles(*order)).candles.column("capture_id").to_pylist() == ["a"]
        assert deduplicate(instruments(*order)).instruments.column("capture_id").to_pylist() == ["a"]


def test_candles_of_other_buckets_intervals_and_currencies_are_no_repeats() -> None:
    given = candles(
        {},
        {"open_time": OPENED - timedelta(minutes=5)},
        {"interval": "1m"},
        {"quote_currency": "usdc"},
        {"asset": "ETH"},
    )
    assert deduplicate(given) == given
