"""The settings table, as a user would write it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from coinlake.errors import FixConfiguration
from coinlake.model import CANDLE_WIDTHS
from coinlake.settings import parse_table
from coinlake_binance.settings import BinanceSettings, Interval


def parse(**given: Any) -> BinanceSettings:
    return parse_table(BinanceSettings, given, "sources.binance")


def test_nothing_given_is_twenty_large_pairs_every_minute_and_their_candles_every_five() -> None:
    settings = parse()
    assert len(settings.symbols) == 20
    assert settings.symbols[:2] == ("BTCUSDT", "ETHUSDT")
    assert (settings.ticker_every, settings.klines_every) == (timedelta(minutes=1), timedelta(minutes=5))
    assert (settings.root, settings.interval) == ("https://data-api.binance.vision", "1m")


def test_a_symbol_may_be_written_with_a_slash_and_in_lower_case() -> None:
    assert parse(symbols=["BTC/USDT", " ethbtc ", "币安人生/usdt"]).symbols == (
        "BTCUSDT",
        "ETHBTC",
        "币安人生USDT",
    )


def test_every_interval_is_one_that_a_candle_may_have() -> None:
    assert set(get_args(Interval)) <= set(CANDLE_WIDTHS)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("BTC/XYZ", "'BTC/XYZ' ends in no known quote asset"),
        ("BTC-USDT", "'BTC-USDT' ends in no known quote asset"),
        ("USDT", "'USDT' ends in no known quote asset"),
        ("", "'' ends in no known quote asset"),
        ("B/TCUSDT", "'B/TCUSDT' would be BTC/USDT at Binance"),
    ],
)
def test_a_symbol_that_could_never_be_read_is_refused_at_the_start(symbol: str, said: str) -> None:
    with pytest.raises(FixConfiguration, match=rf"sources\.binance\.symbols\.1: {said}"):
        parse(symbols=["BTCUSDT", symbol])


def test_a_symbol_twice_is_refused_by_name() -> None:
    with pytest.raises(FixConfiguration, match="more than once stand BTCUSDT"):
        parse(symbols=["BTCUSDT", "ETHUSDT", "BTC/USDT"])


@pytest.mark.parametrize(
    "root", ["http://data-api.binance.vision", "https://host/?key=1", "https://a:b@host"]
)
def test_a_root_that_is_not_safe_is_refused(root: str) -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.binance\.root: write an? "):
        parse(root=root)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"interval": "1h"}, 'klines_every is shorter than a candle of interval = "1h"'),
        ({"klines_every": "9h"}, "klines_every is longer than 500 candles of 1m"),
        ({"klines_every": "0s"}, "above zero"),
        ({"ticker_every": "0s"}, "above zero"),
        ({"interval": "3m"}, r"sources\.binance\.interval"),
        ({"symbols": []}, r"sources\.binance\.symbols"),
        ({"weight_per_minute": 0}, r"sources\.binance\.weight_per_minute"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        parse(**given)
