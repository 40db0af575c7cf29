"""PostgreSQL as tests get it: it serves, comes back with what it committed, and keeps to itself."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from servers.postgres import Postgres


def keep(dsn: str, number: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (number integer)")
        connection.execute("INSERT INTO numbers VALUES (%s)", (number,))


def kept(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY number")]


def test_a_postgresql_keeps_a_row_and_gives_it(postgres_server: Postgres) -> None:
    keep(postgres_server.dsn, 1)
    assert kept(postgres_server.dsn) == [1]


def test_nobody_gets_in_with_a_wrong_password(postgres_server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.dsn, password="wrong")


def test_a_killed_postgresql_comes_back_with_what_it_committed(tmp_path: Path) -> None:
    with Postgres(tmp_path) as server:
        keep(server.dsn, 1)
        dsn = server.dsn
        server.kill()
        assert not server.runs
        server.start()
        assert server.dsn == dsn
        assert kept(server.dsn) == [1]
    with Postgres(tmp_path) as later:
        assert later.dsn == dsn
        assert kept(later.dsn) == [1]


def test_two_side_by_side_do_not_meet(postgres_server: Postgres, tmp_path: Path) -> None:
    keep(postgres_server.dsn, 2)
    with Postgres(tmp_path) as other, psycopg.connect(other.dsn) as connection:
        assert connection.execute("SELECT to_regclass('numbers')").fetchone() == (None,)
