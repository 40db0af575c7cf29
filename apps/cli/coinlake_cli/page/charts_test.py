from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from coinlake_cli.page.charts import arrivals_chart, candle_chart, spark_path
from coinlake_warehouse.reading import Candle

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_sparkline_places_closes_by_time_and_price() -> None:
    closes = [(NOON - DAY, Decimal(1)), (NOON - DAY / 4, Decimal(3)), (NOON, Decimal(2))]
    assert spark_path(closes, NOON, DAY) == "M0.0 30.0L90.0 2.0L120.0 16.0"


def test_a_price_that_never_moved_is_a_line_in_the_middle() -> None:
    closes = [(NOON - DAY, Decimal(1)), (NOON, Decimal(1))]
    assert spark_path(closes, NOON, DAY) == "M0.0 16.0L120.0 16.0"


def test_fewer_than_two_closes_draw_nothing() -> None:
    assert spark_path([(NOON, Decimal(1))], NOON, DAY) == ""


def test_a_candles_exact_digits_are_told_beside_the_drawing() -> None:
    price = Decimal("2.83900000000000000001e-9")
    candle = Candle(NOON, price, price, price, price, None, None, 3, NOON, NOON, synthetic=False)
    line, bodies, volume = candle_chart([candle], "1h")["series"]
    assert "0.00000000283900000000000000001" in line["data"][0]["says"]
    assert bodies["data"] == [[2.839e-9] * 4]
    assert volume["data"] == [None]


def test_charts_of_nothing_can_be_drawn() -> None:
    assert candle_chart([], "5m")["series"][0]["data"] == []
    assert arrivals_chart([])["series"][0]["data"] == []
