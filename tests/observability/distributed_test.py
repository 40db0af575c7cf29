"""One trace from the HTTP call to the row, over three programs and three servers, and the numbers of each."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from coinlake.clock import SystemClock
from coinlake.telemetry import metrics
from coinlake.telemetry.declaring import Metric
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from command_line.program import TIMEOUT_S, Program
from distributed.conftest import (
    kafka_broker,
    kafka_program,
    mongo_replica_set,
    mongod_program,
    postgres_server,
    spark_home,
)
from distributed.program_test import publishing
from distributed.site import Site
from observability.receiver import Receiver, Span
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

__all__ = [
    "kafka_broker",
    "kafka_program",
    "mongo_replica_set",
    "mongod_program",
    "postgres_server",
    "spark_home",
]

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

SETTINGS = """
profile = "distributed"

[sources.coingecko]
root = "{root}"
every = "7d"
{others}
"""
PROGRAMS: dict[str, tuple[Metric, ...]] = {
    "coinlake-run": (
        metrics.CAPTURES_STORED,
        metrics.LAG_CAPTURES,
        metrics.LAG_DURATION,
        metrics.LAG_MESSAGES,
        metrics.MARKET_TIME,
        metrics.TOPIC_HEADROOM,
    ),
    "coinlake-producer": (
        metrics.LAG_CAPTURES,
        metrics.LAG_DURATION,
        metrics.PRODUCER_IN_FLIGHT,
        metrics.PRODUCER_MARK,
        metrics.PRODUCER_MARK_MOVED,
        metrics.SEND_DURATION,
        metrics.SENT_MESSAGES,
    ),
    "coinlake-spark": (
        metrics.BATCH_DURATION,
        metrics.CAPTURE_DELAY,
        metrics.DB_DURATION,
        metrics.LAG_MESSAGES,
        metrics.LAST_COMMIT,
        metrics.LOADED_CAPTURES,
        metrics.LOADED_ROWS,
        metrics.MARKET_TIME,
        metrics.RECEIVED_MESSAGES,
    ),
}


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
    mongo_replica_set: Mongo,
    kafka_broker: Kafka,
    postgres_server: Postgres,
    spark_home: Spark,
) -> Iterator[Receiver]:
    """What a slot's way from the venue to the warehouse has told, and every program while it was watched."""
    home: Path = tmp_path_factory.mktemp("home")
    site = Site.made(home, kafka_broker, postgres_server, spark_home)
    lake_url = urlsplit(mongo_replica_set.uri)._replace(path=f"/{uuid4().hex}").geturl()
    with (
        Receiver() as receiver,
        ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), SystemClock()) as venue,
        pytest.MonkeyPatch.context() as patch,
    ):
        others = site.config.read_text()
        site.config.write_text(SETTINGS.format(root=venue.root, others=others))
        servers = {"COINLAKE_LAKE__URL": lake_url, "COINLAKE_WAREHOUSE__DSN": site.dsn}
        assert Program(home, servers)("lake", "init").returncode == 0
        program = Program(home, servers | receiver.environment)
        for name, value in receiver.environment.items():
            patch.setenv(name, value)  # for Spark's program, which takes ours
        running = program.start("run", "--port", "0")
        with publishing(program), site.loading():
            for service, each in PROGRAMS.items():
                for metric in each:
                    receiver.wait(partial(_tells, service, metric))
        running.send_signal(signal.SIGTERM)
        _, log = running.communicate(timeout=TIMEOUT_S)
        assert running.returncode == 0, log
        yield receiver


def _tells(service: str, metric: Metric, receiver: Receiver) -> bool:
    return service in {point.service for point in receiver.of(metric.name)}


def within(inner: Span, outer: Span) -> bool:
    return (inner.trace_id, inner.parent_id) == (outer.trace_id, outer.span_id)


def test_one_trace_leads_from_the_call_to_the_row_over_all_programs(told: Receiver) -> None:
    loads = told.named("load")
    assert loads
    for load_span in loads:
        trace = {span.name: span for span in told.spans if span.trace_id == load_span.trace_id}
        assert trace.keys() == {"capture", "fetch", "GET", "store", "append mongodb", "send", "load"}
        services = {name: trace[name].service for name in ("GET", "append mongodb", "send", "load")}
        assert services == {
            "GET": "coinlake-run",
            "append mongodb": "coinlake-run",
            "send": "coinlake-producer",
            "load": "coinlake-spark",
        }
        assert within(trace["fetch"], trace["capture"])
        assert all(within(trace[name], trace["fetch"]) for name in ("GET", "send", "load"))
        assert trace["GET"].start_ns < trace["send"].start_ns < trace["load"].end_ns
        (batch,) = (span for span in told.spans if (span.trace_id, span.span_id) in load_span.links)
        assert (trace["fetch"].trace_id, trace["fetch"].span_id) in batch.links
        assert {span.name for span in told.spans if within(span, batch)} == {"stage", "load postgresql"}


def test_what_is_told_is_what_is_declared(told: Receiver) -> None:
    labels = {metric.name: {label.name for label in metric.labels} for metric in metrics.ALL}
    for point in told.points:
        assert point.attributes.keys() <= labels[point.metric], point
    assert {point.attributes["hop"] for point in told.of(metrics.LAG_CAPTURES.name)} == {
        "lake_to_topic",
        "topic_to_warehouse",
    }


def test_what_was_captured_was_sent_and_loaded_once(told: Receiver) -> None:
    stored = told.of(metrics.CAPTURES_STORED.name, new="yes")[-1].value
    assert stored > 0
    assert told.of(metrics.PRODUCER_MARK.name)[-1].value == stored
    assert told.of(metrics.SENT_MESSAGES.name)[-1].value == stored
    assert told.of(metrics.LOADED_CAPTURES.name, engine="spark")[-1].value == stored
    assert told.of(metrics.LAG_MESSAGES.name)[-1].value == 0
