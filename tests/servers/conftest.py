"""The servers that this room's tests share."""

from __future__ import annotations

from servers.fixtures import kafka_broker, mongo_replica_set, mongo_standalone, postgres_server

__all__ = ["kafka_broker", "mongo_replica_set", "mongo_standalone", "postgres_server"]
