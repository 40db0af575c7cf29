"""TLS to MongoDB and PostgreSQL, as their connection strings ask for it: used, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from coinlake.errors import FixConfiguration
from coinlake.settings import Secret
from coinlake_lake import mongo_server
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_setup import set_up
from coinlake_warehouse.connection import connect
from secured.terminator import TlsTerminator
from servers.certificates import make_authority, make_server_identity
from servers.mongod import Mongo
from servers.ports import HOST
from servers.postgres import Postgres


@dataclass(frozen=True)
class Authorities:
    """The one that signed the servers' certificates, and one that nobody knows."""

    ours: Path
    another: Path
    identity: Path


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder = tmp_path_factory.mktemp("authorities")
    ours = make_authority(folder / "ours")
    return Authorities(ours, make_authority(folder / "another"), make_server_identity(ours))


@pytest.fixture(scope="module")
def lake_url(
    tmp_path_factory: pytest.TempPathFactory, mongod_program: object, authorities: Authorities
) -> Iterator[Callable[[Path], Secret]]:
    """The lake by TLS, for who trusts an authority."""
    folder = tmp_path_factory.mktemp("mongo")
    with Mongo(folder, members=0, identity=authorities.identity) as mongo:
        (member,) = mongo.members
        yield lambda ca: Secret(f"mongodb://{member.address}/coinlake?tls=true&tlsCAFile={ca}")


@pytest.fixture(scope="module")
def warehouse_dsn(
    tmp_path_factory: pytest.TempPathFactory, authorities: Authorities
) -> Iterator[Callable[[Path], str]]:
    """The warehouse by TLS, for who trusts an authority and checks the host's name."""
    with Postgres(tmp_path_factory.mktemp("postgres")) as postgres:
        target = int(str(conninfo_to_dict(postgres.dsn)["port"]))
        with TlsTerminator(target, authorities.identity) as door:
            yield lambda ca: make_conninfo(
                postgres.dsn, host=HOST, port=door.port, sslmode="verify-full", sslrootcert=str(ca)
            )


def test_a_lake_is_made_and_read_by_tls(lake_url: Callable[[Path], Secret], authorities: Authorities) -> None:
    assert set_up(lake_url(authorities.ours))
    with MongoLake(lake_url(authorities.ours)) as lake:
        assert lake.end() == 0


def test_a_mongodb_that_nobody_here_trusts_is_refused_in_words(
    lake_url: Callable[[Path], Secret], authorities: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_server, "_AWAY_AFTER_MS", 1_000)
    with pytest.raises(
        FixConfiguration, match=r"Nobody here trusts the certificate .*tlsCAFile, in lake\.url"
    ):
        MongoLake(lake_url(authorities.another))


def test_a_tls_ca_file_that_is_not_there_is_refused_in_words(
    lake_url: Callable[[Path], Secret], tmp_path: Path
) -> None:
    with pytest.raises(
        FixConfiguration, match=r"lake\.url names a file for TLS that cannot be used: The tlscafile file"
    ):
        MongoLake(lake_url(tmp_path / "nowhere.pem"))


def test_a_warehouse_is_reached_by_tls(
    warehouse_dsn: Callable[[Path], str], authorities: Authorities
) -> None:
    with closing(connect(warehouse_dsn(authorities.ours), "test")) as session:
        assert session.pgconn.ssl_in_use


@pytest.mark.parametrize(
    ("ca", "said"), [("another", "certificate verify failed"), ("nowhere", "does not exist")]
)
def test_a_postgresql_that_nobody_here_trusts_is_refused_in_words(
    warehouse_dsn: Callable[[Path], str], authorities: Authorities, ca: str, said: str
) -> None:
    file = authorities.another if ca == "another" else authorities.ours.parent / "nowhere.pem"
    with pytest.raises(FixConfiguration, match=rf"{said}.*Check `warehouse\.dsn`"):
        connect(warehouse_dsn(file), "test")


def test_a_postgresql_without_tls_is_refused_where_tls_is_asked_for(
    warehouse_dsn: Callable[[Path], str], authorities: Authorities, tmp_path: Path
) -> None:
    with Postgres(tmp_path) as plain:
        dsn = make_conninfo(plain.dsn, sslmode="verify-full", sslrootcert=str(authorities.ours))
        with pytest.raises(FixConfiguration, match=r"does not support SSL.*Check `warehouse\.dsn`"):
            connect(dsn, "test")
