"""Made-up answers: near the given prices, marked, repeatable, and of the form that the plugin reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from coinlake.model import Capture, Decoded, capture_batch
from coinlake.testing.mimic import Question
from coinlake.testing.recordings import Recording, load
from coinlake_coinbase import recordings
from coinlake_coinbase.decode import CANDLES, TICKER, decode
from coinlake_coinbase.mimic import CoinbaseMimic
from coinlake_coinbase.synthetic import made_up

START = datetime(2024, 10, 15, 1, 0, 57, 250_000, tzinfo=UTC)
MIDNIGHT = datetime(2024, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)
BPS = Decimal("0.0001")
PRICES = {"BTC": Decimal("65900.12"), "SHIB": Decimal("0.00001812"), "USD": Decimal(1)}
MOMENTS = [(START + n * DAY, {base: price * (1 + n) for base, price in PRICES.items()}) for n in range(3)]
MADE = made_up(MOMENTS)
TICKERS, DAILY = MADE[:6], MADE[6:]


def read(dataset: str, recording: Recording) -> Decoded:
    at = START + 9 * DAY
    page = Capture(
        source="coinbase",
        dataset=dataset,
        slot=at,
        page=1,
        url=recording.url or "",
        params=tuple(recording.params.items()),
        status=200,
        headers={},
        body=recording.body,
        requested_at=at,
        received_at=at,
        run_id="",
        plugin_version="",
        traceparent="",
        synthetic=recording.synthetic,
    )
    decoded = decode(capture_batch([page]))
    assert decoded.rejects.num_rows == 0
    return decoded


def bitcoin() -> list[dict[str, Any]]:
    """Bitcoin's quotes, in the order of their moments."""
    found = [quote for one in TICKERS for quote in read(TICKER, one).quotes.to_pylist()]
    return [quote for quote in found if quote["asset"] == "BTC"]


def test_every_made_up_answer_is_marked_and_has_the_url_it_would_have() -> None:
    assert all(one.synthetic for one in MADE)
    assert [one.recorded_at for one in TICKERS] == [START + n * DAY for n in (0, 0, 1, 1, 2, 2)]
    assert [one.url for one in TICKERS[:2]] == [
        f"https://api.exchange.coinbase.com/products/{product}/ticker" for product in ("BTC-USD", "SHIB-USD")
    ]
    assert [(one.recorded_at, one.endpoint) for one in DAILY] == [
        (None, f"/products/{product}/candles") for product in ("BTC-USD", "SHIB-USD")
    ]


def test_tickers_have_the_keys_of_real_ones() -> None:
    [real] = load(recordings.FOLDER / "ticker")
    assert all(list(json.loads(one.body)) == list(json.loads(real.body)) for one in TICKERS)


def test_tickers_are_within_basis_points_of_the_given_prices_at_their_moment() -> None:
    for number, one in enumerate(TICKERS):
        [quote] = read(TICKER, one).quotes.to_pylist()
        moment, prices = MOMENTS[number // 2]
        assert abs(Decimal(quote["price"]) / prices[quote["asset"]] - 1) <= 5 * BPS
        assert Decimal(quote["price"]).as_tuple().exponent == -8
        assert (quote["quote_currency"], quote["as_of"], quote["synthetic"]) == ("usd", moment, True)
        extra = json.loads(quote["extra"])
        assert Decimal(extra["bid"]) <= Decimal(quote["price"]) <= Decimal(extra["ask"])


def test_a_price_is_not_always_off_by_the_same() -> None:
    assert len({Decimal(quote["price"]) / (1 + n) for n, quote in enumerate(bitcoin())}) == 3


def test_a_days_candle_goes_from_the_day_befores_first_price_to_its_own() -> None:
    candles = read(CANDLES, DAILY[0]).candles.to_pylist()[::-1]
    assert [(candle["open"], candle["close"]) for candle in candles] == list(
        pairwise(quote["price"] for quote in bitcoin())
    )
    assert [candle["open_time"] for candle in candles] == [MIDNIGHT + DAY, MIDNIGHT + 2 * DAY]
    assert all((candle["interval"], candle["synthetic"]) == ("1d", True) for candle in candles)
    assert all((candle["low"], candle["high"]) == (candle["open"], candle["close"]) for candle in candles)


def test_several_moments_of_a_day_make_one_candle_a_day() -> None:
    hourly = [(START + timedelta(hours=n), PRICES) for n in range(49)]
    daily = [one for one in made_up(hourly) if not one.recorded_at]
    assert [len(json.loads(one.body)) for one in daily] == [2, 2]


def test_the_mimic_serves_a_made_up_day_once_it_is_over() -> None:
    asked = {"granularity": "86400", "start": MIDNIGHT.isoformat(), "end": (MIDNIGHT + 9 * DAY).isoformat()}
    question = Question("/products/BTC-USD/candles", asked)
    for days, expected in ((1, 0), (2, 1), (3, 2)):
        answer = CoinbaseMimic().answer(question, [*DAILY, *TICKERS], MIDNIGHT + days * DAY)
        assert len(json.loads(answer.body)) == expected
        assert answer.synthetic == (expected > 0)


def test_a_price_too_small_for_eight_places_is_left_out() -> None:
    [ticker] = made_up([(START, {"PEPE": Decimal("0.000000004"), "BTC": Decimal(1)})])
    assert ticker.endpoint == "/products/BTC-USD/ticker"


def test_the_same_prices_make_the_same_bytes_and_no_moment_makes_nothing() -> None:
    assert [one.body for one in made_up(MOMENTS)] == [one.body for one in MADE]
    assert made_up([]) == []
