"""A lake, a topic and a warehouse of each test's own, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from coinlake.settings import Secret
from coinlake_bus.kafka import Bus
from coinlake_lake.conftest import in_database
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_setup import set_up
from coinlake_warehouse.migrations import migrate
from distributed.site import new_topic
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
    bus, dsn = Bus(new_topic(kafka_broker)), postgres_server.new_database()
    migrate(dsn)
    with MongoLake(url) as lake:
        yield Hops(url, lake, bus, dsn)
