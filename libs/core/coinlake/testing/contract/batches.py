"""Batches as a step gets to see them: rows of every table, with everything odd that venues have sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import (
    AMOUNTS,
    CANDLE_AMOUNTS,
    CANDLE_KEY,
    CANDLE_WIDTHS,
    DAY_SUMMARY,
    INSTRUMENT_KEY,
    LIVE,
    QUOTE_KEY,
    TABLES,
    Decoded,
)

Row = dict[str, Any]
Place = tuple[str, str]
"""Where a row was read: id of its capture, and its path within."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "quotes": QUOTE_KEY,
    "candles": CANDLE_KEY,
    "instruments": INSTRUMENT_KEY,
}
"""What one row is told from another by, table by table."""

RECEIVED = datetime(2024, 10, 15, 12, 0, 0, 250_001, tzinfo=UTC)
"""When the first capture was received; each later one an hour after the one before."""
CAPTURES = 4

SENSIBLE = (
    *("1", "67123.45", "1.50", "0.00000279", "2.8e-09", "1E+3", "0.1000000000000000055511151231257827"),
    *("123456789012345678901234567890.123456789", "0", "0.0", None, None),
)
"""Amounts that pass validation: long, tiny, zero, and null."""
ODD = ("-1", "-0.0", "1e40", "9" * 60, "1e9999999999", "NaN", "1.", "Infinity", "1e-9999")
"""Amounts that a venue may write and validation refuses."""

_DRAWN = 60

_TEXTS = ("bitcoin", "BTC", "Ξ “naïve”", "比特币", "\u200b", "a\x00b", 'q"uo,te\n\\N', " ", "🪙" * 30)
_CURRENCIES = ("usd", "usd", "eur", "usdt", "btc")


def decoded(tables: Mapping[str, Sequence[Row]]) -> Decoded:
    """Rows by the names of their tables, in their Arrow form."""
    return Decoded(
        *(
            pa.RecordBatch.from_pylist(list(tables.get(name, ())), schema=schema)
            for name, schema in TABLES.items()
        )
    )


def rows_of(batch: Decoded) -> dict[str, list[Row]]:
    """A batch's rows by the names of their tables."""
    return {name: table.to_pylist() for name, table in zip(TABLES, batch, strict=True)}


def place(row: Row) -> Place:
    """Where a row was read."""
    return row["capture_id"], row["path"]


def key_of(table: str, row: Row) -> tuple[Any, ...]:
    """What tells a row from the others of its table."""
    return tuple(row[name] for name in KEYS[table])


def as_sets(batch: Decoded) -> dict[str, set[str]]:
    """Rows of each table without their order and repeats."""
    return {name: {repr(row) for row in rows} for name, rows in rows_of(batch).items()}


def of_captures(batch: Decoded, wanted: Iterable[str]) -> Decoded:
    """The rows that were read in these captures."""
    ids = pa.array(sorted(wanted), pa.string())
    return Decoded(*(table.filter(pc.is_in(table.column("capture_id"), ids)) for table in batch))


def capture_id(number: int) -> str:
    """The id of a made-up capture."""
    return f"0000000{number}-0000-8000-8000-00000000000{number}"


@cache
def batches(*, raw: bool) -> list[Decoded]:
    """Batches of a few captures with rows in every table, small ones first.

    `raw` ones are as decoding makes them, unvalidated. Always the same: a check that fails, fails again.
    """
    drawn: list[Decoded] = []

    @settings(deadline=None, max_examples=_DRAWN, database=None, derandomize=True)
    @given(_batches(raw))
    def draw(batch: Decoded) -> None:
        drawn.append(batch)

    draw()
    return sorted(drawn, key=lambda batch: sum(table.num_rows for table in batch))


@cache
def examples() -> Decoded:
    """One fixed batch with each amount in each column, in every table."""
    steps = range(len(SENSIBLE))
    quotes = [
        _quote(step % CAPTURES, "bitcoin", "usd", LIVE, timedelta(minutes=-3 * step - 3), SENSIBLE[step:])
        for step in steps
    ]
    candles = [
        _candle(step % CAPTURES, "BTC", "usd", "1h", timedelta(hours=-2 - step), SENSIBLE[step:])
        for step in steps
    ]
    instruments = [_instrument(1, "BTC-USD", "BTC", "usd", SENSIBLE), _instrument(2, "X", None, None, ("1",))]
    rejects = [_reject(3, b'{"price":-1}')]
    return _numbered({"quotes": quotes, "rejects": rejects, "candles": candles, "instruments": instruments})


def _batches(raw: bool) -> st.SearchStrategy[Decoded]:
    return st.builds(
        _numbered,
        st.fixed_dictionaries(
            {
                "quotes": st.lists(_quotes(raw), min_size=1, max_size=6),
                "rejects": st.lists(_rejects(), max_size=2),
                "candles": st.lists(_candles(raw), max_size=4),
                "instruments": st.lists(_instruments(raw), max_size=3),
            }
        ),
    )


def _numbered(tables: Mapping[str, list[Row]]) -> Decoded:
    """The rows, each at a place of its own."""
    rows = (row for rows in tables.values() for row in rows)
    for number, row in enumerate(rows):
        row["path"] = f"/{number}"
    return decoded(tables)


def _of_capture(number: int) -> Row:
    """What all rows of a capture share."""
    return {
        "source": ("venue", "other")[number % 2],
        "fetched_at": RECEIVED + timedelta(hours=number),
        "synthetic": number == CAPTURES - 1,
        "capture_id": capture_id(number),
    }


def _amounts(names: Sequence[str], texts: Sequence[str | None]) -> Row:
    return {name: texts[place % len(texts)] for place, name in enumerate(names)}


def _quote(
    number: int,
    asset: str | None,
    currency: str,
    granularity: str,
    age: timedelta | None,
    texts: Sequence[str | None],
) -> Row:
    return _of_capture(number) | {
        "asset": asset,
        "quote_currency": currency,
        "granularity": granularity,
        "as_of": None if age is None else RECEIVED + age,
        "symbol": "Ξ",
        "name": "a name",
        "rank": "7",
        "extra": '{"ath":1.980000e37,"b":null,"dup":1,"dup":2}',
        **_amounts(AMOUNTS, texts),
    }


def _candle(
    number: int,
    asset: str | None,
    currency: str,
    interval: str,
    age: timedelta | None,
    texts: Sequence[str | None],
) -> Row:
    width = CANDLE_WIDTHS.get(interval, timedelta(hours=1))
    opened = (
        None
        if age is None
        else datetime.min.replace(tzinfo=UTC)
        + ((RECEIVED + age - datetime.min.replace(tzinfo=UTC)) // width * width)
    )
    return _of_capture(number) | {
        "asset": asset,
        "quote_currency": currency,
        "interval": interval,
        "open_time": opened,
        "trades": "12",
        "extra": None,
        **_amounts(CANDLE_AMOUNTS, [text or "1" for text in texts]),
    }


def _instrument(
    number: int, name: str | None, asset: str | None, currency: str | None, texts: Sequence[str | None]
) -> Row:
    return _of_capture(number) | {
        "instrument": name,
        "asset": asset,
        "quote_currency": currency,
        "status": "TRADING",
        "price_step": texts[0],
        "amount_step": texts[-1],
        "extra": None,
    }


def _reject(number: int, original: bytes | None) -> Row:
    return {
        "capture_id": capture_id(number),
        "stage": "decode",
        "reasons": ["wrong_type: price", "missing_key: asset"],
        "original": original,
    }


_numbers = st.integers(0, CAPTURES - 1)
_ages = st.integers(0, 5).map(lambda steps: timedelta(minutes=-5 * steps, microseconds=-steps))


def _texts(raw: bool) -> st.SearchStrategy[list[str | None]]:
    return st.lists(st.sampled_from(SENSIBLE + ODD if raw else SENSIBLE), min_size=1, max_size=9)


def _names(raw: bool) -> st.SearchStrategy[str | None]:
    return st.sampled_from((*_TEXTS, None, "") if raw else _TEXTS[:4])


def _quotes(raw: bool) -> st.SearchStrategy[Row]:
    granularities = st.sampled_from((LIVE, LIVE, "1h", DAY_SUMMARY, *(("?",) if raw else ())))
    ages = _ages | st.none() if raw else _ages
    currencies = st.sampled_from(_CURRENCIES)
    return st.builds(_quote, _numbers, _names(raw), currencies, granularities, ages, _texts(raw))


def _candles(raw: bool) -> st.SearchStrategy[Row]:
    intervals = st.sampled_from(("1m", "1h", "1d", *(("7m",) if raw else ())))
    ages = _ages.map(lambda age: age - timedelta(days=1))
    currencies = st.sampled_from(_CURRENCIES)
    return st.builds(
        _candle, _numbers, _names(raw), currencies, intervals, ages | st.none() if raw else ages, _texts(raw)
    )


def _instruments(raw: bool) -> st.SearchStrategy[Row]:
    names = st.sampled_from((*_TEXTS[:3], None) if raw else _TEXTS[:3])
    currencies = st.sampled_from((*_CURRENCIES, None))
    return st.builds(_instrument, _numbers, names, _names(raw), currencies, _texts(raw))


def _rejects() -> st.SearchStrategy[Row]:
    return st.builds(_reject, _numbers, st.sampled_from((None, b"", b"{", b"\xff\x00")))
