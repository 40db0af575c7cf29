"""Drawings: sparklines as SVG paths, candles and arrivals as ECharts options.

Floats are made here and nowhere before. Colours are CSS variables, so that light and dark follow the page
without asking the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from coinlake_cli.page.wording import count, exact, moment, points, short, span
from coinlake_warehouse.comparing import Leg
from coinlake_warehouse.reading import BatchRecord, Candle

SPARK_WIDTH, SPARK_HEIGHT = 120, 32
_SPARK_MARGIN = 2
_SCALE_WIDTH = 84
"""Pixels right of the candles, for prices as long as 0.0000028391."""

_NO_EXPONENT = "value => value.toLocaleString('en', {maximumSignificantDigits: 6})"
_LINES = ["var(--accent)", "var(--up)", "var(--down)", "var(--muted)", "var(--ink)"]
_ALL_SAY = "points => [points[0].axisValue, ...points.filter(p => p.data).map(p => p.data.says)].join('<br>')"
_TEXT = {"color": "var(--muted)", "fontFamily": "inherit", "fontSize": 12}
_PRICE_AXIS = {
    "scale": True,
    "position": "right",
    "splitLine": {"lineStyle": {"color": "var(--line)"}},
    "axisLabel": {**_TEXT, ":formatter": _NO_EXPONENT},
}
_TOOLTIP = {
    "backgroundColor": "var(--raised)",
    "borderColor": "var(--line)",
    "textStyle": {"color": "var(--ink)", "fontSize": 13, "fontFamily": "inherit"},
    "extraCssText": "font-variant-numeric: tabular-nums; box-shadow: var(--shadow)",
    "confine": True,
    "transitionDuration": 0,
}


def spark_path(closes: Sequence[tuple[datetime, Decimal]], until: datetime, over: timedelta) -> str:
    """The `d` of an SVG path through closes, the span's width wide; "" for fewer than two."""
    if len(closes) < 2:
        return ""
    prices = [float(close) for _, close in closes]
    low, high = min(prices), max(prices)
    room = (high - low) or 1
    points = []
    for (opened, _), price in zip(closes, prices, strict=True):
        x = SPARK_WIDTH * (1 - (until - opened) / over)
        level = (price - low) / room if high > low else 0.5
        y = SPARK_HEIGHT - _SPARK_MARGIN - level * (SPARK_HEIGHT - 2 * _SPARK_MARGIN)
        points.append(f"{x:.1f} {y:.1f}")
    return "M" + "L".join(points)


def candle_chart(candles: Sequence[Candle], interval: str) -> dict[str, Any]:
    """Candles over the rolling volume, the exact figures in the tooltip."""
    times = [candle.open_time for candle in candles]
    return {
        "animation": False,
        "aria": {"enabled": True, "label": {"description": _described(candles)}},
        "grid": [
            {"left": 4, "right": _SCALE_WIDTH, "top": 12, "bottom": 116, "outerBoundsMode": "none"},
            {"left": 4, "right": _SCALE_WIDTH, "height": 56, "bottom": 36, "outerBoundsMode": "none"},
        ],
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "lineStyle": {"color": "var(--muted)"}},
        "tooltip": {
            **_TOOLTIP,
            "trigger": "axis",
            "axisPointer": {"type": "line"},
            ":formatter": "points => points[0].data.says",
        },
        "xAxis": [
            _time_axis(times, interval, labelled=False),
            _time_axis(times, interval, grid=1),
        ],
        "yAxis": [
            _PRICE_AXIS,
            {"gridIndex": 1, "position": "right", "show": False},
        ],
        "dataZoom": [
            {"type": "inside", "xAxisIndex": [0, 1], "zoomOnMouseWheel": "ctrl"},
        ],
        "series": [
            {
                "name": "Closes",
                "type": "line",
                "data": [{"value": float(each.close), "says": _tooltip(each)} for each in candles],
                "symbol": "circle" if len(candles) == 1 else "none",
                "lineStyle": {"width": 1.5, "color": "var(--accent)", "opacity": 0.55},
                "itemStyle": {"color": "var(--accent)"},
                "emphasis": {"disabled": True},
                "z": 1,
            },
            {
                "name": "Candles",
                "type": "candlestick",
                "data": [[float(each) for each in (c.open, c.close, c.low, c.high)] for c in candles],
                "barMaxWidth": 14,
                "itemStyle": {
                    "color": "var(--up)",
                    "borderColor": "var(--up)",
                    "color0": "var(--down)",
                    "borderColor0": "var(--down)",
                    "borderColorDoji": "var(--accent)",
                },
                "emphasis": {"disabled": True},
                "z": 2,
            },
            {
                "name": "Volume, 24 h",
                "type": "bar",
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [None if c.volume_24h is None else float(c.volume_24h) for c in candles],
                "itemStyle": {"color": "var(--muted)", "opacity": 0.35},
                "barMaxWidth": 14,
                "emphasis": {"disabled": True},
            },
        ],
    }


def _time_axis(
    opened: Sequence[datetime], interval: str, *, grid: int = 0, labelled: bool = True
) -> dict[str, Any]:
    pattern = "%b %d" if interval == "1d" else "%b %d, %H:%M"
    return {
        "type": "category",
        "gridIndex": grid,
        "data": [f"{each:{pattern}}" for each in opened],
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "axisTick": {"show": False},
        "axisLabel": {**_TEXT, "show": labelled, "hideOverlap": True, "alignMinLabel": "left"},
    }


def venues_chart(legs: Sequence[Leg], interval: str) -> dict[str, Any]:
    """One line a venue and currency through the closes in US dollars; gaps where a venue has none."""
    opened = sorted({leg.open_time for leg in legs})
    lines: dict[str, dict[datetime, Leg]] = {}
    for leg in legs:
        name = f"{leg.source} {leg.venue_asset}/{leg.quote_currency.upper()}"
        lines.setdefault(name, {})[leg.open_time] = leg
    return {
        "animation": False,
        "aria": {"enabled": True, "label": {"description": f"Prices at {', '.join(lines) or 'no venue'}."}},
        "color": _LINES,
        "grid": {"left": 4, "right": _SCALE_WIDTH, "top": 40, "bottom": 36, "outerBoundsMode": "none"},
        "legend": {
            "top": 0,
            "left": 0,
            "icon": "roundRect",
            "itemHeight": 4,
            "itemGap": 36,
            "textStyle": _TEXT,
        },
        "tooltip": {**_TOOLTIP, "trigger": "axis", "axisPointer": {"type": "line"}, ":formatter": _ALL_SAY},
        "xAxis": _time_axis(opened, interval),
        "yAxis": _PRICE_AXIS,
        "dataZoom": [{"type": "inside", "zoomOnMouseWheel": "ctrl"}],
        "series": [
            {
                "name": name,
                "type": "line",
                "data": [_point(name, by_bucket.get(each)) for each in opened],
                "symbol": "circle",
                "symbolSize": 4,
                "showSymbol": len(opened) == 1,
                "lineStyle": {"width": 1.5},
                "emphasis": {"disabled": True},
            }
            for name, by_bucket in lines.items()
        ],
    }


def _point(name: str, leg: Leg | None) -> dict[str, Any] | None:
    if leg is None or leg.price_usd is None:
        return None
    said = f"{escape(name)}: {exact(leg.price_usd)} USD, {points(leg.distance_bp)}"  # shown as HTML
    return {"value": float(leg.price_usd), "says": said}


def arrivals_chart(batches: Sequence[BatchRecord]) -> dict[str, Any]:
    """Quotes written and rows refused by each of the last batches, oldest first."""
    oldest_first = batches[::-1]
    series = (
        ("Quotes written", "var(--accent)", [batch.quotes_new for batch in oldest_first]),
        ("Rejects", "var(--down)", [batch.rejects for batch in oldest_first]),
    )
    return {
        "animation": False,
        "aria": {
            "enabled": True,
            "label": {"description": f"Quotes written by the last {len(batches)} batches."},
        },
        "grid": {"left": 0, "right": 0, "top": 8, "bottom": 2},
        "tooltip": {
            **_TOOLTIP,
            "trigger": "axis",
            "axisPointer": {"type": "shadow", "shadowStyle": {"color": "var(--line)", "opacity": 0.5}},
            ":formatter": "points => points[0].data.says",
        },
        "xAxis": {
            "type": "category",
            "data": [str(batch.batch_id) for batch in oldest_first],
            "show": False,
        },
        "yAxis": {"show": False},
        "series": [
            {
                "name": name,
                "type": "bar",
                "stack": "rows",
                "data": [
                    {"value": rows, "says": _batch_says(batch)}
                    for rows, batch in zip(numbers, oldest_first, strict=True)
                ],
                "itemStyle": {"color": colour, "opacity": 0.7, "borderRadius": 1},
                "barCategoryGap": "25%",
                "barMaxWidth": 18,
                "emphasis": {"disabled": True},
            }
            for name, colour, numbers in series
        ],
    }


def _tooltip(candle: Candle) -> str:
    """Figures only, so nothing in it needs escaping."""
    figures = (
        ("Open", exact(candle.open)),
        ("High", exact(candle.high)),
        ("Low", exact(candle.low)),
        ("Close", exact(candle.close)),
        ("Volume, 24 h", short(candle.volume_24h)),
        ("Quotes", count(candle.quotes)),
    )
    rows = "".join(f"<tr><th>{name}</th><td>{figure}</td></tr>" for name, figure in figures)
    return f"<b>{moment(candle.open_time)} UTC</b><table class='tip'>{rows}</table>"


def _batch_says(batch: BatchRecord) -> str:
    figures = (
        ("Written", count(batch.quotes_new)),
        ("Rejects", count(batch.rejects)),
        ("Lag", span(batch.lag)),
    )
    rows = "".join(f"<tr><th>{name}</th><td>{figure}</td></tr>" for name, figure in figures)
    return f"<b>Batch {batch.batch_id}</b><table class='tip'>{rows}</table>"


def _described(candles: Sequence[Candle]) -> str:
    if not candles:
        return "No candles."
    first, last = candles[0], candles[-1]
    return (
        f"{len(candles)} candles from {moment(first.open_time)} to {moment(last.open_time)} UTC, "
        f"closing between {exact(min(c.close for c in candles))} and {exact(max(c.close for c in candles))}, "
        f"last at {exact(last.close)}."
    )
