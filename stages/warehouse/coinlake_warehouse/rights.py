"""Who may do what: `coinlake_reader` sees every table and changes none, for people and dashboards;
`coinlake_loader` loads from the bus: it adds rows and says them anew, and can drop nothing."""

from __future__ import annotations

import psycopg
from psycopg import sql

from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.statements import statement

READER = "coinlake_reader"
LOADER = "coinlake_loader"


def prepare_roles(connection: Connection) -> str | None:
    """Makes the roles and their rights, within the transaction at hand; doing it again changes nothing.

    Where the server does not let this login make roles, returns why and what to do, and all else goes on.
    """
    try:
        with connection.transaction():
            for role in (READER, LOADER):
                connection.execute(
                    statement("rights/role").format(name=sql.Literal(role), role=sql.Identifier(role))
                )
    except psycopg.errors.InsufficientPrivilege as error:
        return (
            f"The roles {READER} and {LOADER} cannot be made ({error.diag.message_primary}); queries run "
            "under the login of `warehouse.dsn`, read-only. To have the roles, let an administrator run: "
            f"CREATE ROLE {READER} NOLOGIN; CREATE ROLE {LOADER} NOLOGIN"
        )
    connection.execute(statement("rights/grants"))
    return None


def grant_reader(dsn: str, login: str, password: str) -> None:
    """Makes `login`, or gives it a new password: a member of the reader role whose sessions only read.

    Raises `FixConfiguration` where `dsn`'s login may not make logins.
    """
    grant = statement("rights/login").format(
        login=sql.Identifier(login), name=sql.Literal(login), password=sql.Literal(password)
    )
    with explained(dsn), connect(dsn, "grant") as connection, connection.transaction():
        connection.execute(grant)


def has_login(dsn: str, login: str) -> bool:
    """Whether the server knows that login."""
    with explained(dsn), connect(dsn, "grant") as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,))
        return found.fetchone() is not None
