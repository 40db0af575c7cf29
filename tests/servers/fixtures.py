"""Servers for tests, one of each kind a session; import those you use into your conftest.py.

What a machine lacks is a skip that says how to get it, and under CI a failure. When a test fails, the ends of
the servers' logs stand at the end of the report.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from servers import fetch
from servers.fetch import Missing
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres
from servers.server import Server


class Spark(NamedTuple):
    """Where Spark is."""

    python: Path
    """Folder for PYTHONPATH."""
    jars: Path
    """Folder of the connector's jars."""


ServerT = TypeVar("ServerT", bound=Server)
T = TypeVar("T")


@pytest.fixture(scope="session")
def mongod_program() -> Path:
    """MongoDB's server, fetched: what a test asks for that starts a `Mongo` itself."""
    return _got(fetch.mongod)


@pytest.fixture(scope="session")
def kafka_program() -> Path:
    """Kafka's jars, fetched, and a Java to run them: what a test asks for that starts a `Kafka` itself."""
    return _kafka_program()


@pytest.fixture(scope="session")
def spark_home(kafka_program: tuple[str, Path]) -> Spark:
    """Spark and its Kafka connector, fetched: what a test asks for that starts a program in Spark."""
    return Spark(_got(fetch.spark), _got(lambda: fetch.jars("spark")))


@pytest.fixture(scope="session")
def prometheus_programs() -> None:
    """Prometheus, Alertmanager, the programs that try their configuration, and exporters: installed."""
    for program in fetch.WATCHING:
        _got(partial(fetch.installed, program))


@pytest.fixture(scope="session")
def watching_programs(prometheus_programs: None) -> None:
    """These, and what is built from source: the collector, and the stores of traces and logs."""
    for name in ("collector", "jaeger", "victorialogs"):
        _got(partial(fetch.built, name))


@pytest.fixture(scope="session")
def telling_programs() -> None:
    """What makes servers tell of themselves: Telegraf, and the agent within a broker."""
    _got(partial(fetch.built, "telegraf"))
    _got(partial(fetch.jars, "kafka_agent"))


@pytest.fixture(scope="session")
def mongo_replica_set(request: pytest.FixtureRequest) -> Iterator[Mongo]:
    """A replica set of one, without authentication."""
    _got(fetch.mongod)
    yield from serving(request, Mongo)


@pytest.fixture(scope="session")
def mongo_standalone(request: pytest.FixtureRequest) -> Iterator[Mongo]:
    """A mongod without replica set and without authentication."""
    _got(fetch.mongod)
    yield from serving(request, lambda folder: Mongo(folder, members=0))


@pytest.fixture(scope="session")
def kafka_broker(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """A broker without topics."""
    _kafka_program()
    yield from serving(request, Kafka)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A PostgreSQL with an empty database."""
    yield from serving(request, Postgres)


def serving(request: pytest.FixtureRequest, make: Callable[[Path], ServerT]) -> Iterator[ServerT]:
    """A fixture's body: the server while the tests run, and its last words if one of them failed."""
    failed_before = request.session.testsfailed
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    with make(folders.mktemp("a server")) as server:
        yield server
        if request.session.testsfailed > failed_before:
            _report(request.config, server.last_words())


def _kafka_program() -> Path:
    _got(fetch.java)
    return _got(lambda: fetch.jars("kafka"))


def _got(get: Callable[[], T]) -> T:
    try:
        return get()
    except Missing as missing:
        if "CI" in os.environ:
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def _report(config: pytest.Config, last_words: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.section("the end of the server's log")
        reporter.write_line(last_words)
