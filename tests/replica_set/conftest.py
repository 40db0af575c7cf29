"""Servers for the tests of this room: a replica set of three, one with a small oplog, and a broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.fixtures import kafka_broker, kafka_program, mongod_program, serving
from servers.kafka import Kafka
from servers.mongod import Mongo

__all__ = ["kafka_broker", "kafka_program", "mongod_program"]

pytest.register_assert_rewrite("replica_set.scene")

from replica_set.scene import Scene  # noqa: E402

MEMBERS = 3


@pytest.fixture(scope="session")
def replica_set(request: pytest.FixtureRequest, mongod_program: Path) -> Iterator[Mongo]:
    """A replica set of three; whoever takes a member away brings it back."""
    yield from serving(request, lambda folder: Mongo(folder, members=MEMBERS))


@pytest.fixture
def scene(tmp_path: Path, replica_set: Mongo, kafka_broker: Kafka) -> Scene:
    """A new lake on the replica set of three, and a new topic."""
    return Scene.made(tmp_path, replica_set, kafka_broker)
