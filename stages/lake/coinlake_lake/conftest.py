"""The contract's assertions say what they compared; real MongoDB servers, and a lake of each test's own."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from coinlake.settings import Secret
from servers.fixtures import mongo_replica_set, mongo_standalone, mongod_program
from servers.mongod import Mongo

__all__ = ["mongo_replica_set", "mongo_standalone", "mongod_program"]

pytest.register_assert_rewrite("coinlake.testing.lake_contract")

from coinlake_lake.mongo_setup import set_up  # noqa: E402

NewDatabase = Callable[[Mongo], Secret]
"""The URL of a lake that was just made on a server."""


def in_database(uri: str, name: str) -> Secret:
    """The connection string with a database behind its slash."""
    split = urlsplit(uri)
    return Secret(split._replace(path=f"/{name}", query=f"{split.query}&authSource=admin").geturl())


@pytest.fixture
def new_database() -> NewDatabase:
    def make(server: Mongo) -> Secret:
        url = in_database(server.uri, f"lake-{uuid4().hex[:12]}")
        set_up(url)
        return url

    return make


@pytest.fixture
def database(mongo_replica_set: Mongo, new_database: NewDatabase) -> Secret:
    """The URL of an empty lake on a replica set."""
    return new_database(mongo_replica_set)
