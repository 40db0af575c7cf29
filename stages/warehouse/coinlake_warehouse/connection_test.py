"""How a server that cannot be used is told of, and that no message repeats a password."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
import threading
import traceback

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from coinlake.errors import CoinlakeError, FixConfiguration, TryAgain
from coinlake_warehouse import connection
from coinlake_warehouse.conftest import LAKE, batch, held, rows
from coinlake_warehouse.connection import connect, explained, server_name, with_login
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.migrations import migrate

_ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python has no name for


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_session_speaks_utc_and_sees_the_schema_and_says_what_it_is_for(dsn: str) -> None:
    with connect(make_conninfo(dsn, options="-c work_mem=1MB"), "test") as session:
        shown = [
            session.execute(f"SHOW {name}").fetchone() for name in ("timezone", "search_path", "work_mem")
        ]
        assert shown == [("UTC",), ("coinlake",), ("1MB",)]
        assert rows(
            dsn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'coinlake test'"
        ) == [2]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"password": "s3cret"}, FixConfiguration, "password authentication failed"),
        ({"dbname": "nowhere"}, FixConfiguration, 'database "nowhere" does not exist'),
        ({"user": "nobody", "password": "s3cret"}, FixConfiguration, "authentication failed"),
        ({"port": str(_closed_port()), "password": "s3cret"}, TryAgain, "Connection refused"),
    ],
    ids=["password", "database", "login", "port"],
)
def test_a_server_that_does_not_let_us_in_is_named(
    dsn: str, change: dict[str, str], error: type[CoinlakeError], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        connect(make_conninfo(dsn, **change), "test")
    assert "127.0.0.1:" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "wrong", ["postgresql://ann:s3cret@[::1/x", "ann s3cret", "postgresql://a:s3cret@h:x/?y=1"]
)
def test_a_string_that_is_none_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(FixConfiguration, match=r"`warehouse\.dsn`") as raised:
        connect(wrong, "test")
    assert "s3cret" not in "".join(traceback.format_exception(raised.value))


def test_a_server_is_named_without_its_login() -> None:
    assert server_name("postgresql://ann:s3cret@db.example:6432/prices") == "db.example:6432/prices"
    assert server_name("dbname=prices") == "localhost:5432/prices"


def test_an_old_server_is_refused(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SERVER", 99)
    with pytest.raises(FixConfiguration, match="99 or later is needed"):
        connect(dsn, "test")


def test_a_database_without_the_schema_is_told_how_to_get_it(empty_database: str) -> None:
    with pytest.raises(FixConfiguration, match="does not have this program's tables"):
        PostgresWarehouse(empty_database).position(LAKE)


def test_a_login_that_may_not_write_is_told_so(dsn: str) -> None:
    with psycopg.connect(dsn) as session:
        session.execute("CREATE ROLE only_looks LOGIN PASSWORD 'x'")
        session.execute("GRANT coinlake_reader TO only_looks")
    reading = with_login(dsn, "only_looks", "x")
    assert PostgresWarehouse(reading).position(LAKE) == 0
    with pytest.raises(FixConfiguration, match="permission denied"):
        PostgresWarehouse(reading).load(batch([held(1)]))
    assert migrate(dsn) is None


@pytest.mark.skipif(sys.platform != "linux", reason="It takes Linux to make a socket deaf.")
def test_whoever_waits_for_a_server_that_is_cut_off_gets_to_know(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SILENCE_TIMEOUT_MS", 3_000)
    with connect(dsn, "cut off") as session:
        cutting = threading.Timer(0.2, _make_deaf, [session.fileno()])
        cutting.start()
        with pytest.raises(TryAgain, match="cannot be used now"), explained(dsn):
            session.execute("SELECT pg_sleep(30)")
        cutting.join()


@pytest.mark.skipif(sys.platform != "linux", reason="It takes Linux to make a socket deaf.")
def test_the_locks_of_a_session_that_is_cut_off_are_freed(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SILENCE_TIMEOUT_MS", 3_000)
    with connect(dsn, "cut off") as session, connect(dsn, "other") as other:
        session.execute("SELECT pg_advisory_lock(7)")
        _make_deaf(session.fileno())
        other.execute("SET lock_timeout = '20s'")
        other.execute("SELECT pg_advisory_lock(7)")


def _make_deaf(descriptor: int) -> None:
    """Drops all that arrives at a socket, acknowledgements too, as where the cable is cut.

    The other side of the cable is a machine that does not answer: ours, as the server sees it.
    """
    drop_all = struct.pack("HBBI", 0x06, 0, 0, 0)  # a filter of one instruction: return, and keep nothing
    address = ctypes.create_string_buffer(drop_all)
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(address))
    with socket.socket(fileno=os.dup(descriptor)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
