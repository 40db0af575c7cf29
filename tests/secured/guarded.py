"""MongoDB, Kafka and PostgreSQL with logins and roles, and each program under the login that is its own."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from confluent_kafka.admin import AclOperation
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pymongo import MongoClient

from coinlake.clock import SystemClock
from coinlake.settings import BusSettings
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from command_line.program import Program
from secured.shown_spark import EVENTS, PORT
from servers.fixtures import Spark
from servers.mongod import Mongo
from servers.ports import Port
from servers.postgres import Postgres
from servers.process import Process
from servers.secured_kafka import SecuredKafka

TOPIC = "coinlake.captures"
_SETTINGS = """
profile = "distributed"

[bus]
servers = "{servers}"
partitions = 3
security_protocol = "SASL_SSL"
ca_file = "{ca}"

[spark]
jars = "{jars}"

[sources.coingecko]
root = "{venue}"
"""
_RIGHTS = {
    "admin": [
        AclOperation.CREATE,
        AclOperation.ALTER_CONFIGS,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.READ,
    ],
    "producer": [AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS],
    "spark": [AclOperation.READ, AclOperation.DESCRIBE_CONFIGS],
}
"""What docs/distributed.md says that each user of Kafka needs."""


@dataclass
class Guarded:
    """The servers, and the logins of each program; `secrets` are all that must show nowhere."""

    folder: Path
    mongo: Mongo
    kafka: SecuredKafka
    postgres: Postgres
    spark: Spark
    venue: str
    ui_port: int
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, spark: Spark) -> Iterator[Guarded]:
        """All of it started, with users, and with nothing made by `coinlake` yet."""
        with (
            Mongo(folder / "mongo", authenticated=True) as mongo,
            SecuredKafka(folder / "kafka") as kafka,
            Postgres(folder / "postgres") as postgres,
            ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as venue,
        ):
            port = Port(folder / "ui.port")
            guarded = cls(folder, mongo, kafka, postgres, spark, venue.root, port.number)
            guarded.secrets["root of MongoDB"] = mongo.password
            guarded.secrets["owner of PostgreSQL"] = str(urlsplit(postgres.dsn).password)
            for user, rights in _RIGHTS.items():
                guarded.secrets[f"{user} of Kafka"] = kafka.make_user(user, TOPIC, rights)
            guarded.config.write_text(
                _SETTINGS.format(
                    servers=kafka.secured_servers, ca=kafka.ca_file, jars=spark.jars, venue=venue.root
                )
            )
            guarded._make_mongo_user("owner", "dbOwner")
            yield guarded
            port.release()

    @property
    def config(self) -> Path:
        """The settings file of all programs; it holds no secret."""
        return self.folder / "coinlake.toml"

    @property
    def open_bus(self) -> BusSettings:
        """The topic by the listener that is the test's own."""
        return BusSettings(servers=self.kafka.bootstrap_servers, topic=TOPIC, partitions=3)

    def lake_url(self, user: str) -> str:
        """The lake for one of MongoDB's users."""
        uri = self.mongo.uri_of(user, self.secrets[f"{user} of MongoDB"])
        split = urlsplit(uri)
        return split._replace(path="/coinlake", query=f"{split.query}&authSource=admin").geturl()

    def kafka_login(self, user: str) -> dict[str, str]:
        """A user of Kafka, as the programs' environment says it: the password in a file."""
        file = self.folder / f"kafka-{user}.password"
        file.write_text(self.secrets[f"{user} of Kafka"])
        file.chmod(0o600)
        return {"COINLAKE_BUS__USERNAME": user, "COINLAKE_BUS__PASSWORD_FILE": str(file)}

    def program(self, lake_user: str, kafka_user: str, dsn: str) -> Program:
        """The command line under these logins."""
        return Program(
            self.folder,
            {
                "COINLAKE_LAKE__URL": self.lake_url(lake_user),
                "COINLAKE_WAREHOUSE__DSN": dsn,
                **self.kafka_login(kafka_user),
            },
        )

    def make_lake_users(self) -> None:
        """Writer and reader, once `coinlake lake init` made their roles."""
        self._make_mongo_user("writer", "coinlake_writer")
        self._make_mongo_user("reader", "coinlake_reader")

    def warehouse(self, login: str, role: LiteralString | None) -> str:
        """The warehouse for a new login with a role; every login has one password."""
        password = self.secrets.setdefault(f"{login} of PostgreSQL", secrets.token_hex(16))
        name = sql.Identifier(login)
        with psycopg.connect(self.postgres.dsn, autocommit=True) as owner:
            owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password)))
            if role is not None:
                owner.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name))
        return make_conninfo(self.postgres.dsn, user=login, password=password)

    def environment(self, **settings: str) -> dict[str, str]:
        """What a program other than `coinlake` is started with."""
        python_path = [*map(os.path.abspath, sys.path), str(self.spark.python)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COINLAKE_")}
        temporary = self.folder / "tmp"
        events = self.folder / "events"
        for place in (temporary, events):
            place.mkdir(exist_ok=True)
        shown = {PORT: str(self.ui_port), EVENTS: events.as_uri(), "TMPDIR": str(temporary)}
        return clean | {"PYTHONPATH": os.pathsep.join(python_path)} | shown | settings

    @contextmanager
    def started(self, module: str, environment: dict[str, str]) -> Iterator[Process]:
        """A program, told to stop at the end; it must end well."""
        program = Process(self.folder, module)
        program.launch([sys.executable, "-m", module, f"--config={self.config}"], environment)
        try:
            yield program
            assert program.end(60) == 0, program.last_words()
        except BaseException:
            print(program.last_words())
            raise
        finally:
            program.kill()

    def _make_mongo_user(self, name: str, role: str) -> None:
        password = self.secrets[f"{name} of MongoDB"] = secrets.token_hex(16)
        with MongoClient[dict[str, object]](self.mongo.uri) as root:
            granted = [{"role": role, "db": "coinlake"}]
            root.admin.command("createUser", name, pwd=password, roles=granted)
