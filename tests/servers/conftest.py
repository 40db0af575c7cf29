"""The servers that this room's tests share, and the programs of those that they start themselves."""

from __future__ import annotations

from servers.fixtures import (
    kafka_broker,
    kafka_program,
    mongo_replica_set,
    mongo_standalone,
    mongod_program,
    postgres_server,
    prometheus_programs,
    watching_programs,
)

__all__ = [
    "kafka_broker",
    "kafka_program",
    "mongo_replica_set",
    "mongo_standalone",
    "mongod_program",
    "postgres_server",
    "prometheus_programs",
    "watching_programs",
]
