"""From capture to warehouse on guarded servers: each program under the login that is meant for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from command_line.program import Program
from distributed.site import until
from secured.guarded import Guarded

PRODUCER, SPARK = "coinlake_producer.main", "secured.shown_spark"


@dataclass(frozen=True)
class Chain:
    """Lake, topic and warehouse, with a capture of the command line in the lake."""

    guarded: Guarded
    coinlake: Program
    loader_dsn: str
    captured: int

    @classmethod
    def made(cls, guarded: Guarded) -> Chain:
        """Each made by who owns it, and filled by who may write."""
        owner_dsn = guarded.postgres.dsn
        owner = guarded.program("owner", "admin", owner_dsn)
        for made in (owner("lake", "init"), owner("bus", "init")):
            assert made.returncode == 0, made.stderr
        guarded.make_lake_users()
        coinlake = guarded.program("writer", "admin", owner_dsn)
        captured = coinlake("--json", "capture")
        assert captured.returncode == 0, captured.stderr
        new = sum(one["new"] for one in json.loads(captured.stdout))
        return cls(guarded, coinlake, guarded.warehouse("loader", "coinlake_loader"), new)

    @contextmanager
    def working(self) -> Iterator[None]:
        """With producer and Spark program at work, and the first captures come through."""
        with (
            self.guarded.started(PRODUCER, self.producer_environment()),
            self.guarded.started(SPARK, self.spark_environment(self.loader_dsn)),
        ):
            until(lambda: self.loaded() == self.captured)
            yield

    def producer_environment(self) -> dict[str, str]:
        """MongoDB's reader, and Kafka's user who only writes."""
        url = self.guarded.lake_url("reader")
        return self.guarded.environment(COINLAKE_LAKE__URL=url, **self.guarded.kafka_login("producer"))

    def spark_environment(self, dsn: str) -> dict[str, str]:
        """Kafka's user who only reads, and a login to PostgreSQL."""
        return self.guarded.environment(COINLAKE_WAREHOUSE__DSN=dsn, **self.guarded.kafka_login("spark"))

    def rows(self, query: LiteralString) -> list[Any]:
        """What the warehouse answers its owner."""
        with psycopg.connect(self.guarded.postgres.dsn, options="-c search_path=coinlake") as session:
            return session.execute(query).fetchall()

    def loaded(self) -> int:
        """How many captures are on record as loaded."""
        return int(self.rows("SELECT count(*) FROM loaded_captures")[0][0])
