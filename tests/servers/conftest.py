"""The servers that this room's tests share."""

from __future__ import annotations

from servers.fixtures import mongo_replica_set, mongo_standalone

__all__ = ["mongo_replica_set", "mongo_standalone"]
