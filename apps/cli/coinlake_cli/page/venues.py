"""The views that compare venues: the widest gaps, and one asset's price at each venue over time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from nicegui import ui

from coinlake.model import INTERVALS
from coinlake_cli.page.charts import venues_chart
from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import EmptyState, Tag, choices
from coinlake_cli.page.frame import Live, frame
from coinlake_cli.page.tables import SYNTHETIC, Column, Table
from coinlake_cli.page.wording import NOTHING, count, exact, moment, points, several, span, visible
from coinlake_warehouse.comparing import Gap, Leg
from coinlake_warehouse.reading import Reader

_BUCKETS = 120
"""Buckets drawn: 10 hours of 5m, 5 days of 1h, four months of 1d."""

_GAPS = 50
_COARSEST = list(INTERVALS)[-1]


def register(desk: Desk) -> None:
    """Makes the views reachable."""

    @ui.page("/venues")
    async def gaps(interval: str = "") -> None:
        with frame(desk, "Venues", "/venues") as live:
            view = _Gaps(desk, interval)
            await live.follow(view.refresh)

    @ui.page("/venues/{asset:path}")
    async def one(asset: str, interval: str = "") -> None:
        with frame(desk, visible(asset) or "Asset", "/venues") as live:
            view = _Asset(desk, live, asset, interval)
            await live.follow(view.refresh)


def _url(asset: str, interval: str) -> str:
    return f"/venues/{quote(asset, safe='')}?interval={interval}"


def _switch(url: str, interval: str) -> None:
    choices("Bucket", {each: f"{url}?interval={each}" for each in INTERVALS}, interval)


def _interval(reader: Reader, asked: str) -> str:
    """The interval asked for; else the finest in which two venues can be compared now."""
    if asked in INTERVALS:
        return asked
    return next((each for each in INTERVALS if reader.widest_gaps(each, limit=1)), _COARSEST)


class _Gaps:
    """One open page of the widest gaps."""

    def __init__(self, desk: Desk, interval: str) -> None:
        self._desk, self._asked = desk, interval
        self._switched = False
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("heading"):
                Tag("h2", "Widest gaps")
                self._switches = ui.element("div").classes("switches")
            Tag(
                "p",
                "How far apart venues are on one asset in the newest bucket that two of them share. Prices "
                "in other currencies are brought to US dollars by that currency's price in the same bucket.",
            ).classes("aside")
            self._table = Table("Widest gaps", _GAP_COLUMNS).classes("gaps")
            self._empty = EmptyState(
                "balance",
                "Nothing to compare yet",
                "An asset shows here once two venues have quoted it in one bucket: add a venue, such as "
                "[sources.binance], to coinlake.toml.",
            )

    async def refresh(self) -> None:
        """Shows what is newest."""
        interval, gaps = await self._desk.shelf.ask(("gaps", self._asked), self._find)
        if not self._switched:
            self._switched = True
            with self._switches:
                _switch("/venues", interval)
        self._table.show([_gap_row(gap, interval) for gap in gaps])
        self._table.set_visibility(bool(gaps))
        self._empty.set_visibility(not gaps)

    def _find(self, reader: Reader) -> tuple[str, list[Gap]]:
        interval = _interval(reader, self._asked)
        return interval, reader.widest_gaps(interval, limit=_GAPS)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the view of one asset shows, oldest first."""

    interval: str
    legs: list[Leg]


class _Asset:
    """One open page of an asset's prices at all venues."""

    def __init__(self, desk: Desk, live: Live, asset: str, interval: str) -> None:
        self._desk, self._live = desk, live
        self._asset, self._asked = asset, interval
        self._switched = False
        self._drawn: list[Leg] | None = None
        with ui.element("section").classes("panel") as self._panel:
            with ui.element("div").classes("heading"):
                Tag("h2", "Price at each venue, US dollars")
                self._switches = ui.element("div").classes("switches")
            self._chart = ui.echart(venues_chart([], _COARSEST), renderer="svg").classes("candles")
            self._says = Tag("p").classes("aside")
            self._table = Table("Newest prices by venue", _LEG_COLUMNS).classes("legs")
        self._empty = EmptyState(
            "search_off",
            "No venue to compare",
            "The map of assets names no such asset, or nothing of it has been loaded.",
        )

    async def refresh(self) -> None:
        """Shows what is newest."""
        found = await self._desk.shelf.ask(("venues", self._asset, self._asked), self._find)
        self._panel.set_visibility(bool(found.legs))
        self._empty.set_visibility(not found.legs)
        if not found.legs:
            return
        if not self._switched:
            self._switched = True
            with self._switches:
                _switch(f"/venues/{quote(self._asset, safe='')}", found.interval)
        self._live.entitle(found.legs[0].name)
        if found.legs != self._drawn:
            self._drawn = found.legs
            self._chart.options.update(venues_chart(found.legs, found.interval))
            self._chart.update()
        newest = {leg.key: leg for leg in found.legs}  # oldest first: the last of each stays
        self._table.show([_leg_row(leg) for leg in newest.values()])
        self._says.set_text(
            f"{several(len(newest), 'price')} by venue and currency in buckets of {found.interval}, in UTC. "
            "The distance is from the median of the venues, in basis points (hundredths of a percent)."
        )

    def _find(self, reader: Reader) -> _Found:
        interval = _interval(reader, self._asked)
        legs = reader.comparison(self._asset, interval, buckets=_BUCKETS)
        return _Found(interval, legs)


def _gap_row(gap: Gap, interval: str) -> dict[str, Any]:
    low, high = gap.lowest, gap.highest
    return {
        "key": low.asset,
        "named": low.name,
        "cells": {
            "name": {
                "text": low.name,
                "href": _url(low.asset, interval),
                "badges": [SYNTHETIC] * any(leg.synthetic for leg in gap.legs),
            },
            "gap": {"text": points(gap.width_bp), "title": "From the lowest to the highest, of the median"},
            "median": {"text": exact(low.median_usd)},
            "low": _side(low),
            "high": _side(high),
            "venues": {"text": count(len(gap.legs))},
            "bucket": {
                "text": moment(low.open_time)[:16],
                "title": f"{span(gap.behind)} behind the newest price" if gap.behind else "The newest",
            },
        },
    }


def _side(leg: Leg) -> dict[str, Any]:
    return {
        "text": f"{leg.source} {leg.quote_currency.upper()} {points(leg.distance_bp)}",
        "title": f"{exact(leg.price)} {leg.quote_currency.upper()} as of {moment(leg.as_of)} UTC",
    }


def _leg_row(leg: Leg) -> dict[str, Any]:
    currency = leg.quote_currency.upper()
    converted = leg.usd_rate not in (None, Decimal(1))
    return {
        "key": "/".join(leg.key),
        "named": f"{leg.source} {leg.venue_asset}",
        "cells": {
            "venue": {
                "text": f"{leg.source} {leg.venue_asset}/{currency}",
                "badges": [SYNTHETIC] * leg.synthetic,
            },
            "price": {"text": f"{exact(leg.price)} {currency}"},
            "rate": {"text": exact(leg.usd_rate) if converted else NOTHING if leg.usd_rate is None else "1"},
            "usd": {"text": exact(leg.price_usd)},
            "distance": {"text": points(leg.distance_bp)},
            "face": {
                "text": points(leg.face_distance_bp) if converted else "",
                "title": f"As if one {currency} were one dollar" if converted else "",
            },
            "as_of": {"text": moment(leg.as_of)[:19], "title": f"{span(leg.age)} before the bucket's end"},
        },
    }


_GAP_COLUMNS = (
    Column("name", "Asset", "name", heads=True),
    Column("gap", "Gap", "num"),
    Column("median", "Median, USD", "num"),
    Column("low", "Lowest", "num wide"),
    Column("high", "Highest", "num wide"),
    Column("venues", "Prices", "num wide"),
    Column("bucket", "Bucket, UTC", "num wide"),
)
_LEG_COLUMNS = (
    Column("venue", "Venue", "name", heads=True),
    Column("price", "Price", "num"),
    Column("rate", "In USD", "num wide"),
    Column("usd", "Price, USD", "num wide"),
    Column("distance", "From the median", "num"),
    Column("face", "At face value", "num wide"),
    Column("as_of", "As of, UTC", "num wide"),
)
