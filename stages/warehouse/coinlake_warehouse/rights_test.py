"""What a loader may do is what loading takes, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from psycopg import sql

from coinlake import assets
from coinlake.errors import FixConfiguration
from coinlake_warehouse.attempts import Stager
from coinlake_warehouse.closing import BusLoader, Stretch
from coinlake_warehouse.closing_test import CAPTURES, TOPIC, Captures, load, received, standing
from coinlake_warehouse.conftest import rows
from coinlake_warehouse.connection import connect, with_login
from coinlake_warehouse.preparing import prepare
from coinlake_warehouse.rights import LOADER

_logins = count(1)


@pytest.fixture
def nobody(dsn: str) -> Iterator[str]:
    """The warehouse for a login without rights, gone at the end."""
    name = f"loader_{next(_logins)}"
    login = sql.Identifier(name)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(login))
        yield with_login(dsn, name, "x")
        owner.execute(sql.SQL("DROP ROLE {}").format(login))


@pytest.fixture
def loader_dsn(dsn: str, nobody: str) -> str:
    """The warehouse for a login with the loader's role."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        login = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(nobody)["user"]))
        owner.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(LOADER), login))
    return nobody


def test_a_loader_loads_all_that_the_owner_does(dsn: str, loader_dsn: str, fresh: object) -> None:
    prepare(loader_dsn, assets.load(None))
    loader, stager = BusLoader(loader_dsn, TOPIC), Stager(loader_dsn, Captures(*CAPTURES))
    for offset in range(2):  # new rows, and the same again
        loader.begin()
        load(loader, [stager.stage(received(CAPTURES))], Stretch(0, 12 * offset, 12 * offset + 12))
    loader.close()
    stager.close()
    assert len(standing(dsn)["quotes"]) == 36
    assert rows(dsn, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'coinlake'") == [
        "coinlake"
    ]


@pytest.mark.parametrize(
    "forbidden",
    [
        "DROP TABLE quotes",
        "TRUNCATE quotes",
        "DELETE FROM quotes",
        "DELETE FROM dead_letters",
        "DELETE FROM loaded_captures",
        "UPDATE loaded_captures SET position = 1",
        "UPDATE batches SET rejects = 0",
        "UPDATE alembic_version SET version_num = '1'",
        "ALTER TABLE quotes ADD COLUMN more text",
        "CREATE TABLE coinlake.mine (id int)",
        "CREATE ROLE another",
    ],
)
def test_a_loader_can_do_nothing_else(loader_dsn: str, forbidden: str) -> None:
    with connect(loader_dsn, "test") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(sql.SQL(forbidden))


def test_a_login_without_the_role_is_told_which_to_ask_for(nobody: str) -> None:
    with pytest.raises(FixConfiguration, match=r"no right to this: permission denied .* coinlake_loader"):
        prepare(nobody, assets.load(None))
