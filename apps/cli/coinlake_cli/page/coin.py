"""The view of one asset: its newest quote, a candle chart at any interval, and the last candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nicegui import ui

from coinlake.model import INTERVALS
from coinlake_cli.page.charts import candle_chart
from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import (
    EmptyState,
    Figure,
    Tag,
    choices,
    coin_name,
    coin_url,
    has_hidden_characters,
)
from coinlake_cli.page.frame import Live, frame
from coinlake_cli.page.tables import HIDDEN_CHARACTERS, SYNTHETIC, Column, Table
from coinlake_cli.page.wording import (
    NOTHING,
    NOTHING_SAYS,
    ago,
    count,
    exact,
    moment,
    percent,
    several,
    short,
    visible,
)
from coinlake_warehouse.reading import Candle, Key, Quote, Reader

_CANDLES = 300
"""Candles drawn: 25 hours of 5m, 12 days of 1h, ten months of 1d."""

_ROWS = 24
"""Candles in the table."""

_IN_FULL = ("high_24h", "low_24h")
"""Figures with all their digits; the others are rounded and tell theirs when pointed at."""


def register(desk: Desk) -> None:
    """Makes the view reachable."""

    @ui.page("/coin/{source}/{asset:path}")
    async def show(source: str, asset: str, currency: str = "", interval: str = "") -> None:
        with frame(desk, visible(asset) or "Asset", "/prices") as live:
            view = _Coin(desk, live, source, asset, currency, interval)
            await live.follow(view.refresh)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the view shows. `quote` is None for an asset that the warehouse does not have."""

    quote: Quote | None
    currencies: tuple[str, ...]
    interval: str
    candles: list[Candle]


def _find(reader: Reader, source: str, asset: str, currency: str, interval: str) -> _Found:
    quotes = {quote.quote_currency: quote for quote in reader.latest_of_asset(source, asset)}
    quote = quotes.get(currency) or quotes.get("usd") or next(iter(quotes.values()), None)
    if quote is None:
        return _Found(None, (), interval, [])
    if interval not in INTERVALS:
        interval = reader.closes([quote.key], until=quote.as_of).interval
    return _Found(quote, tuple(quotes), interval, reader.candles(quote.key, interval, limit=_CANDLES))


class _Coin:
    """One open page of an asset."""

    def __init__(self, desk: Desk, live: Live, source: str, asset: str, currency: str, interval: str) -> None:
        self._desk, self._live = desk, live
        self._asked = (source, asset, currency, interval)
        with ui.element("section").classes("panel quote") as self._summary:
            with ui.element("div").classes("headline"):
                self._price = Tag("p").classes("amount")
                self._unit = Tag("p").classes("unit")
                self._change = Tag("p").classes("change")
            with Tag("p").classes("aside"):
                self._symbol = Tag("bdi")
                self._as_of = Tag("span")
                self._badge = Tag("span", **SYNTHETIC).classes("badge")
                self._warning = Tag("span", **HIDDEN_CHARACTERS).classes("badge")
            with ui.element("dl").classes("figures"):
                self._rank = Figure("Rank")
                self._figures = {
                    field: Figure(name)
                    for field, name in (
                        ("market_cap", "Market cap"),
                        ("volume_24h", "Volume, 24 h"),
                        ("high_24h", "High, 24 h"),
                        ("low_24h", "Low, 24 h"),
                        ("circulating_supply", "In circulation"),
                        ("max_supply", "Most there can be"),
                    )
                }
        with ui.element("section").classes("panel") as self._history:
            with ui.element("div").classes("heading"):
                Tag("h2", "Candles")
                self._switches = ui.element("div").classes("switches")
            self._chart = ui.echart(candle_chart([], "1d"), renderer="svg").classes("candles")
            self._behind = Tag("p").classes("aside")
            self._table = Table("Last candles", _COLUMNS).classes("candles")
        self._empty = EmptyState(
            "search_off", "No such asset", "No quote of it has been loaded. Look for another under Prices."
        )
        self._switched = False
        self._drawn: list[Candle] | None = None

    async def refresh(self) -> None:
        """Shows what is newest."""
        asked = self._asked
        found = await self._desk.shelf.ask(("coin", asked), lambda reader: _find(reader, *asked))
        for part in (self._summary, self._history):
            part.set_visibility(found.quote is not None)
        self._empty.set_visibility(found.quote is None)
        if found.quote is None:
            return
        self._live.entitle(coin_name(found.quote.name, found.quote.key))
        self._switch(found.quote.key, found)
        self._show_quote(found.quote)
        self._show_candles(found)

    def _switch(self, key: Key, found: _Found) -> None:
        """Links to the other intervals and currencies, once: they reload the page, and can be shared."""
        if self._switched:
            return
        self._switched = True
        with self._switches:
            if len(found.currencies) > 1:
                urls = {
                    currency.upper(): coin_url(key._replace(quote_currency=currency), found.interval)
                    for currency in found.currencies
                }
                choices("Quote currency", urls, key.quote_currency.upper())
            urls = {interval: coin_url(key, interval) for interval in INTERVALS}
            choices("Candle interval", urls, found.interval)

    def _show_quote(self, quote: Quote) -> None:
        change = quote.price_change_pct_24h
        self._price.say(exact(quote.price), NOTHING_SAYS if quote.price is None else "")
        self._unit.say(quote.quote_currency.upper())
        self._change.say(f"{percent(change)} in 24 h" if change is not None else "")
        turn = "" if not change else "up" if change > 0 else "down"
        self._change.classes(replace=f"change {turn}")
        self._symbol.say(visible(quote.symbol))
        said = f"{quote.source}, as of {moment(quote.as_of)} UTC, {ago(quote.as_of, self._desk.now())}"
        self._as_of.say(said, f"Fetched {moment(quote.fetched_at)} UTC in capture {quote.capture_id}")
        self._badge.set_visibility(quote.synthetic)
        self._warning.set_visibility(has_hidden_characters(quote.name))
        rank = quote.rank
        self._rank.say(NOTHING if rank is None else count(rank), NOTHING_SAYS if rank is None else "")
        for field, figure in self._figures.items():
            amount = getattr(quote, field)
            write = exact if field in _IN_FULL else short
            figure.say(write(amount), NOTHING_SAYS if amount is None else exact(amount))

    def _show_candles(self, found: _Found) -> None:
        self._chart.set_visibility(bool(found.candles))
        if found.candles == self._drawn:
            return
        self._drawn = found.candles
        self._chart.options.update(candle_chart(found.candles, found.interval))
        self._chart.update()
        quotes = several(sum(candle.quotes for candle in found.candles), "quote")
        self._behind.set_text(
            f"{several(len(found.candles), 'candle')} of {found.interval} made of {quotes}, in UTC. The thin "
            "line joins the closes; a bucket without a quote has no candle."
            if found.candles
            else f"No candles of {found.interval} yet."
        )
        self._table.show([_row(candle) for candle in found.candles[: -_ROWS - 1 : -1]])
        self._table.set_visibility(bool(found.candles))


def _row(candle: Candle) -> dict[str, Any]:
    times = f"First quote {moment(candle.first_as_of)}, last {moment(candle.last_as_of)} UTC"
    opened = moment(candle.open_time)[:16]
    volume = NOTHING_SAYS if candle.volume_24h is None else exact(candle.volume_24h)
    return {
        "key": opened,
        "named": opened,
        "cells": {
            "opened": {"text": opened, "title": times, "badges": [SYNTHETIC] * candle.synthetic},
            "open": {"text": exact(candle.open)},
            "high": {"text": exact(candle.high)},
            "low": {"text": exact(candle.low)},
            "close": {"text": exact(candle.close)},
            "volume": {"text": short(candle.volume_24h), "title": volume},
            "quotes": {"text": count(candle.quotes)},
        },
    }


_COLUMNS = (
    Column("opened", "Opened, UTC", "opened", heads=True),
    Column("open", "Open", "num wide"),
    Column("high", "High", "num wide"),
    Column("low", "Low", "num wide"),
    Column("close", "Close", "num close"),
    Column("volume", "Volume, 24 h", "num wide"),
    Column("quotes", "Quotes", "num"),
)
