"""One way to reach PostgreSQL, and one place where its errors become Coinlake's.

Every session speaks UTC, sees the schema `coinlake` first and says in `pg_stat_activity` what it is for.
The connection string may hold a password, so no message ever repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from coinlake.errors import CoinlakeError, FixConfiguration, Refused, TryAgain

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

OLDEST_SERVER = 14
"""Major version: the first with `date_bin` and infinite numerics told apart."""

CONNECT_TIMEOUT_S = 10
SILENCE_TIMEOUT_MS = 30_000
"""How long one side may hear nothing of the other's machine, not even that bytes have arrived, before it
counts as gone: the server for us, and we for the server, which then frees our locks."""
_PROBES = 2
LOCK_TIMEOUT_S = 60

_SESSION = {
    "timezone": "UTC",
    "search_path": "coinlake",
    "jit": "off",
    "lock_timeout": f"{LOCK_TIMEOUT_S}s",
    "idle_in_transaction_session_timeout": "0",
    "statement_timeout": "0",
}


def connect(dsn: str, purpose: str) -> Connection:
    """An autocommitting session; `purpose` is shown to whoever looks at the server's sessions.

    Raises `FixConfiguration` for a wrong address, login or version, and `TryAgain` where it is away.
    """
    given = _parsed(dsn)
    pause_s = max(1, SILENCE_TIMEOUT_MS // (_PROBES + 1) // 1000)
    session = _SESSION | {
        "tcp_keepalives_idle": str(pause_s),
        "tcp_keepalives_interval": str(pause_s),
        "tcp_keepalives_count": str(_PROBES),
        "tcp_user_timeout": str(SILENCE_TIMEOUT_MS),
    }
    settings = " ".join(f"-c {name}={setting}" for name, setting in session.items())
    options = f"{given.get('options') or ''} {settings}".strip()
    with explained(dsn):
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,  # works behind a pooler, and plans fit the batch at hand
            application_name=f"coinlake {purpose}",
            connect_timeout=given.get("connect_timeout") or CONNECT_TIMEOUT_S,
            keepalives_idle=pause_s,
            keepalives_interval=pause_s,
            keepalives_count=_PROBES,
            tcp_user_timeout=SILENCE_TIMEOUT_MS,
            client_encoding="UTF8",
            options=options,
        )
    if (major := connection.info.server_version // 10_000) < OLDEST_SERVER:
        connection.close()
        raise FixConfiguration(
            f"The warehouse {server_name(dsn)} is PostgreSQL {major}: {OLDEST_SERVER} or later is needed."
        )
    return connection


def server_name(dsn: str) -> str:
    """`host:port/database` of a connection string: what messages call the server."""
    given = _parsed(dsn)
    host = given.get("host") or given.get("hostaddr") or "localhost"
    return f"{host}:{given.get('port') or 5432}/{given.get('dbname') or given.get('user') or ''}"


def with_login(dsn: str, login: str, password: str) -> str:
    """The same server and database under another login."""
    return make_conninfo(dsn, user=login, password=password)


def _parsed(dsn: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(dsn)
    except psycopg.Error:  # its message repeats the string, password and all
        raise FixConfiguration(
            "The setting `warehouse.dsn` is not a connection string of PostgreSQL: "
            "write postgresql://login:password@host:port/database."
        ) from None


@contextmanager
def explained(dsn: str) -> Iterator[None]:
    """Within it, errors of PostgreSQL become Coinlake's; what only a defect can cause stays as it is."""
    try:
        yield
    except psycopg.Error as error:
        translated = _translated(error, f"The warehouse {server_name(dsn)}")
        if translated is None:
            raise
        raise translated from error


# What a server says to a login it turns away, and what is said where TLS cannot be had as it is asked for:
# such errors come without a code.
_TURNED_AWAY = re.compile(
    r"authentication|password|pg_hba|does not exist|not permitted|permission denied"
    r"|certificate|does not support SSL"
)
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)

# By the code that PostgreSQL gives an error, or its first two characters, its class.
_NO_SCHEMA = re.compile("42P01|42703|3F000")
_CONFIGURATION = re.compile("28|3D|25006")
_NO_RIGHT = "42501"
_VALUE = re.compile("21|22|23|54")
_PASSING = re.compile("08|40|53|57|58|55P03|25P03")
_DISK_FULL = "53100"


def _translated(error: psycopg.Error, server: str) -> CoinlakeError | None:
    code = error.sqlstate or ""
    said = " ".join((error.diag.message_primary or str(error)).split())
    if code == _DISK_FULL:
        return TryAgain(f"{server} has no space left on its disk: free some. Nothing is lost. ({said})")
    if _NO_SCHEMA.match(code):
        return FixConfiguration(
            f"{server} does not have this program's tables ({said}): `coinlake run` makes them at its start."
        )
    if code == _NO_RIGHT:
        return FixConfiguration(
            f"{server} gives the login of `warehouse.dsn` no right to this: {said}. Let its owner grant "
            "coinlake_loader to what loads from a bus, or coinlake_reader to who reads; whoever sets the "
            "schema up has to own it."
        )
    if _CONFIGURATION.match(code) or (not code and _TURNED_AWAY.search(said)):
        return FixConfiguration(f"{server} does not let us do this: {said}. Check `warehouse.dsn`.")
    if _VALUE.match(code) or isinstance(error, psycopg.DataError):
        return Refused(f"{server} refuses a value: {said}.")
    if _PASSING.match(code) or (not code and isinstance(error, _LOST)):
        return TryAgain(f"{server} cannot be used now: {said}.")
    return None
