"""The settings table, as a user would write it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import parse_table
from coinlake_coinbase.requests import INTERVALS
from coinlake_coinbase.settings import CoinbaseSettings, Interval


def parse(**given: Any) -> CoinbaseSettings:
    return parse_table(CoinbaseSettings, given, "sources.coinbase")


def test_nothing_given_is_fifteen_large_products_every_minute_and_their_candles_every_five() -> None:
    settings = parse()
    assert len(settings.products) == 15
    assert settings.products[:2] == ("BTC-USD", "ETH-USD")
    assert (settings.ticker_every, settings.candles_every) == (timedelta(minutes=1), timedelta(minutes=5))
    assert (settings.root, settings.interval) == ("https://api.exchange.coinbase.com", "1m")


def test_a_product_may_be_written_in_lower_case() -> None:
    assert parse(products=[" btc-usd", "ETH-eur"]).products == ("BTC-USD", "ETH-EUR")


def test_the_intervals_are_those_that_coinbase_has() -> None:
    assert get_args(Interval) == tuple(INTERVALS.values())
    assert tuple(INTERVALS) == ("60", "300", "900", "3600", "21600", "86400")


@pytest.mark.parametrize("product", ["BTCUSD", "BTC/USD", "BTC-", "", "BTC-USD/../x", "BTC-USD?a=1"])
def test_a_text_that_is_no_product_is_refused_at_the_start(product: str) -> None:
    with pytest.raises(
        FixConfiguration, match=r'sources\.coinbase\.products\.1: .* is no product of Coinbase: .*"BTC-USD"'
    ):
        parse(products=["ETH-USD", product])


@pytest.mark.parametrize("product", ["BTC-USDC", "btc-usdc"])
def test_a_product_that_is_answered_with_another_ones_data_is_refused_with_that_ones_name(
    product: str,
) -> None:
    with pytest.raises(FixConfiguration, match=r"answers 'BTC-USDC' with .*: write \"BTC-USD\""):
        parse(products=[product])


def test_a_product_twice_is_refused_by_name() -> None:
    with pytest.raises(FixConfiguration, match="more than once stand BTC-USD"):
        parse(products=["BTC-USD", "ETH-USD", "btc-usd"])


@pytest.mark.parametrize(
    "root", ["http://api.exchange.coinbase.com", "https://host/?key=1", "https://a:b@host"]
)
def test_a_root_that_is_not_safe_is_refused(root: str) -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.coinbase\.root: write an? "):
        parse(root=root)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"interval": "1h"}, 'candles_every is shorter than a candle of interval = "1h"'),
        ({"candles_every": "3h"}, "candles_every is longer than 150 candles of 1m"),
        ({"candles_every": "0s"}, "above zero"),
        ({"ticker_every": "0s"}, "above zero"),
        ({"interval": "30m"}, r"sources\.coinbase\.interval"),
        ({"products": []}, r"sources\.coinbase\.products"),
        ({"products": [f"A{n}-USD" for n in range(501)]}, r"sources\.coinbase\.products"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        parse(**given)
