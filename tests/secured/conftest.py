"""Guarded servers for the tests of this room, one set a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from secured.chain import Chain
from secured.guarded import Guarded
from servers.fixtures import Spark, kafka_program, mongod_program, spark_home

__all__ = ["kafka_program", "mongod_program", "spark_home"]


@pytest.fixture(scope="session")
def chain(
    tmp_path_factory: pytest.TempPathFactory, mongod_program: object, spark_home: Spark
) -> Iterator[Chain]:
    """Lake, topic and warehouse, and a capture in the lake."""
    with Guarded.running(tmp_path_factory.mktemp("guarded"), spark_home) as guarded:
        yield Chain.made(guarded)


@pytest.fixture(scope="session")
def working(chain: Chain) -> Iterator[Chain]:
    """With all programs at work under their own logins; the first captures have come through."""
    with chain.working():
        yield chain
