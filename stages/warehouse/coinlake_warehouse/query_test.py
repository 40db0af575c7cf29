"""What a person's query gives, and what it cannot do, on a real server."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

from coinlake.errors import FixConfiguration, Refused, TryAgain
from coinlake_warehouse.conftest import batch, held, quote, rows
from coinlake_warehouse.connection import with_login
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.query import query
from coinlake_warehouse.rights import grant_reader


def _ask(dsn: str, text: str, **options: Any) -> pa.Table:
    with query(dsn, text, **options) as answer:
        return pa.Table.from_batches(answer.batches, answer.schema)


def test_every_type_arrives_exactly(dsn: str) -> None:
    answer = _ask(
        dsn,
        "SELECT 1.50 AS digits, 1e37::numeric AS large, NULL::numeric AS nothing, '' AS blank, "
        "7::bigint AS whole, true AS yes, '2024-10-15T02:00+02'::timestamptz AS moment, "
        "'2024-10-15'::date AS day, '{\"ath\":  1.50}'::json AS kept, 0.1::float8 AS approximate, "
        "ARRAY['a', NULL] AS several, ARRAY[1, 2] AS numbers, '\\x00ff'::bytea AS bytes, "
        "'00000000-0000-0000-0000-000000000001'::uuid AS id",
    )
    (row,) = answer.to_pylist()
    assert row == {
        "digits": "1.50",
        "large": "1" + "0" * 37,
        "nothing": None,
        "blank": "",
        "whole": 7,
        "yes": True,
        "moment": datetime(2024, 10, 15, tzinfo=UTC),
        "day": date(2024, 10, 15),
        "kept": '{"ath":  1.50}',
        "approximate": 0.1,
        "several": "{a,NULL}",
        "bytes": b"\x00\xff",
        "id": "00000000-0000-0000-0000-000000000001",
        "numbers": "{1,2}",
    }


def test_no_rows_still_have_their_columns(dsn: str) -> None:
    answer = _ask(dsn, "SELECT asset, price, as_of FROM quotes")
    assert answer.num_rows == 0
    assert answer.schema.names == ["asset", "price", "as_of"]


def test_rows_come_in_batches_up_to_the_limit(dsn: str) -> None:
    with query(dsn, "SELECT generate_series(1, 100000000)", limit=12_000) as answer:
        assert [batch.num_rows for batch in answer.batches] == [5_000, 5_000, 2_000]


def test_a_percent_sign_is_only_a_percent_sign(dsn: str) -> None:
    assert _ask(dsn, "SELECT 'a' LIKE '%a' AS found").to_pylist() == [{"found": True}]


def test_plans_and_settings_can_be_asked_for(dsn: str) -> None:
    assert _ask(dsn, "EXPLAIN SELECT 1").num_rows == 1
    assert _ask(dsn, "SHOW timezone").to_pylist() == [{"TimeZone": "UTC"}]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM quotes",
        "WITH gone AS (DELETE FROM quotes RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM quotes",
        "DO $$ BEGIN SET LOCAL transaction_read_only = off; RESET ROLE; DELETE FROM quotes; END $$",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE TEMP TABLE scratch ()",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_nothing_can_be_changed(dsn: str, text: str) -> None:
    one = held(1)
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([one], [quote(one)]))
    with pytest.raises(Refused):
        _ask(dsn, text)
    assert rows(dsn, "SELECT count(*) FROM quotes") == [1]


def test_a_reader_can_read_everything_and_change_nothing(dsn: str) -> None:
    one = held(1)
    grant_reader(dsn, "ann's", "o'hara")
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch([one], [quote(one)]))  # its partition is younger than the grant
    reader = with_login(dsn, "ann's", "o'hara")
    for table in (
        "quotes",
        "quotes_2024_10",
        "latest_quotes",
        "candles",
        "dead_letters",
        "batches",
        "position",
    ):
        assert _ask(reader, f"SELECT * FROM {table}").num_rows == len(rows(dsn, f"SELECT 1 FROM {table}"))
    with psycopg.connect(reader) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM quotes")
    writing = make_conninfo(reader, options="-c default_transaction_read_only=off")
    with psycopg.connect(writing) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM quotes")


def test_a_new_password_replaces_the_old_one(dsn: str) -> None:
    grant_reader(dsn, "bob", "old")
    grant_reader(dsn, "bob", "new")
    assert _ask(with_login(dsn, "bob", "new"), "SELECT 1").num_rows == 1
    with pytest.raises(FixConfiguration, match="password authentication failed"):
        _ask(with_login(dsn, "bob", "old"), "SELECT 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT\n  pric FROM quotes", r'column "pric" does not exist \(line 2, character 3\)'),
        ("SELEC 1", r'syntax error at or near "SELEC" \(line 1, character 1\)'),
        ("SELECT * FROM quote", 'relation "quote" does not exist'),
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("SELECT quotes FROM candles, position GROUP BY 1 HAVING max(1) = ''", "invalid input syntax"),
    ],
)
def test_a_wrong_query_is_answered_with_the_place_and_the_reason(dsn: str, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        _ask(dsn, text)


@pytest.mark.parametrize(
    "value",
    [
        "'infinity'::timestamptz",
        "'-infinity'::timestamp",
        "'0044-03-15 BC'::date",
        "'10000-01-01 00:00:00+00'::timestamptz",
    ],
)
def test_a_moment_that_has_no_exact_form_is_named_with_what_to_do_which_works(dsn: str, value: str) -> None:
    written = value.split("'")[1]
    with pytest.raises(Refused, match=f"cannot be given: .*'{re.escape(written)}.*Cast its column to text"):
        _ask(dsn, f"SELECT {value} AS moment")
    assert _ask(dsn, f"SELECT ({value})::text AS moment").to_pylist() == [{"moment": written}]


def test_a_query_that_takes_too_long_is_stopped(dsn: str) -> None:
    with pytest.raises(Refused, match="statement timeout"):
        _ask(dsn, "SELECT pg_sleep(600)", timeout_s=0.05)


def test_a_server_that_goes_away_in_the_middle_is_no_fault_of_the_query(dsn: str) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coinlake query'"

    def read_while_it_ends() -> None:
        with query(dsn, "SELECT generate_series(1, 100000000), repeat('x', 1000)") as answer:
            for place, _ in enumerate(answer.batches):
                if place == 0:
                    rows(dsn, end)

    with pytest.raises(TryAgain):
        read_while_it_ends()
