"""What travels: requests, answers, captures (bronze) and the shapes of the rows made of them (silver).

Batches are Arrow. Amounts are the digits of the answer's own text from here to PostgreSQL's NUMERIC;
no step makes a binary float of them. A null is a value the venue did not give, never a zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Request:
    """One GET below a source's root: what to ask, with no secret in it."""

    path: str
    params: tuple[tuple[str, str], ...] = ()
    page: int = 1
    """1 for the first page of a slot; part of the capture's identity."""
    cost: int = 1
    """Weight this call takes from the source's per-window limits."""


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer: body bytes exactly as received, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """At most `weight` in any aligned window of `seconds`."""

    seconds: int
    weight: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `burst` at once, after which `per_second` flow back."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Keep:
    """The answer is what was asked for: store it."""

    windows: tuple[Window, ...] | None = None
    """Limits that the venue states in this very answer; from now on they stand in place of
    `Limits.windows`, for every process. None where it states none."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The venue asks for a pause; `after_s` is None where it did not say how long."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class BannedUntil:
    """Nothing may be sent to the venue, by any process, before `after_s` seconds have passed."""

    reason: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """The same request will never be answered: a person has to look at `reason`."""

    reason: str


Verdict = Keep | RetryAfter | BannedUntil | Refuse


@dataclass(frozen=True, slots=True)
class Limits:
    """What a venue allows one address or key; every number can be set in `coinlake.toml`."""

    windows: tuple[Window, ...] = ()
    bucket: Bucket | None = None
    credits_per_month: int | None = None
    """Calls that count, in a calendar month of UTC; None where there is no such budget."""
    used_weight_header: str | None = None
    """Header (lower case) in which the venue says the weight used in the first window."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of answer of a source, fetched once per slot of `cadence`."""

    name: str
    cadence: timedelta
    calls_per_slot: int = 1
    """Calls an ordinary slot takes: what a month's credits are planned with."""


@dataclass(frozen=True)
class Capture:
    """One HTTP answer as it came (bronze), with all that is needed to read it again in ten years."""

    source: str
    dataset: str
    slot: datetime
    page: int
    url: str
    params: tuple[tuple[str, str], ...]
    status: int
    headers: Mapping[str, str]
    """Chosen answer headers, names in lower case."""
    body: bytes
    requested_at: datetime
    received_at: datetime
    run_id: str
    plugin_version: str
    traceparent: str
    synthetic: bool = False
    """True where the answer was made up for a load test rather than recorded or live."""

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the body bytes."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def answered_at(self) -> datetime:
        """What is over by then, is over: the earlier of what the venue's clock (header `Date`) and ours say.

        So neither a clock of ours that is ahead, nor one of theirs, makes an open candle a closed one.
        """
        try:
            said = parsedate_to_datetime(self.headers.get("date", ""))
            return min(said if said.tzinfo else said.replace(tzinfo=UTC), self.received_at)
        except (ValueError, OverflowError):
            return self.received_at

    @cached_property
    def id(self) -> UUID:
        """The identity key (source, dataset, slot, page, sha256) as one value, the same in every lake."""
        return capture_id(self.source, self.dataset, self.slot, self.page, self.sha256)


def capture_id(source: str, dataset: str, slot: datetime, page: int, sha256: str) -> UUID:
    """A version 8 UUID of a capture's identity key."""
    return id_of(source, dataset, slot.isoformat(), str(page), sha256)


def id_of(*parts: str) -> UUID:
    """A version 8 UUID that the same texts always have, and others do not."""
    digest = bytearray(hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest())
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(digest))


_MOMENT = pa.timestamp("us", tz="UTC")

CAPTURES = pa.schema(
    [
        pa.field("capture_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("slot", _MOMENT, nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("params", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("received_at", _MOMENT, nullable=False),
        pa.field("answered_at", _MOMENT, nullable=False),
        pa.field("synthetic", pa.bool_(), nullable=False),
        pa.field("body", pa.large_binary(), nullable=False),
    ]
)
"""What decode reads: one row a capture. `received_at` is by our clock, `answered_at` by the venue's too."""

AMOUNTS = (
    "price",
    "volume_24h",
    "market_cap",
    "fully_diluted_valuation",
    "high_24h",
    "low_24h",
    "price_change_24h",
    "price_change_pct_24h",
    "market_cap_change_24h",
    "market_cap_change_pct_24h",
    "circulating_supply",
    "total_supply",
    "max_supply",
)
"""The numeric columns of a quote, in order: digits as text, null where the venue gave none."""

CANDLE_AMOUNTS = ("open", "high", "low", "close", "volume", "quote_volume")
"""The numeric columns of a venue's candle: prices and `quote_volume` in the quote currency, `volume` in the
asset; digits as text, null where the venue gave none."""

QUOTES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("asset", pa.string()),
        pa.field("quote_currency", pa.string(), nullable=False),
        pa.field("granularity", pa.string(), nullable=False),
        pa.field("as_of", _MOMENT),
        pa.field("fetched_at", _MOMENT, nullable=False),
        pa.field("symbol", pa.string()),
        pa.field("name", pa.string()),
        *(pa.field(name, pa.string()) for name in AMOUNTS),
        pa.field("rank", pa.string()),
        pa.field("extra", pa.string()),
        pa.field("synthetic", pa.bool_(), nullable=False),
        pa.field("capture_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
    ]
)
"""Silver rows. `extra` is the text of a JSON object: what the model has no column for, digit for digit.
`path` is the JSON pointer of the row within its capture's body. `asset` and `as_of` are null only
before validation."""

CANDLES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("asset", pa.string()),
        pa.field("quote_currency", pa.string(), nullable=False),
        pa.field("interval", pa.string(), nullable=False),
        pa.field("open_time", _MOMENT),
        *(pa.field(name, pa.string()) for name in CANDLE_AMOUNTS),
        pa.field("trades", pa.string()),
        pa.field("fetched_at", _MOMENT, nullable=False),
        pa.field("extra", pa.string()),
        pa.field("synthetic", pa.bool_(), nullable=False),
        pa.field("capture_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
    ]
)
"""Silver candles: closed ones, as a venue serves them. `open_time` is when the bucket begins."""

CANDLE_KEY = ("source", "asset", "quote_currency", "interval", "open_time")

CANDLE_WIDTHS: Mapping[str, timedelta] = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "6h": timedelta(hours=6),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
}
"""Intervals that a venue's candles may have."""

INSTRUMENTS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("instrument", pa.string()),
        pa.field("asset", pa.string()),
        pa.field("quote_currency", pa.string()),
        pa.field("status", pa.string()),
        pa.field("price_step", pa.string()),
        pa.field("amount_step", pa.string()),
        pa.field("fetched_at", _MOMENT, nullable=False),
        pa.field("extra", pa.string()),
        pa.field("synthetic", pa.bool_(), nullable=False),
        pa.field("capture_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
    ]
)
"""What a venue trades: `instrument` is its name for `asset` against `quote_currency`; `status` its own
word; `price_step` and `amount_step` the smallest changes of price and of amount (of the asset)."""

INSTRUMENT_KEY = ("source", "instrument")

QUOTE_KEY = ("source", "asset", "quote_currency", "granularity", "as_of")

LIVE = "live"
"""Granularity of a quote polled as it happened; backfilled rows say "5m", "1h" or "1d"."""

DAY_SUMMARY = "24h"
"""Granularity of what a venue says of the past 24 hours without the time of its price: no
candle is made of it."""

INTERVALS: Mapping[str, timedelta] = {
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
"""Candle intervals, finest first; buckets are aligned to UTC midnight."""

REJECTS = pa.schema(
    [
        pa.field("capture_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),
        pa.field("original", pa.large_binary()),
    ]
)
"""Rejected rows. `path` "" is the whole body; `original` is filled from the body by the last step."""

TABLES: Mapping[str, pa.Schema] = {
    "quotes": QUOTES,
    "rejects": REJECTS,
    "candles": CANDLES,
    "instruments": INSTRUMENTS,
}
"""The tables of `Decoded`, in its order."""


def one_batch(parts: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Batches of one schema, one behind the other, as a single batch."""
    whole = pa.Table.from_batches(parts, schema).combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema)


class Decoded(NamedTuple):
    """What a step makes: rows that go on, and rejects that end as dead letters.

    A step changes the tables it is about (`decoded._replace(quotes=…)`) and hands on the others as they are.
    """

    quotes: pa.RecordBatch = one_batch([], QUOTES)
    rejects: pa.RecordBatch = one_batch([], REJECTS)
    candles: pa.RecordBatch = one_batch([], CANDLES)
    instruments: pa.RecordBatch = one_batch([], INSTRUMENTS)

    def rejecting(self, rejects: Sequence[Mapping[str, Any]]) -> Decoded:
        """The same with more rejects, given as rows of `REJECTS`."""
        more = pa.RecordBatch.from_pylist(list(rejects), REJECTS)
        return self._replace(rejects=one_batch([self.rejects, more], REJECTS))

    @classmethod
    def joined(cls, parts: Sequence[Decoded]) -> Decoded:
        """All parts, table by table, one behind the other."""
        return cls(
            *(
                one_batch([part[place] for part in parts], schema)
                for place, schema in enumerate(TABLES.values())
            )
        )


def capture_batch(captures: Iterable[Capture]) -> pa.RecordBatch:
    """The Arrow form of captures, in the given order."""
    rows = list(captures)
    columns = {name: [getattr(row, name) for row in rows] for name in CAPTURES.names if name != "capture_id"}
    columns["capture_id"] = [str(row.id) for row in rows]
    return pa.RecordBatch.from_pydict(columns, schema=CAPTURES)


@dataclass(frozen=True, slots=True)
class Held:
    """A capture at rest: `position` orders captures as they became visible in their lake."""

    position: int
    capture: Capture = field(repr=False)
