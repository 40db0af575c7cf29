"""A dashboard of one day reads one day: no question goes through the whole history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coinlake import assets
from coinlake_warehouse.preparing import prepare
from dashboards.expressions import Expression, Shown, expanded, expressions
from dashboards.stocked import chosen
from servers.postgres import Postgres

MIDNIGHT = datetime(2026, 11, 7, tzinfo=UTC)
DAYS = 6
SHOWN = Shown(
    MIDNIGHT - timedelta(days=1),
    MIDNIGHT,
    {**chosen(interval="5m"), "trace": "0" * 32, "capture": "00000000-0000-0000-0000-000000000900"},
)
GROW = ("quotes_2026_11", "candles", "venue_candles", "batches", "loaded_captures", "dead_letters")
"""Tables that grow for ever."""
MOST = 2.5 / DAYS
"""Of such a table: where the shown time begins is looked for from its end, so a day may be read twice."""

GOES_FURTHER: Mapping[str, str] = {
    "quality: Open by rule": "all that is open now, and at most the newest ten thousand",
}


@pytest.fixture(scope="module")
def history(postgres_server: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A session in a warehouse of some days."""
    dsn = postgres_server.new_database()
    prepare(dsn, assets.load())
    with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as session:
        session.execute(Path(__file__).with_name("history.sql").read_bytes())
        session.execute("VACUUM ANALYZE")
        yield session


@pytest.mark.parametrize("asked", expressions("sql"), ids=str)
def test_a_day_is_read_for_a_day(asked: Expression, history: psycopg.Connection[Any]) -> None:
    question = expanded(asked, SHOWN)
    answer = history.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}".encode()).fetchone()
    assert answer is not None
    read: Counter[str] = Counter()
    for node in _nodes(answer[0][0]["Plan"]):
        each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        read[node.get("Relation Name", "")] += each * node["Actual Loops"]
    sizes = {
        table: history.execute(f"SELECT count(*) FROM coinlake.{table}".encode()).fetchone() for table in GROW
    }
    far = {table: read[table] for table, size in sizes.items() if size and read[table] > MOST * size[0]}
    assert bool(far) == (str(asked) in GOES_FURTHER), far


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
