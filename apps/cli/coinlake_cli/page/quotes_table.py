"""The table of newest quotes: rank, name, price, change, sparkline, caps and age, a link in every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from coinlake_cli.page.charts import SPARK_HEIGHT, SPARK_WIDTH, spark_path
from coinlake_cli.page.elements import coin_name, coin_url, name_warning
from coinlake_cli.page.tables import Table
from coinlake_cli.page.wording import (
    NOTHING,
    NOTHING_SAYS,
    ago,
    exact,
    moment,
    percent,
    short,
    span,
    visible,
)
from coinlake_warehouse.reading import Closes, Order, Quote, Reader

_OLD_AFTER = timedelta(hours=6)
"""A quote this much older than the newest is told apart: a stale coin, or one no longer asked for."""


_Column = tuple[str, str, str, Order | None]
"""Name, heading, classes, and what a click on the heading orders by."""


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
        super().__init__("Newest quotes", [column[:3] for column in _COLUMNS], _BODY, header=_HEADER)
        self.classes("quotes")
        self._sortable = on_order is not None
        if on_order:
            self.on("order", lambda event: on_order(event.args))

    def show_found(self, found: Found, asked: Asked, now: datetime) -> None:
        """Shows a page of quotes as asked for, with their ages at `now`."""
        columns = [self._column(column, found, asked) for column in _COLUMNS]
        if columns != self.columns:
            self.columns = columns
        self.show(
            [{**row, "age": ago(as_of, now)} for row, as_of in zip(found.rows, found.as_of, strict=True)]
        )

    def _column(self, column: _Column, found: Found, asked: Asked) -> dict[str, Any]:
        name, label, of, order = column
        direction = "descending" if asked.descending else "ascending"
        return {
            "name": name,
            "field": name,
            "label": f"Last {span(found.spark_span)}" if name == "spark" else label,
            "of": of,
            "order": order if self._sortable else None,
            "sorted": direction if order == asked.order else "none",
        }


def _row(quote: Quote, closes: Closes, newest: datetime) -> dict[str, Any]:
    own = closes.of.get(quote.key, ())
    change = quote.price_change_pct_24h
    return {
        "key": "\0".join(quote.key),
        "href": coin_url(quote.key),
        "rank": NOTHING if quote.rank is None else f"{quote.rank:,}",
        "rank_title": NOTHING_SAYS if quote.rank is None else "",
        "name": coin_name(quote.name, quote.key),
        "name_title": name_warning(quote.name),
        "symbol": visible(quote.symbol),
        "synthetic": quote.synthetic,
        "price": exact(quote.price),
        "price_title": _title(quote.price, "" if quote.price is None else exact(quote.price)),
        "currency": quote.quote_currency.upper(),
        "change": percent(change),
        "change_title": _title(change, f"{exact(change)} % in the 24 hours before"),
        "turn": _turn(change),
        "spark": spark_path(own, newest, closes.span),
        "spark_turn": _turn(own[-1][1] - own[0][1]) if own else "",
        "spark_says": _spark_says(own),
        "cap": short(quote.market_cap),
        "cap_title": _title(quote.market_cap, exact(quote.market_cap)),
        "volume": short(quote.volume_24h),
        "volume_title": _title(quote.volume_24h, exact(quote.volume_24h)),
        "as_of": f"As of {moment(quote.as_of)} UTC, fetched {moment(quote.fetched_at)} UTC",
        "old": newest - quote.as_of > _OLD_AFTER,
    }


def _title(amount: Decimal | None, said: str) -> str:
    return NOTHING_SAYS if amount is None else said


def _turn(change: Decimal | None) -> str:
    if not change:
        return ""
    return "up" if change > 0 else "down"


def _spark_says(closes: Sequence[tuple[datetime, Decimal]]) -> str:
    if len(closes) < 2:
        return ""
    return f"{len(closes)} closes from {exact(closes[0][1])} to {exact(closes[-1][1])}"


_COLUMNS: tuple[_Column, ...] = (
    ("rank", "#", "rank num", "rank"),
    ("name", "Name", "name", "name"),
    ("price", "Price", "price num", "price"),
    ("change", "24 h", "change num", "change"),
    ("spark", "Closes", "spark", None),
    ("cap", "Market cap", "cap num", "market_cap"),
    ("volume", "Volume, 24 h", "volume num", "volume"),
    ("age", "Age", "age num", "as_of"),
)

_HEADER = r"""
<q-tr>
  <th v-for="col in props.cols" :key="col.name" scope="col" :class="col.of"
      :aria-sort="col.order ? col.sorted : undefined">
    <button v-if="col.order" type="button" class="sort" @click="$parent.$emit('order', col.order)">
      {{ col.label }}<span class="arrow" aria-hidden="true">{{
        col.sorted === 'ascending' ? '↑' : col.sorted === 'descending' ? '↓' : '' }}</span>
    </button>
    <template v-else>{{ col.label }}</template>
  </th>
</q-tr>
"""

_BODY = rf"""
<q-tr class="linked" :class="{{ old: props.row.old }}">
  <td class="rank num" :title="props.row.rank_title">{{{{ props.row.rank }}}}</td>
  <th scope="row" class="name">
    <a :href="props.row.href" :title="props.row.name_title"><bdi>{{{{ props.row.name }}}}</bdi></a>
    <bdi class="symbol">{{{{ props.row.symbol }}}}</bdi>
    <span v-if="props.row.name_title" class="badge" :title="props.row.name_title">hidden characters</span>
    <span v-if="props.row.synthetic" class="badge" title="Made up for a load test, not recorded or live"
      >synthetic</span>
  </th>
  <td class="price num" :title="props.row.price_title"><span class="amount">{{{{ props.row.price }}}}</span>
    <span class="unit">{{{{ props.row.currency }}}}</span>
    <span class="narrow change" :class="props.row.turn">{{{{ props.row.change }}}}</span></td>
  <td class="change num" :class="props.row.turn" :title="props.row.change_title">{{{{
    props.row.change }}}}</td>
  <td class="spark">
    <svg v-if="props.row.spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" role="img"
         preserveAspectRatio="none" :aria-label="props.row.spark_says" :class="props.row.spark_turn">
      <path :d="props.row.spark" vector-effect="non-scaling-stroke" />
    </svg>
  </td>
  <td class="cap num" :title="props.row.cap_title">{{{{ props.row.cap }}}}</td>
  <td class="volume num" :title="props.row.volume_title">{{{{ props.row.volume }}}}</td>
  <td class="age num" :title="props.row.as_of">{{{{ props.row.age }}}}</td>
</q-tr>
"""
