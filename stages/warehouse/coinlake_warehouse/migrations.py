"""The schema and its versions, by Alembic: each revision is one `.sql` file in `sql/migrations`.

All of a migration is one transaction under an advisory lock: a kill in the middle leaves the old schema,
and of several programs that start at once one migrates while the others wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Bind
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from coinlake.errors import FixConfiguration
from coinlake_warehouse.connection import Connection, connect, explained, server_name
from coinlake_warehouse.rights import prepare_roles
from coinlake_warehouse.statements import statement

SCHEMA = "coinlake"
_SCRIPTS = Path(__file__).parent / "sql" / "migrations"
_LOCK = 0x436F696E6C616B65
"""Key of the advisory lock: "Coinlake" in ASCII."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Versions:
    """The schema's version as found in a warehouse (None: no schema) and as this program knows it."""

    found: str | None
    newest: str
    is_known: bool
    """False where a newer program has migrated the warehouse."""


def migrate(dsn: str) -> str | None:
    """Brings the schema to this program's version; doing it again changes nothing.

    Returns why there are no roles to read and to load by, in a sentence, where the server does not let us
    make them. Raises `FixConfiguration` for a schema newer than the program or a missing right, and
    `TryAgain` where the server is away.
    """
    with _transaction(dsn) as bind:
        bind.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _versions(bind)
        if not before.is_known:
            raise FixConfiguration(
                f"The warehouse {server_name(dsn)} has schema version {before.found}, which is newer than "
                f"this program's {before.newest}: use the newer program, or another warehouse."
            )
        if before.found != before.newest:
            _make_schema(bind)
            command.upgrade(_config(bind), "head")
            log.info("warehouse.migrated", before=before.found, after=before.newest)
        connection = bind.connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        return prepare_roles(connection)


def versions(dsn: str) -> Versions:
    """Which version the warehouse has and which this program wants. Errors as in `migrate`."""
    with _transaction(dsn) as bind:
        return _versions(bind)


def run(bind: Bind, revision: str) -> None:
    """What each revision does: its `.sql` file, as one script."""
    script = statement(f"migrations/{revision}").as_string()
    bind.exec_driver_sql(script, execution_options={"no_parameters": True})


@contextmanager
def _transaction(dsn: str) -> Iterator[Bind]:
    def session() -> Connection:
        connection = connect(dsn, "migrate")
        connection.autocommit = False
        return connection

    # The engine never sees the connection string, so none of its messages can show a password.
    engine = create_engine("postgresql+psycopg://", creator=session, poolclass=NullPool)
    with explained(dsn):
        try:
            with engine.begin() as bind:
                yield bind
        except DBAPIError as error:
            raise error.orig or error from None


def _versions(bind: Bind) -> Versions:
    context = MigrationContext.configure(bind, opts={"version_table_schema": SCHEMA})
    found = context.get_current_revision()
    scripts = ScriptDirectory.from_config(_config(bind))
    newest = scripts.get_current_head()
    assert newest is not None
    known = {script.revision for script in scripts.walk_revisions()}
    return Versions(found, newest, is_known=found is None or found in known)


def _make_schema(bind: Bind) -> None:
    # Asked first, because even "if not exists" needs the right to create schemas.
    if bind.execute(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar() is None:
        bind.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")


def _config(bind: Bind) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes.update(connection=bind, schema=SCHEMA)
    return config
