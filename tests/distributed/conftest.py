"""Servers for the tests of this room, and a site that uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributed.site import Site
from servers.fixtures import (
    Spark,
    kafka_broker,
    kafka_program,
    mongo_replica_set,
    mongod_program,
    postgres_server,
    spark_home,
)
from servers.kafka import Kafka
from servers.postgres import Postgres

__all__ = [
    "kafka_broker",
    "kafka_program",
    "mongo_replica_set",
    "mongod_program",
    "postgres_server",
    "spark_home",
]


@pytest.fixture
def site(tmp_path: Path, kafka_broker: Kafka, postgres_server: Postgres, spark_home: Spark) -> Site:
    """A topic and an empty warehouse of one test."""
    return Site.made(tmp_path, kafka_broker, postgres_server, spark_home)
