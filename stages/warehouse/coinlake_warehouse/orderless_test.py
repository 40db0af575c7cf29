"""Properties: a warehouse depends on what was captured, not on how it was loaded; candles are exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake.model import CANDLE_KEY, INSTRUMENT_KEY, INTERVALS, QUOTE_KEY, Held
from coinlake_warehouse.conftest import (
    MIDNIGHT,
    batch,
    candle,
    decoded,
    held,
    instrument,
    quote,
    reject,
    rows,
)
from coinlake_warehouse.connection import connect
from coinlake_warehouse.load import PostgresWarehouse

# Few values of each kind, so that keys, moments and buckets collide often; around the ends of buckets.
_MINUTES = st.sampled_from([-1440, -1, 0, 2, 4.9999, 5, 59, 60, 1439, 1440, 44_640])
_PRICES = st.one_of(
    st.none(),
    st.sampled_from(["0", "1", "1.0", "1e-30", "1e37", "2.8e-09", "0." + "1234567890" * 6]),
)
_ROW = st.fixed_dictionaries(
    {
        "asset": st.sampled_from(["bitcoin", "_"]),
        "granularity": st.sampled_from(["live", "live", "5m", "1h", "1d"]),
        "minute": _MINUTES,
        "price": _PRICES,
        "volume_24h": _PRICES,
        "rank": st.sampled_from([None, "1"]),
    }
)
_VENUE_CANDLE = st.fixed_dictionaries(
    {
        "asset": st.sampled_from(["bitcoin", "_"]),
        "interval": st.sampled_from(["1m", "5m"]),
        "close": st.sampled_from(["0", "1.0", "1e-30", "0." + "1234567890" * 6]),
        "volume": _PRICES,
    }
)
_INSTRUMENT = st.fixed_dictionaries(
    {
        "instrument": st.sampled_from(["A/B", "_"]),
        "asset": st.sampled_from(["bitcoin", None]),
        "status": st.sampled_from(["online", "", None]),
    }
)
_CAPTURES = st.lists(
    st.fixed_dictionaries(
        {
            "received": st.sampled_from([0, 0, 3, 6]),
            "rows": st.lists(_ROW, max_size=6),
            "candles": st.lists(_VENUE_CANDLE, max_size=3),
            "instruments": st.lists(_INSTRUMENT, max_size=3),
            "refused": st.booleans(),
        }
    ),
    min_size=1,
    max_size=6,
)

Rows = list[dict[str, Any]]


class Work(NamedTuple):
    """A capture and what refining it gave."""

    capture: Held
    quotes: Rows
    rejects: Rows
    candles: Rows
    instruments: Rows


def _work(drawn: Sequence[dict[str, Any]]) -> list[Work]:
    made = []
    for number, given_capture in enumerate(drawn, 1):
        capture = held(number, 50_000 + given_capture["received"], synthetic=number == 1)
        quotes = [
            quote(
                capture,
                f"/{place}",
                as_of=MIDNIGHT + timedelta(minutes=row["minute"]),
                **{name: value for name, value in row.items() if name != "minute"},
            )
            for place, row in enumerate(given_capture["rows"])
        ]
        made.append(
            Work(
                capture,
                quotes,
                [reject(capture, "/x")] * given_capture["refused"],
                _placed(candle, capture, given_capture["candles"]),
                _placed(instrument, capture, given_capture["instruments"]),
            )
        )
    return made


def _placed(made: Callable[..., dict[str, Any]], of: Held, drawn: Rows) -> Rows:
    return [made(of, path=f"/{place}", **columns) for place, columns in enumerate(drawn)]


def _batch(work: Sequence[Work], **changed: Any) -> Any:
    tables = ([row for part in parts for row in part] for parts in list(zip(*work, strict=True))[1:])
    return batch([one.capture for one in work], decoded=decoded(*tables), **changed)


_STANDING = (
    "SELECT source, asset, quote_currency, granularity, as_of, fetched_at, price::text, volume_24h::text, "
    "rank, synthetic, capture_id, path FROM quotes ORDER BY 1, 2, 3, 4, 5",
    "SELECT * FROM latest_quotes ORDER BY 1, 2, 3",
    'SELECT * FROM candles ORDER BY asset, "interval", open_time',
    'SELECT source, asset, quote_currency, "interval", open_time, open::text, close::text, volume::text, '
    "trades, fetched_at, extra::text, synthetic, capture_id, path FROM venue_candles ORDER BY 1, 2, 3, 4, 5",
    "SELECT source, instrument, asset, status, price_step::text, fetched_at, capture_id, path "
    "FROM instruments ORDER BY 1, 2",
    "SELECT capture_id, path, stage, reasons, original, resolved_at IS NULL FROM dead_letters ORDER BY 1, 2",
)


def _emptied(dsn: str) -> PostgresWarehouse:
    with connect(dsn, "test") as connection:
        connection.execute(
            "TRUNCATE quotes, latest_quotes, candles, venue_candles, instruments, dead_letters, batches, "
            "position"
        )
    return PostgresWarehouse(dsn)


@pytest.fixture(scope="module")
def shared_dsn(fresh: Callable[[], str]) -> str:
    return fresh()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_CAPTURES, choices=st.data())
def test_splitting_repeating_and_reordering_batches_gives_the_same_warehouse(
    shared_dsn: str, drawn: list[dict[str, Any]], choices: st.DataObject
) -> None:
    work = _work(drawn)
    warehouse = _emptied(shared_dsn)
    warehouse.load(_batch(work))
    at_once = [rows(shared_dsn, query) for query in _STANDING]
    warehouse.close()

    # The same captures, as if they had reached the lake in another order: positions go with the place.
    shuffled = [
        one._replace(capture=replace(one.capture, position=place))
        for place, one in enumerate(choices.draw(st.permutations(work)), 1)
    ]
    cuts = sorted(choices.draw(st.sets(st.integers(1, len(work)))) | {0, len(work)})
    warehouse = _emptied(shared_dsn)
    for begin, end in pairwise(cuts):
        warehouse.load(_batch(shuffled[begin:end]))
        repeated = choices.draw(st.lists(st.sampled_from(shuffled[:end]), max_size=3))
        if repeated:
            warehouse.load(_batch(repeated, kind="replay"))
    warehouse.close()
    assert [rows(shared_dsn, query) for query in _STANDING] == at_once


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_CAPTURES)
def test_of_several_answers_the_earliest_quote_but_the_last_candle_and_instrument_stand(
    shared_dsn: str, drawn: list[dict[str, Any]]
) -> None:
    work = _work(drawn)
    warehouse = _emptied(shared_dsn)
    for one in work:
        warehouse.load(_batch([one]))
    warehouse.close()
    for table, key, choose, said in (
        ("quotes", QUOTE_KEY, min, [row for one in work for row in one.quotes]),
        ("venue_candles", CANDLE_KEY, max, [row for one in work for row in one.candles]),
        ("instruments", INSTRUMENT_KEY, max, [row for one in work for row in one.instruments]),
    ):
        answers = defaultdict(list)
        for row in said:
            answers[tuple(row[name] for name in key)].append(
                (row["fetched_at"], row["capture_id"], row["path"])
            )
        columns = ", ".join(f'"{name}"' for name in key)
        found = rows(shared_dsn, f"SELECT {columns}, fetched_at, capture_id::text, path FROM {table}")
        assert {row[:-3]: row[-3:] for row in found} == {of: choose(those) for of, those in answers.items()}


def _expected_candles(quotes: Sequence[dict[str, Any]]) -> dict[tuple[str, str, datetime], tuple[Any, ...]]:
    """Of each key the earliest answer; of each bucket the quotes no coarser than it, in order of time."""
    standing: dict[Any, dict[str, Any]] = {}
    for row in sorted(quotes, key=lambda row: (row["fetched_at"], row["capture_id"], row["path"])):
        standing.setdefault((row["asset"], row["granularity"], row["as_of"]), row)
    coarseness = ["live", *INTERVALS]
    buckets = defaultdict(list)
    for row in standing.values():
        for interval, width in INTERVALS.items():
            if row["price"] is not None and coarseness.index(row["granularity"]) <= coarseness.index(
                interval
            ):
                opened = row["as_of"] - (row["as_of"] - MIDNIGHT) % width
                buckets[row["asset"], interval, opened].append(row)

    def candle(members: list[dict[str, Any]]) -> tuple[Any, ...]:
        prices = [Decimal(row["price"]) for row in members]
        first = min(members, key=lambda row: (row["as_of"], coarseness.index(row["granularity"])))
        last = max(members, key=lambda row: (row["as_of"], -coarseness.index(row["granularity"])))
        volume = last["volume_24h"]
        return (
            Decimal(first["price"]), max(prices), min(prices), Decimal(last["price"]),
            None, None if volume is None else Decimal(volume), len(members), first["as_of"], last["as_of"],
            any(row["synthetic"] for row in members),
        )  # fmt: skip

    return {bucket: candle(members) for bucket, members in buckets.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_CAPTURES)
def test_candles_equal_a_model_that_looks_at_every_quote(
    shared_dsn: str, drawn: list[dict[str, Any]]
) -> None:
    work = _work(drawn)
    warehouse = _emptied(shared_dsn)
    for one in work:
        warehouse.load(_batch([one]))
    warehouse.close()
    found = rows(
        shared_dsn,
        'SELECT asset, "interval", open_time, open, high, low, close, volume, volume_24h, quotes, '
        "first_as_of, last_as_of, synthetic FROM candles",
    )
    assert {row[:3]: row[3:] for row in found} == _expected_candles([q for one in work for q in one.quotes])
    assert len(found) == len({row[:3] for row in found})
