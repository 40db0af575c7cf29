"""The distributed pipeline with a proxy in every link between two of its parts."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.clock import SteppedClock
from chaos.load import Load
from chaos.points import Orders
from chaos.processes import Program
from chaos.scene import Scene
from coinlake.settings import Secret
from coinlake_lake.mongo_setup import set_up
from command_line import program as command_line
from distributed.site import Site, until
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.ports import HOST, Port
from servers.postgres import Postgres
from servers.proxy import Proxy

CAPTURE_TO_MONGODB = "capture to MongoDB"
PRODUCER_TO_MONGODB = "producer to MongoDB"
PRODUCER_TO_KAFKA = "producer to Kafka"
SPARK_TO_KAFKA = "Spark to Kafka"
SPARK_TO_POSTGRESQL = "Spark to PostgreSQL"

_CAPTURES_A_BATCH = 200


@dataclass(frozen=True)
class Linked:
    """A scene whose programs reach their servers by proxies; what looks at it reaches them directly."""

    scene: Scene
    capture_url: Secret
    """Where a load captures to, by its proxy."""
    links: Mapping[str, Proxy]

    def wait_for_news(self, load: Load) -> None:
        """Waits until a capture that is not stored yet is loaded."""
        there = len(load.acknowledged)
        until(lambda: self.scene.site.loaded() > there)


def behind(mark: bytes, words: bytes) -> Callable[[bytes], bool]:
    """Whether a client says these words, once it, or another one, has said the mark."""
    marked = threading.Event()

    def asked(said: bytes) -> bool:
        if mark in said:
            marked.set()
        says_it = marked.is_set() and words in said
        if says_it:
            marked.clear()
        return says_it

    return asked


@contextmanager
def linked(
    folder: Path,
    spark: Spark,
    *,
    clock: SteppedClock | None = None,
    postgres_folder: Path | None = None,
) -> Iterator[Linked]:
    """All of it started, Spark by `clock`; killed at the end."""
    with ExitStack() as stack:

        def proxy(name: str, target: int) -> Proxy:
            return stack.enter_context(Proxy(folder / f"{name}.port", target))

        doors = {name: Port(folder / f"{name}.door") for name in (PRODUCER_TO_KAFKA, SPARK_TO_KAFKA)}
        links = {name: proxy(name, door.number) for name, door in doors.items()}
        sent_to = {door.number: links[name].port for name, door in doors.items()}
        mongo = stack.enter_context(Mongo(folder / "mongo"))
        kafka = stack.enter_context(Kafka(folder / "kafka", doors=sent_to))
        postgres = stack.enter_context(Postgres(postgres_folder or folder / "postgres"))
        (member,) = mongo.members
        for name in (CAPTURE_TO_MONGODB, PRODUCER_TO_MONGODB):
            links[name] = proxy(name, _port_of(member.address))
        site = Site.made(folder, kafka, postgres, spark, batch=_CAPTURES_A_BATCH)
        links[SPARK_TO_POSTGRESQL] = proxy(SPARK_TO_POSTGRESQL, int(str(conninfo_to_dict(site.dsn)["port"])))
        lake_url = _direct(_port_of(member.address))
        set_up(lake_url)
        scene = Scene(
            site=site,
            lake_url=lake_url,
            mongo=mongo,
            kafka=kafka,
            postgres=postgres,
            coinlake=command_line.Program(folder, _servers(lake_url, site.dsn)),
            producer=_producer(site, links),
            spark=_spark(site, links, clock),
            orders=Orders(folder / "orders"),
        )
        try:
            scene.producer.start()
            scene.spark.start()
            yield Linked(scene, _direct(links[CAPTURE_TO_MONGODB].port), links)
        except BaseException:
            print(scene.producer.last_words(), scene.spark.last_words(), sep="\n\n")
            raise
        finally:
            scene.producer.kill()
            scene.spark.kill()
            for door in doors.values():
                door.release()


def _producer(site: Site, links: Mapping[str, Proxy]) -> Program:
    by_proxies = {
        **_servers(_direct(links[PRODUCER_TO_MONGODB].port), site.dsn),
        "COINLAKE_BUS__SERVERS": f"{HOST}:{links[PRODUCER_TO_KAFKA].port}",
    }
    variables = command_line.Program(site.folder, by_proxies).variables()
    command = [sys.executable, "-m", "coinlake_producer.main", f"--config={site.config}"]
    return Program(site.folder, "coinlake-producer", command, variables)


def _spark(site: Site, links: Mapping[str, Proxy], clock: SteppedClock | None) -> Program:
    by_proxies = {
        "COINLAKE_WAREHOUSE__DSN": make_conninfo(site.dsn, port=links[SPARK_TO_POSTGRESQL].port),
        "COINLAKE_BUS__SERVERS": f"{HOST}:{links[SPARK_TO_KAFKA].port}",
    }
    variables = os.environ | site.spark_environment() | by_proxies
    run_by = ["chaos.clock"] if clock else []
    command = [sys.executable, "-m", *run_by, "coinlake_spark.main", f"--config={site.config}"]
    return Program(
        site.folder, "coinlake-spark", command, {**variables, **(clock.environment if clock else {})}
    )


def _servers(lake_url: Secret, dsn: str) -> dict[str, str]:
    return {
        "COINLAKE_PROFILE": "distributed",
        "COINLAKE_LAKE__URL": lake_url.get_secret_value(),
        "COINLAKE_WAREHOUSE__DSN": dsn,
    }


def _direct(port: int) -> Secret:
    """The lake at a port, without asking the replica set where its members are."""
    return Secret(f"mongodb://{HOST}:{port}/coinlake?directConnection=true")


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
