"""A topic, an empty warehouse and the Spark program between them, as processes and servers of their own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Message
from coinlake_bus.writer import BusWriter
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.postgres import Postgres
from servers.process import Process

DEADLINE_S = 200
_SETTINGS = """
[bus]
servers = "{servers}"
topic = "{topic}"
partitions = 3

[spark]
jars = "{jars}"
batch_captures = {batch}
"""


def new_topic(kafka: Kafka) -> BusSettings:
    """A new topic of three partitions."""
    bus = BusSettings(servers=kafka.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3)
    Bus(bus).init()
    return bus


@dataclass
class Site:
    """Where a test publishes, and where it looks."""

    folder: Path
    bus: BusSettings
    dsn: str
    spark: Spark

    @classmethod
    def made(cls, folder: Path, kafka: Kafka, postgres: Postgres, spark: Spark, batch: int = 2_000) -> Site:
        """A new topic of three partitions, and a new database."""
        bus = new_topic(kafka)
        settings = _SETTINGS.format(servers=bus.servers, topic=bus.topic, jars=spark.jars, batch=batch)
        (folder / "coinlake.toml").write_text(settings)
        return cls(folder, bus, postgres.new_database(), spark)

    def publish(self, *messages: Message) -> None:
        """Returns when all are acknowledged."""
        acknowledged: list[int] = []
        with BusWriter(self.bus, Bus(self.bus).topic(), acknowledged.append) as writer:
            for number, message in enumerate(messages):
                while not writer.send(message, number):
                    writer.poll(0.1)

            def all_acknowledged() -> bool:
                writer.poll(0.1)
                return len(acknowledged) == len(messages)

            until(all_acknowledged)

    @property
    def config(self) -> Path:
        """The settings file of all programs."""
        return self.folder / "coinlake.toml"

    def spark_environment(self) -> dict[str, str]:
        """What the Spark program finds Spark and the warehouse by."""
        python_path = [*map(os.path.abspath, sys.path), str(self.spark.python)]
        found_by = {"PYTHONPATH": os.pathsep.join(python_path), "COINLAKE_WAREHOUSE__DSN": self.dsn}
        return os.environ | found_by

    @contextmanager
    def loading(self) -> Iterator[Process]:
        """The Spark program, which is told to stop at the end unless it was killed by then."""
        program = Process(self.folder, "coinlake-spark")
        program.launch(
            [sys.executable, "-m", "coinlake_spark.main", f"--config={self.config}"],
            self.spark_environment(),
        )
        try:
            yield program
            if program.runs:
                assert program.end(DEADLINE_S) == 0, program.last_words()
        except BaseException:
            print(program.last_words())
            raise
        finally:
            program.kill()

    def rows(self, query: str) -> list[Any]:
        """What the warehouse answers."""
        with psycopg.connect(self.dsn, options="-c search_path=coinlake") as session:
            return session.execute(query).fetchall()

    def loaded(self) -> int:
        """How many captures are in the warehouse."""
        try:
            return int(self.rows("SELECT count(*) FROM loaded_captures")[0][0])
        except psycopg.errors.UndefinedTable:
            return 0


def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.1)


def let_go(site: Site, first: Mapping[int, int]) -> None:
    """Makes the topic forget what lies before these offsets, as retention does in time."""
    admin = AdminClient({"bootstrap.servers": site.bus.servers})
    places = [TopicPartition(site.bus.topic, partition, offset) for partition, offset in first.items()]
    for gone in admin.delete_records(places).values():
        gone.result(DEADLINE_S)
