"""A Docker with all images in it, and servers that their containers reach."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from coinlake.clock import SystemClock
from coinlake.testing.faults import Fault
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from images.building import load_base, package
from images.docker import Docker
from images.scene import Platform
from servers.fetch import Missing
from servers.fixtures import kafka_broker, mongo_replica_set, postgres_server
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

__all__ = ["kafka_broker", "mongo_replica_set", "postgres_server"]


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """The daemon, with the four images."""
    try:
        made = Docker()
    except Missing as missing:
        if "CI" in os.environ:
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with made as docker:
        load_base(docker)
        images = ("coinlake", "producer", "spark", "airflow")
        package(docker, *(f"ops/images:{name}" for name in images))
        yield docker


@pytest.fixture
def faults() -> Sequence[Fault]:
    """What the venue gets wrong."""
    return ()


@pytest.fixture
def platform(
    docker: Docker,
    mongo_replica_set: Mongo,
    kafka_broker: Kafka,
    postgres_server: Postgres,
    faults: Sequence[Fault],
) -> Iterator[Platform]:
    """A venue that repeats its answers, and a lake, a topic and a warehouse of the test's own."""
    recorded = load(FOLDER / "coins_markets")
    with ReplayServer(recorded, CoinGeckoMimic(), SystemClock(), faults=faults) as venue:
        yield Platform.made(docker, mongo_replica_set, kafka_broker, postgres_server, venue.root)
