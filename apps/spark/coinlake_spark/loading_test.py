"""From a real Kafka through a real Spark into a real PostgreSQL, killed, stopped and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from coinlake.model import Capture, Held
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Message, encode, without_body
from coinlake_bus.writer import BusWriter
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.postgres import Postgres

LAKE = UUID(int=7)
DEADLINE_S = 120
SLOT = datetime(2024, 10, 15, tzinfo=UTC)
PAGE = files("coinlake_coingecko") / "recordings/coins_markets/daily_series/2024-10-15T010057Z.json"
COIN = json.loads(PAGE.read_bytes())[0]
SETTINGS = """
[bus]
servers = "{servers}"
topic = "{topic}"
partitions = 3

[spark]
jars = "{jars}"
"""


@dataclass
class Site:
    """A topic, an empty warehouse, and the program between them."""

    folder: Path
    bus: BusSettings
    dsn: str
    spark: Spark

    def publish(self, *messages: Message) -> None:
        acknowledged: list[int] = []
        with BusWriter(self.bus, Bus(self.bus).topic(), acknowledged.append) as writer:
            for number, message in enumerate(messages):
                while not writer.send(message, number):
                    writer.poll(0.1)

            def all_acknowledged() -> bool:
                writer.poll(0.1)
                return len(acknowledged) == len(messages)

            until(all_acknowledged)

    def start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([*sys.path, str(self.spark.python)])
        return subprocess.Popen(
            [sys.executable, "-m", "coinlake_spark.main", "--config", self.folder / "coinlake.toml"],
            env=os.environ | {"PYTHONPATH": path, "COINLAKE_WAREHOUSE__DSN": self.dsn},
            start_new_session=True,
        )

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.dsn, options="-c search_path=coinlake") as session:
            return session.execute(query).fetchall()

    def loaded(self) -> int:
        try:
            return int(self.rows("SELECT count(*) FROM loaded_captures")[0][0])
        except psycopg.errors.UndefinedTable:
            return 0


def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)


def kill(program: subprocess.Popen[bytes]) -> None:
    """Ends the program and its JVM as a machine that loses power does."""
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()


@pytest.fixture
def site(tmp_path: Path, kafka_broker: Kafka, postgres_server: Postgres, spark_home: Spark) -> Site:
    bus = BusSettings(servers=kafka_broker.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3)
    Bus(bus).init()
    database = f"w{uuid4().hex}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {database}")
    dsn = psycopg.conninfo.make_conninfo(postgres_server.dsn, dbname=database)
    (tmp_path / "coinlake.toml").write_text(
        SETTINGS.format(servers=bus.servers, topic=bus.topic, jars=spark_home.jars)
    )
    return Site(tmp_path, bus, dsn, spark_home)


def message(position: int) -> Message:
    """A page of two assets, of the lake's capture at a position."""
    moment = SLOT + timedelta(minutes=3 * position)
    rows = [
        COIN | {"id": asset, "current_price": position, "last_updated": moment.isoformat()}
        for asset in (f"asset-{position}", "bitcoin")
    ]
    capture = Capture(
        source="coingecko",
        dataset="markets",
        slot=moment,
        page=1 + position % 5,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=json.dumps(rows).encode(),
        requested_at=moment,
        received_at=moment + timedelta(seconds=30),
        run_id="",
        plugin_version="1",
        traceparent="",
    )
    return encode(Held(position, capture), LAKE)


def test_it_loads_each_capture_once_whatever_kills_it(site: Site) -> None:
    site.publish(*map(message, range(1, 41)))
    program = site.start()
    until(lambda: site.loaded() >= 40)
    site.publish(*map(message, range(30, 81)))  # some of them again
    until(lambda: site.loaded() > 40)
    kill(program)
    site.publish(*map(message, range(81, 101)))
    program = site.start()
    until(lambda: site.loaded() == 100)
    program.terminate()
    assert program.wait(30) == 0
    assert site.rows("SELECT count(*), count(DISTINCT asset) FROM quotes") == [(200, 101)]
    assert site.rows("SELECT position FROM position") == [(100,)]
    assert site.rows("SELECT sum(next_offset) FROM bus_offsets") == [(111,)]


def test_what_is_no_capture_is_a_dead_letter_and_holds_nothing_up(site: Site) -> None:
    stranger = Message(b"key", b"not ours \x00\xff", [])
    site.publish(message(1), stranger, without_body(message(2)), message(3))
    program = site.start()
    until(lambda: site.loaded() == 3)
    until(lambda: len(site.rows("SELECT 1 FROM dead_letters")) == 2)
    program.terminate()
    assert program.wait(30) == 0
    letters = site.rows("SELECT split_part(reasons[1], ':', 1), original FROM dead_letters ORDER BY 1")
    assert [(reason, bytes(original)) for reason, original in letters] == [
        ("body_left_out", b""),
        ("not_coinlake", b"not ours \x00\xff"),
    ]
    assert site.rows("SELECT count(*) FROM quotes") == [(4,)]
