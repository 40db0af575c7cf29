"""Made-up answers: near the given prices, marked, repeatable, and of the form that the plugin reads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from coinlake.model import Decoded, capture_batch
from coinlake.testing import pages
from coinlake.testing.recordings import Recording
from coinlake_binance.decode import KLINES, TICKER, decode
from coinlake_binance.synthetic import made_up

START = datetime(2024, 10, 15, 1, 0, 57, tzinfo=UTC)
MIDNIGHT = datetime(2024, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)
BPS = Decimal("0.0001")
PRICES = {"BTC": Decimal("65900.12"), "SHIB": Decimal("0.00001812"), "USDT": Decimal("1.0001")}
MOMENTS = [(START + n * DAY, {base: price * (1 + n) for base, price in PRICES.items()}) for n in range(3)]
MADE = made_up(MOMENTS)
TICKERS, DAILY = MADE[:3], MADE[3:]


def read(dataset: str, recording: Recording) -> Decoded:
    page = replace(
        pages.capture(recording.body, source="binance", after=9 * DAY),
        dataset=dataset,
        params=tuple(recording.params.items()),
        synthetic=recording.synthetic,
    )
    decoded = decode(capture_batch([page]))
    assert decoded.rejects.num_rows == 0
    return decoded


def test_every_made_up_answer_is_marked_and_has_the_url_it_would_have() -> None:
    assert all(one.synthetic for one in MADE)
    assert [one.recorded_at for one in MADE] == [START, START + DAY, START + 2 * DAY, None, None]
    assert [one.endpoint for one in MADE] == ["/api/v3/ticker/24hr"] * 3 + ["/api/v3/klines"] * 2
    assert [one.params["symbol"] for one in DAILY] == ["BTCUSDT", "SHIBUSDT"]


def test_tickers_are_within_basis_points_of_the_given_prices_at_their_moment() -> None:
    for (moment, prices), recording in zip(MOMENTS, TICKERS, strict=True):
        quotes = read(TICKER, recording).quotes.to_pylist()
        assert [quote["asset"] for quote in quotes] == ["BTC", "SHIB"]
        for quote in quotes:
            given = prices[quote["asset"]]
            assert abs(Decimal(quote["price"]) / given - 1) <= 6 * BPS
            assert Decimal(quote["price"]).as_tuple().exponent == -8
            assert (quote["quote_currency"], quote["as_of"], quote["synthetic"]) == ("usdt", moment, True)
            assert Decimal(quote["low_24h"]) <= Decimal(quote["price"]) <= Decimal(quote["high_24h"])


def test_a_price_is_not_always_off_by_the_same() -> None:
    bitcoin = [Decimal(read(TICKER, one).quotes.column("price")[0].as_py()) for one in TICKERS]
    off = {price / (PRICES["BTC"] * (1 + n)) for n, price in enumerate(bitcoin)}
    assert len(off) == 3


def test_a_days_candle_goes_from_the_day_befores_first_price_to_its_own() -> None:
    bitcoin = [read(TICKER, one).quotes.column("price")[0].as_py() for one in TICKERS]
    candles = read(KLINES, DAILY[0]).candles.to_pylist()
    assert [(candle["open"], candle["close"]) for candle in candles] == [*pairwise(bitcoin)]
    assert [candle["open_time"] for candle in candles] == [MIDNIGHT + DAY, MIDNIGHT + 2 * DAY]
    assert all((candle["interval"], candle["synthetic"]) == ("1d", True) for candle in candles)


def test_several_moments_of_a_day_make_one_candle_a_day() -> None:
    hourly = [(START + timedelta(hours=n), PRICES) for n in range(49)]
    [bitcoin, _] = [one for one in made_up(hourly) if one.endpoint == "/api/v3/klines"]
    assert len(json.loads(bitcoin.body)) == 2


def test_a_price_too_small_for_eight_places_is_left_out() -> None:
    [ticker] = made_up([(START, {"PEPE": Decimal("0.000000004"), "BTC": Decimal(1)})])
    assert [row["symbol"] for row in json.loads(ticker.body)] == ["BTCUSDT"]


def test_the_same_prices_make_the_same_bytes_and_no_moment_makes_nothing() -> None:
    assert [one.body for one in made_up(MOMENTS)] == [one.body for one in MADE]
    assert made_up([]) == []
