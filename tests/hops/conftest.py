"""A lake, a topic and a warehouse of each test's own, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from coinlake.settings import BusSettings, Secret
from coinlake_bus.kafka import Bus
from coinlake_lake.conftest import in_database
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_setup import set_up
from coinlake_warehouse.migrations import migrate
from servers.fixtures import kafka_broker, kafka_program, mongo_replica_set, mongod_program, postgres_server
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

__all__ = ["kafka_broker", "kafka_program", "mongo_replica_set", "mongod_program", "postgres_server"]


@dataclass
class Hops:
    """Where captures come by."""

    url: Secret
    lake: MongoLake
    bus: Bus
    dsn: str


@pytest.fixture
def hops(mongo_replica_set: Mongo, kafka_broker: Kafka, postgres_server: Postgres) -> Iterator[Hops]:
    url = in_database(mongo_replica_set.uri, f"lake-{uuid4().hex[:12]}")
    set_up(url)
    bus = Bus(BusSettings(servers=kafka_broker.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3))
    bus.init()
    database = f"w{uuid4().hex}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {database}")
    dsn = make_conninfo(postgres_server.dsn, dbname=database)
    migrate(dsn)
    with MongoLake(url) as lake:
        yield Hops(url, lake, bus, dsn)
