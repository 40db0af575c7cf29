"""The whole distributed pipeline as processes, which can be killed, paused and started again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from chaos.expected import candles_of, held_candles, held_quotes, quotes_of
from chaos.load import Load, is_broken
from chaos.points import ORDERS, Orders
from chaos.processes import Part, Program, children, is_daemon
from coinlake.settings import Secret
from coinlake_bus.kafka import Bus
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_lake.mongo_setup import set_up
from coinlake_spark.main import DONE
from command_line import program as command_line
from distributed.site import Site, until
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

MEMBERS = 3
"""Of MongoDB's replica set."""
_CAPTURES_A_BATCH = 200


class Reach(NamedTuple):
    """How far captures have come."""

    topic: int
    """Messages that it was ever given."""
    mark: int
    """The producer's."""
    warehouse: int
    """Captures that are loaded."""


@dataclass(frozen=True)
class Scene:
    """MongoDB, Kafka and PostgreSQL of one test, with producer and Spark program between them."""

    site: Site
    lake_url: Secret
    mongo: Mongo
    kafka: Kafka
    postgres: Postgres
    producer: Program
    spark: Program
    coinlake: command_line.Program
    orders: Orders

    @classmethod
    @contextmanager
    def running(cls, folder: Path, spark: Spark) -> Iterator[Scene]:
        """All of it started; killed at the end, with last words if something failed."""
        with (
            Mongo(folder / "mongo", members=MEMBERS) as mongo,
            Kafka(folder / "kafka") as kafka,
            Postgres(folder / "postgres") as postgres,
        ):
            lake_url = Secret(urlsplit(mongo.uri)._replace(path="/coinlake").geturl())
            set_up(lake_url)
            site = Site.made(folder, kafka, postgres, spark, batch=_CAPTURES_A_BATCH)
            scene = cls._made(site, lake_url, mongo, kafka, postgres, Orders(folder / "orders"))
            try:
                scene.producer.start()
                scene.spark.start()
                yield scene
            except BaseException:
                print(scene.producer.last_words(), scene.spark.last_words(), sep="\n\n")
                raise
            finally:
                scene.producer.kill()
                scene.spark.kill()

    @classmethod
    def _made(
        cls, site: Site, lake_url: Secret, mongo: Mongo, kafka: Kafka, postgres: Postgres, orders: Orders
    ) -> Scene:
        servers = {
            "COINLAKE_PROFILE": "distributed",
            "COINLAKE_LAKE__URL": lake_url.get_secret_value(),
            "COINLAKE_WAREHOUSE__DSN": site.dsn,
        }
        coinlake = command_line.Program(site.folder, servers)
        struck = [sys.executable, "-m", "chaos.struck"]
        killed_by = {ORDERS: str(orders.folder)}
        return cls(
            site=site,
            lake_url=lake_url,
            mongo=mongo,
            kafka=kafka,
            postgres=postgres,
            producer=Program(
                site.folder,
                "coinlake-producer",
                [*struck, "coinlake_producer.main", f"--config={site.config}"],
                coinlake.variables() | killed_by,
            ),
            spark=Program(
                site.folder,
                "coinlake-spark",
                [*struck, "coinlake_spark.main", f"--config={site.config}"],
                site.spark_environment() | killed_by | {"COINLAKE_PLUGINS": json.dumps(["chaos.struck"])},
            ),
            coinlake=coinlake,
            orders=orders,
        )

    @property
    def parts(self) -> Mapping[str, Part]:
        """All that can be killed and started, by name."""
        return {
            **{f"mongod {number}": member for number, member in enumerate(self.mongo.members)},
            "broker": self.kafka,
            "PostgreSQL": self.postgres,
            "producer": self.producer,
            "Spark": self.spark,
        }

    def workers(self) -> list[int]:
        """Spark's Python workers, which are there while there are batches."""
        of_java = (child for java in self.java() for child in children(java))
        return [worker for daemon in of_java if is_daemon(daemon) for worker in children(daemon)]

    def java(self) -> list[int]:
        """Spark's own process, if there is one now."""
        return children(self.spark.pid) if self.spark.runs else []

    def revive(self) -> None:
        """Starts the programs again that have ended. None of them may have asked for a person."""
        for program in (self.producer, self.spark):
            program.revive()

    def rest(self, load: Load) -> Reach:
        """Waits until everything acknowledged is loaded, and says how far each hop has got."""
        there = len(load.acknowledged)

        def is_at_rest() -> bool:
            self.revive()
            return self.reach().warehouse >= there and self.reach().mark >= there

        try:
            until(is_at_rest)
        except AssertionError:
            print(self.coinlake("verify").stderr)  # which names what does not come
            raise
        return self.reach()

    def reach(self) -> Reach:
        """How far each hop has got."""
        with (
            MongoLake(self.lake_url) as lake,
            MongoPositions(self.lake_url, lake.id, self.site.bus.topic) as positions,
        ):
            mark = positions.read().position
        in_topic = sum(held.stop for held in Bus(self.site.bus).offsets().values())
        return Reach(in_topic, mark, self.site.loaded())

    def prove_whole(self, load: Load) -> None:
        """At rest, everything acknowledged is there once and nothing else, and `verify` says so too."""
        self.prove_loaded(load)
        done = self.coinlake("verify")
        assert done.returncode == 0, done.stdout + done.stderr
        print(done.stdout, done.stderr, sep="\n")
        assert (self.producer.end(), self.spark.end()) == (DONE, DONE)

    def prove_loaded(self, load: Load) -> None:
        """At rest, everything acknowledged is in the warehouse once, and nothing else."""
        self.rest(load)
        self._prove_captures(load)
        self._prove_rows(load)

    def _prove_captures(self, load: Load) -> None:
        """Lake and warehouse name the same captures at the same positions, which have no holes."""
        with MongoLake(self.lake_url) as lake:
            kept = [(entry.position, entry.capture_id) for entry in lake.entries(0, lake.end())]
        assert [position for position, _ in kept] == list(range(1, len(load.acknowledged) + 1))
        assert {id_ for _, id_ in kept} == {capture.id for capture in load.captures()}
        loaded = self.site.rows("SELECT position, capture_id FROM loaded_captures ORDER BY position")
        assert loaded == kept

    def _prove_rows(self, load: Load) -> None:
        whole = (one for one in load.captures() if not is_broken(int(one.run_id)))
        quotes = quotes_of(whole)
        assert held_quotes(self.site) == quotes
        assert held_candles(self.site) == candles_of(quotes)
        letters = {id_ for (id_,) in self.site.rows("SELECT capture_id FROM dead_letters")}
        assert letters == {one.id for one in load.captures() if is_broken(int(one.run_id))}
