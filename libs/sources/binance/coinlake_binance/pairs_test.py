"""Every symbol Binance was ever recorded with is split as Binance itself says."""

from __future__ import annotations

import csv
import json

import pytest

from coinlake.testing.recordings import load
from coinlake_binance import recordings
from coinlake_binance.pairs import split


def recorded() -> list[dict[str, str]]:
    with recordings.SYMBOLS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_all_2144_recorded_symbols_are_split_as_binance_says() -> None:
    rows = recorded()
    assert len(rows) == 2144
    assert [row for row in rows if split(row["symbol"]) != (row["base"], row["quote"])] == []


def test_every_symbol_of_the_recorded_exchange_info_is_among_them() -> None:
    [info] = load(recordings.FOLDER / "exchangeInfo")
    said = {(one["symbol"], one["baseAsset"], one["quoteAsset"]) for one in json.loads(info.body)["symbols"]}
    assert len(said) == 595
    assert said <= {(row["symbol"], row["base"], row["quote"]) for row in recorded()}


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("TUSDT", "T", "USDT"),
        ("BTCTUSD", "BTC", "TUSD"),
        ("TUSDUSDT", "TUSD", "USDT"),
        ("USDTTRY", "USDT", "TRY"),
        ("BTCFDUSD", "BTC", "FDUSD"),
        ("USD1USDT", "USD1", "USDT"),
        ("BTCUSD1", "BTC", "USD1"),
        ("BTCU", "BTC", "U"),
        ("ADAEUR", "ADA", "EUR"),
        ("ETHAEUR", "ETH", "AEUR"),
        ("AEURUSDT", "AEUR", "USDT"),
        ("EURIUSDT", "EURI", "USDT"),
        ("BNBIDR", "BNB", "IDR"),
        ("BNBBIDR", "BNB", "BIDR"),
        ("币安人生USDT", "币安人生", "USDT"),
    ],
)
def test_the_longest_quote_asset_that_ends_a_symbol_is_its_quote(symbol: str, base: str, quote: str) -> None:
    assert split(symbol) == (base, quote)


@pytest.mark.parametrize("symbol", ["", "USDT", "BTCXYZ", "btcusdt", "BTCUSDT "])
def test_what_no_rule_splits_is_not_guessed(symbol: str) -> None:
    assert split(symbol) is None
