"""Servers and a venue, and containers of the images that work on them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from pymongo import MongoClient

from images.building import IMAGES
from images.docker import Container, Docker
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

DEADLINE_S = 300
PARTITIONS = 2
_LOOK_AGAIN_S = 0.5


@dataclass
class Platform:
    """The environment by which containers find the servers and the venue; and what they made of it."""

    docker: Docker
    settings: dict[str, str]

    @classmethod
    def made(cls, docker: Docker, mongo: Mongo, kafka: Kafka, postgres: Postgres, venue: str) -> Platform:
        """With a lake, a topic and a warehouse of its own, made ready by the image."""
        lake = urlsplit(mongo.uri)._replace(path=f"/{uuid4().hex}").geturl()
        platform = cls(
            docker,
            {
                "COINLAKE_PROFILE": "distributed",
                "COINLAKE_LAKE__URL": lake,
                "COINLAKE_BUS__SERVERS": kafka.bootstrap_servers,
                "COINLAKE_BUS__TOPIC": f"captures.{uuid4()}",
                "COINLAKE_BUS__PARTITIONS": str(PARTITIONS),
                "COINLAKE_WAREHOUSE__DSN": postgres.new_database(),
                "COINLAKE_SOURCES__COINGECKO__ROOT": venue,
                "COINLAKE_SOURCES__COINGECKO__EVERY": "5s",
                "COINLAKE_PAGE__PORT": "0",
            },
        )
        platform.coinlake("lake", "init")
        platform.coinlake("bus", "init")
        return platform

    def coinlake(self, *command: str) -> str:
        """What a command of the program says, which ends well."""
        done = self.docker.once(IMAGES["coinlake"], *command, environment=self.settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def container(self, name: str, *command: str, options: tuple[str, ...] = (), **more: str) -> Container:
        """One of an image, which finds all servers; `more` is added to its environment."""
        return Container(
            self.docker, IMAGES[name], *command, options=options, environment=self.settings | more
        )

    def captured(self) -> int:
        """How many captures are in the lake."""
        with MongoClient[dict[str, object]](self.settings["COINLAKE_LAKE__URL"]) as client:
            return client.get_default_database()["captures"].count_documents({})

    def loaded(self) -> int:
        """How many captures are in the warehouse."""
        dsn = self.settings["COINLAKE_WAREHOUSE__DSN"]
        try:
            with psycopg.connect(dsn, options="-c search_path=coinlake") as session:
                (row,) = session.execute("SELECT count(*) FROM loaded_captures").fetchall()
                return int(row[0])
        except psycopg.errors.UndefinedTable:
            return 0

    def waiting(self) -> list[int]:
        """How many captures have not made each hop: to the topic, and to the warehouse."""
        return [hop["captures"] for hop in json.loads(self.coinlake("--json", "status"))["hops"]]

    def is_whole(self) -> bool:
        """Whether nothing is missing, doubled or different."""
        return bool(json.loads(self.coinlake("--json", "verify"))["clean"])


def until(holds: Callable[[], object], *by: Container) -> None:
    """Waits for a condition that comes about by these containers, which must not end meanwhile."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        ended = [container.name for container in by if not container.state["Running"]]
        assert not ended, f"{ended} ended"
        assert time.monotonic() < end, "it does not come true"
        time.sleep(_LOOK_AGAIN_S)
