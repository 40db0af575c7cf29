"""The table of newest quotes: rank, name, price, change, sparkline, caps and age, a link in every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args

from coinlake_cli.page.charts import SPARK_HEIGHT, SPARK_WIDTH, spark_path
from coinlake_cli.page.elements import coin_name, coin_url, has_hidden_characters
from coinlake_cli.page.tables import HIDDEN_CHARACTERS, SYNTHETIC, Column, Table
from coinlake_cli.page.wording import (
    NOTHING,
    NOTHING_SAYS,
    ago,
    count,
    exact,
    moment,
    percent,
    short,
    span,
    visible,
)
from coinlake_warehouse.reading import Closes, Order, Quote, Reader

Amount = TypeVar("Amount", Decimal, int)

_OLD_AFTER = timedelta(hours=6)
"""A quote this much older than the newest is told apart: a stale coin, or one no longer asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of the quotes, in which order."""

    sought: str = ""
    order: Order = "rank"
    descending: bool = False
    limit: int = 50
    offset: int = 0

    def turned_by(self, order: str) -> Asked:
        """The same in that order, the other way round if it already was; back on the first page."""
        if order not in get_args(Order):
            return self
        if order == self.order:
            return replace(self, descending=not self.descending, offset=0)
        # Names and ranks are read upwards, amounts from the largest down.
        chosen: Any = order
        return replace(self, order=chosen, descending=order not in ("name", "rank"), offset=0)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of quotes as the table shows it, but for ages; `total` counts what all pages hold."""

    rows: Sequence[dict[str, Any]]
    as_of: Sequence[datetime]
    total: int
    spark_span: timedelta


def find(reader: Reader, asked: Asked) -> Found:
    """Reads one page of quotes with their sparklines."""
    quotes = reader.latest(
        asked.sought, order=asked.order, descending=asked.descending, limit=asked.limit, offset=asked.offset
    )
    if not quotes:
        return Found([], [], 0, timedelta(0))
    newest = max(quote.as_of for quote in quotes)
    closes = reader.closes([quote.key for quote in quotes], until=newest)
    rows = [_row(quote, closes, newest) for quote in quotes]
    return Found(rows, [quote.as_of for quote in quotes], quotes[0].found, closes.span)


class QuotesTable(Table):
    """A page of quotes. `on_order`, if given, makes headings buttons that call it with what to order by."""

    def __init__(self, *, on_order: Callable[[str], Any] | None = None) -> None:
        self._sortable = on_order is not None
        super().__init__("Newest quotes", _COLUMNS, on_order=on_order)
        self.classes("quotes")

    def show_found(self, found: Found, asked: Asked, now: datetime) -> None:
        """Shows a page of quotes as asked for, with their ages at `now`."""
        rows = []
        for row, as_of in zip(found.rows, found.as_of, strict=True):
            age = {**row["cells"]["age"], "text": ago(as_of, now)}
            rows.append({**row, "cells": {**row["cells"], "age": age}})
        self.show(rows, [self._as_asked(column, found, asked) for column in _COLUMNS])

    def _as_asked(self, column: Column, found: Found, asked: Asked) -> Column:
        if column.name == "spark" and found.rows:
            return replace(column, label=f"Last {span(found.spark_span)}")
        if not self._sortable:
            return replace(column, order=None)
        if column.order != asked.order:
            return column
        return replace(column, sorted="descending" if asked.descending else "ascending")


_COLUMNS = (
    Column("rank", "#", "rank num", order="rank"),
    Column("name", "Name", "name", heads=True, order="name"),
    Column("price", "Price", "price num", order="price"),
    Column("change", "24 h", "change num", order="change"),
    Column("spark", "Closes", "spark"),
    Column("cap", "Market cap", "cap num", order="market_cap"),
    Column("volume", "Volume, 24 h", "volume num", order="volume"),
    Column("age", "Age", "age num", order="as_of"),
)


def _row(quote: Quote, closes: Closes, newest: datetime) -> dict[str, Any]:
    """A row for `Table`; what its `age` says depends on the moment it is shown."""
    name = coin_name(quote.name, quote.key)
    badges = [SYNTHETIC] * quote.synthetic + [HIDDEN_CHARACTERS] * has_hidden_characters(quote.name)
    change = _cell(quote.price_change_pct_24h, percent, _turn(quote.price_change_pct_24h))
    price = _cell(quote.price, exact) | {"after": quote.quote_currency.upper()}
    return {
        "key": "\0".join(quote.key),
        "named": name,
        "of": "linked old" if newest - quote.as_of > _OLD_AFTER else "linked",
        "cells": {
            "rank": {"text": NOTHING, "title": NOTHING_SAYS}
            if quote.rank is None
            else {"text": count(quote.rank)},
            "name": {
                "text": name,
                "href": coin_url(quote.key),
                "after": visible(quote.symbol),
                "badges": badges,
            },
            "price": price | {"below": change["text"], "below_of": change["of"]},
            "change": change,
            "spark": _spark(closes.of.get(quote.key, ()), newest, closes.span),
            "cap": _cell(quote.market_cap, short),
            "volume": _cell(quote.volume_24h, short),
            "age": {"title": f"As of {moment(quote.as_of)} UTC, fetched {moment(quote.fetched_at)} UTC"},
        },
    }


def _rank(rank: int | None) -> str:
    return NOTHING if rank is None else count(rank)


def _cell(amount: Amount | None, write: Callable[[Amount | None], str], of: str = "") -> dict[str, str]:
    return {
        "text": write(amount),
        "title": NOTHING_SAYS if amount is None else exact(Decimal(amount)),
        "of": of,
    }


def _turn(change: Decimal | None) -> str:
    if not change:
        return ""
    return "up" if change > 0 else "down"


def _spark(closes: Sequence[tuple[datetime, Decimal]], until: datetime, over: timedelta) -> dict[str, str]:
    if len(closes) < 2:
        return {"text": ""}
    first, last = closes[0][1], closes[-1][1]
    return {
        "text": f"{len(closes)} closes from {exact(first)} to {exact(last)}",
        "path": spark_path(closes, until, over),
        "box": f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}",
        "of": _turn(last - first),
    }
