"""Migrations, on a real server: killed, run by several at once, newer than the program, with few rights."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from coinlake.errors import FixConfiguration
from coinlake_warehouse import migrations
from coinlake_warehouse.conftest import rows
from coinlake_warehouse.connection import connect, with_login
from coinlake_warehouse.migrations import Versions, migrate, versions
from coinlake_warehouse.schema import NEWEST

_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'coinlake'::regnamespace AND relkind IN ('r', 'p')"
)


def test_the_schema_is_made_once_and_then_left_alone(empty_database: str) -> None:
    assert versions(empty_database) == Versions(found=None, newest=NEWEST, is_known=True)
    assert migrate(empty_database) is None
    made = rows(empty_database, f"{_TABLES} ORDER BY 1")
    assert set(made) >= {"quotes", "latest_quotes", "candles", "dead_letters", "batches", "position"}
    assert migrate(empty_database) is None
    assert rows(empty_database, f"{_TABLES} ORDER BY 1") == made
    assert versions(empty_database) == Versions(NEWEST, NEWEST, is_known=True)


def test_every_table_and_column_says_what_it_holds(dsn: str) -> None:
    silent = rows(
        dsn,
        "SELECT relname || coalesce('.' || attname, '') FROM pg_class LEFT JOIN pg_attribute "
        "ON attrelid = pg_class.oid AND attnum > 0 WHERE relnamespace = 'coinlake'::regnamespace "
        "AND relkind IN ('r', 'p') AND relname <> 'alembic_version' "
        "AND (obj_description(pg_class.oid) IS NULL OR col_description(pg_class.oid, attnum) IS NULL)",
    )
    assert silent == []


def test_people_need_not_write_the_schema(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as person:
        assert person.execute("SELECT count(*) FROM quotes").fetchone() == (0,)


def test_a_search_path_that_somebody_set_stays(empty_database: str) -> None:
    name = sql.Identifier(str(conninfo_to_dict(empty_database)["dbname"]))
    with psycopg.connect(empty_database) as owner:
        owner.execute(sql.SQL("ALTER DATABASE {} SET search_path = theirs").format(name))
    migrate(empty_database)
    with psycopg.connect(empty_database) as person:
        assert person.execute("SHOW search_path").fetchone() == ("theirs",)


def test_programs_that_start_at_once_migrate_once(empty_database: str) -> None:
    faults: list[BaseException] = []

    def start() -> None:
        try:
            migrate(empty_database)
        except BaseException as error:
            faults.append(error)

    programs = [threading.Thread(target=start) for _ in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert faults == []
    assert rows(empty_database, "SELECT version_num FROM alembic_version") == [NEWEST]


def _migrate_and_die(dsn: str) -> None:
    def die(_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    # It is called last: all is made by then, and nothing committed.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "prepare_roles", die)
        migrate(dsn)


def test_a_kill_in_the_middle_leaves_the_old_schema(empty_database: str) -> None:
    killed = multiprocessing.get_context("spawn").Process(target=_migrate_and_die, args=(empty_database,))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert versions(empty_database).found is None
    assert migrate(empty_database) is None
    assert versions(empty_database).found == NEWEST


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(dsn: str) -> None:
    with connect(dsn, "test") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    assert versions(dsn) == Versions("9999_later", NEWEST, is_known=False)
    with pytest.raises(FixConfiguration, match=f"newer than this program's {NEWEST}"):
        migrate(dsn)
    assert versions(dsn).found == "9999_later"


def test_without_the_right_to_make_roles_all_else_works_and_it_is_said(empty_database: str) -> None:
    with connect(empty_database, "test") as connection:
        connection.execute("CREATE ROLE modest LOGIN PASSWORD 'x'")
        connection.execute(
            sql.SQL("GRANT CREATE ON DATABASE {} TO modest").format(
                sql.Identifier(str(conninfo_to_dict(empty_database)["dbname"]))
            )
        )
        # Roles are the server's: another test's warehouse may have made it.
        connection.execute("ALTER ROLE coinlake_reader RENAME TO coinlake_reader_hidden")
    try:
        problem = migrate(with_login(empty_database, "modest", "x"))
    finally:
        with connect(empty_database, "test") as connection:
            connection.execute("ALTER ROLE coinlake_reader_hidden RENAME TO coinlake_reader")
    assert problem is not None
    assert "CREATE ROLE coinlake_reader NOLOGIN" in problem
    assert versions(empty_database).found == NEWEST


def test_a_login_that_may_not_make_the_schema_is_told_so(empty_database: str) -> None:
    with connect(empty_database, "test") as connection:
        connection.execute("CREATE ROLE powerless LOGIN PASSWORD 'x'")
    with pytest.raises(FixConfiguration, match="permission denied for database"):
        migrate(with_login(empty_database, "powerless", "x"))
