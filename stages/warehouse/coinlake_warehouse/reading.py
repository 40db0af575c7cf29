"""What people and the page read of a warehouse: how fresh it is, what came last, what was refused.

Each question is one `.sql` file in `sql/reading`, made to answer within 50 ms at five million quotes.
Amounts are `Decimal`, digit for digit; whoever draws them makes floats, at the last step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID

from psycopg import sql

from coinlake_warehouse.alarming import Alarming
from coinlake_warehouse.comparing import Comparing
from coinlake_warehouse.statements import statement
from coinlake_warehouse.verifications import Verification

Order = Literal["rank", "name", "price", "change", "market_cap", "volume", "as_of"]
"""What the latest quotes can be ordered by."""

_ORDERS: Mapping[Order, str] = {
    "rank": "rank",
    "name": "lower(name)",
    "price": "price",
    "change": "price_change_pct_24h",
    "market_cap": "market_cap",
    "volume": "volume_24h",
    "as_of": "as_of",
}

SPANS: Mapping[str, timedelta] = {
    "5m": timedelta(hours=6),
    "1h": timedelta(days=3),
    "1d": timedelta(days=60),
}
"""The stretch of time a sparkline of each candle interval covers: 60 to 72 points when none is missing."""

_ENOUGH_HOURS = 24
"""From this many hourly closes an asset on, three days by the hour say more than any other span."""

_RULES_AMONG_NEWEST = 10_000


class Key(NamedTuple):
    """What a price is of: an asset of a source, in a quote currency."""

    source: str
    asset: str
    quote_currency: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What has been loaded so far; `quotes` counts the rows that batches wrote."""

    captures: int
    quotes: int
    batches: int
    assets: int
    dead_letters: int
    """Open ones."""
    position: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new a source's newest quotes are."""

    source: str
    assets: int
    newest_as_of: datetime
    newest_fetched_at: datetime
    synthetic: bool
    """True if any of its latest quotes is made up."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A newest quote. None is a value the venue did not give; `found` counts all that were asked for."""

    source: str
    asset: str
    quote_currency: str
    symbol: str | None
    name: str | None
    rank: int | None
    price: Decimal | None
    price_change_pct_24h: Decimal | None
    market_cap: Decimal | None
    volume_24h: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    circulating_supply: Decimal | None
    total_supply: Decimal | None
    max_supply: Decimal | None
    as_of: datetime
    fetched_at: datetime
    synthetic: bool
    capture_id: UUID
    path: str
    found: int = 1

    @property
    def key(self) -> Key:
        """What the quote is of."""
        return Key(self.source, self.asset, self.quote_currency)


@dataclass(frozen=True, slots=True)
class Closes:
    """Recent closes of some assets, oldest first, all over the same `span` of one candle interval."""

    interval: str
    span: timedelta
    of: Mapping[Key, Sequence[tuple[datetime, Decimal]]]


@dataclass(frozen=True, slots=True)
class Candle:
    """Open, high, low and close of the `quotes` in a bucket that starts at `open_time`."""

    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    volume_24h: Decimal | None
    quotes: int
    first_as_of: datetime
    last_as_of: datetime
    synthetic: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that was refused; `original` holds the first bytes of it where they were asked for."""

    capture_id: UUID
    path: str
    stage: str
    source: str
    dataset: str
    slot: datetime
    reasons: Sequence[str]
    received_at: datetime
    rejected_at: datetime
    original_bytes: int
    """Length of the whole original."""
    resolved_at: datetime | None = None
    original: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class RuleBroken:
    """How many open dead letters of a source a rule has made, and when it last did."""

    source: str
    rule: str
    letters: int
    newest_rejected_at: datetime


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A committed batch."""

    batch_id: int
    kind: Literal["tail", "replay"]
    first_position: int
    last_position: int
    captures: int
    quotes_read: int
    quotes_new: int
    rejects: int
    candles: int
    oldest_received_at: datetime
    started_at: datetime
    committed_at: datetime
    traceparent: str

    @property
    def lag(self) -> timedelta:
        """From receiving the batch's oldest capture to its being in the warehouse."""
        return self.committed_at - self.oldest_received_at

    @property
    def trace_id(self) -> str:
        """The trace that the batch belongs to; "" where there is none."""
        parts = self.traceparent.split("-")
        return parts[1] if len(parts) == 4 else ""


class Reader(Alarming, Comparing):
    """Reads a warehouse and can change nothing in it. Safe to share between threads; errors of `Asking`."""

    def newest_batch(self) -> int:
        """The id of the last committed batch, 0 before the first; nothing changes while it does not."""
        return int(self._one(_BatchId, "newest_batch").batch_id)

    def totals(self) -> Totals:
        """What has been loaded so far."""
        return self._one(Totals, "totals")

    def loaded(self, until: int) -> int:
        """How many of the lake's captures up to a position are loaded."""
        return int(self._one(_Loaded, "loaded", until=until).captures)

    def bus_offsets(self, topic: str, topic_id: str) -> Mapping[int, int]:
        """The next offset to load of each partition that was ever loaded of that very topic."""
        named = {"topic": topic, "topic_id": topic_id}
        return {
            row.partition: row.next_offset
            for row in self._fetch(_NextOffset, statement("attempts/offsets"), named)
        }

    def freshness(self) -> list[Freshness]:
        """How new each source's newest quotes are, by source."""
        return self._all(Freshness, "freshness")

    def latest(
        self,
        sought: str = "",
        *,
        order: Order = "rank",
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Quote]:
        """The newest quotes whose id, symbol, name or source holds `sought`, in whatever case."""
        query = statement("reading/latest").format(
            order=sql.SQL(_ORDERS[order]), direction=sql.SQL("DESC" if descending else "ASC")
        )
        return self._fetch(Quote, query, {"sought": sought.strip(), "limit": limit, "offset": offset})

    def latest_of_asset(self, source: str, asset: str) -> list[Quote]:
        """The newest quote of one asset in each currency it is quoted in; empty for an unknown one."""
        return self._all(Quote, "latest_of_asset", source=source, asset=asset)

    def closes(self, keys: Sequence[Key], *, until: datetime) -> Closes:
        """Recent closes of some assets up to `until`, at the interval that has most to show.

        Days of hourly closes where there are a day's worth of them; else hours by 5m or weeks by 1d,
        whichever has more points. Assets without closes there are left out.
        """
        found: dict[str, dict[Key, Sequence[tuple[datetime, Decimal]]]] = {name: {} for name in SPANS}
        sources, assets, quote_currencies = ([key[part] for key in keys] for part in range(3))
        rows = self._all(
            _ClosesRow,
            "closes",
            sources=sources,
            assets=assets,
            quote_currencies=quote_currencies,
            intervals=list(SPANS),
            spans=list(SPANS.values()),
            until=until,
        )
        for row in rows:
            key = Key(row.source, row.asset, row.quote_currency)
            found[row.interval][key] = list(zip(row.open_times, row.closes, strict=True))
        points = {interval: sum(map(len, of.values())) for interval, of in found.items()}
        chosen = "1h" if points["1h"] >= _ENOUGH_HOURS * len(keys) else max(points, key=points.__getitem__)
        return Closes(chosen, SPANS[chosen], found[chosen])

    def candles(
        self, key: Key, interval: str, *, limit: int = 500, until: datetime | None = None
    ) -> list[Candle]:
        """The last candles of an asset that opened at `until` or before, oldest first."""
        return self._all(Candle, "candles", **key._asdict(), interval=interval, limit=limit, until=until)

    def dead_letters(
        self, *, source: str | None = None, rule: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[DeadLetter]:
        """Open dead letters, newest first, without their original bytes."""
        return self._all(DeadLetter, "dead_letters", source=source, rule=rule, limit=limit, offset=offset)

    def dead_letter_keys(
        self,
        *,
        source: str | None = None,
        rule: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[tuple[UUID, str]]:
        """(capture id, path) of every open dead letter of slots in [since, until), oldest first."""
        asked = {"source": source, "rule": rule, "since": since, "until": until}
        rows = self._all(_LetterKey, "dead_letter_keys", **asked)
        return [(row.capture_id, row.path) for row in rows]

    def dead_letter(self, capture_id: UUID, path: str, *, limit_bytes: int) -> DeadLetter | None:
        """One dead letter, open or resolved, with at most `limit_bytes` of its original."""
        rows = self._all(DeadLetter, "dead_letter", capture_id=capture_id, path=path, bytes=limit_bytes)
        return rows[0] if rows else None

    def rules_broken(self) -> list[RuleBroken]:
        """Which rules the newest 10,000 open dead letters broke, most broken first."""
        return self._all(RuleBroken, "rules_broken", newest=_RULES_AMONG_NEWEST)

    def verification(self) -> Verification | None:
        """The newest verification of all captures; None where there was none."""
        return next(iter(self._all(Verification, "verification")), None)

    def batches(self, *, limit: int = 50, before: int | None = None) -> list[BatchRecord]:
        """Committed batches, newest first, from below the id `before` on."""
        return self._all(BatchRecord, "batches", limit=limit, before=before)


@dataclass(frozen=True, slots=True)
class _BatchId:
    batch_id: int


@dataclass(frozen=True, slots=True)
class _Loaded:
    captures: int


@dataclass(frozen=True, slots=True)
class _NextOffset:
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class _LetterKey:
    capture_id: UUID
    path: str


@dataclass(frozen=True, slots=True)
class _ClosesRow:
    source: str
    asset: str
    quote_currency: str
    interval: str
    open_times: list[datetime]
    closes: list[Decimal]
