"""The same captures through both profiles end in the same warehouse, row by row."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from coinlake.model import Capture
from coinlake.settings import load as load_settings
from coinlake.testing.recordings import load
from coinlake_bus.kafka import Bus
from coinlake_bus.producing import Producing
from coinlake_cli.deployment import opened
from coinlake_coingecko.recordings import FOLDER
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_lake.mongo_setup import set_up
from distributed.site import Site, until
from servers.mongod import Mongo

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


TABLES = {
    "quotes": "",
    "latest_quotes": "",
    "candles": "",
    "venue_candles": "",
    "instruments": "",
    "dead_letters": "rejected_at, resolved_at",
    "loaded_captures": "batch_id",
    "position": "lake_id",
}
"""Tables by name, with what may differ between two loads of the same."""
RECORDED_LATE = datetime(2026, 6, 1, tzinfo=UTC)


def test_both_profiles_end_in_the_same_warehouse(
    tmp_path: Path, site: Site, mongo_replica_set: Mongo
) -> None:
    embedded = _three_venues_of_sixty_days(tmp_path / "embedded")
    lake_url = SecretStr(urlsplit(mongo_replica_set.uri)._replace(path=f"/{uuid4().hex}").geturl())
    with (
        opened(load_settings(folder=embedded), kind="demo") as deployment,
        _new_lake(lake_url) as lake,
        MongoPositions(lake_url, lake.id, site.bus.topic) as mark,
    ):
        for capture in _oddities():
            deployment.lake.append(capture)
        deployment.pipeline.catch_up()
        for held in deployment.lake.scan():
            lake.append(held.capture)
        with _publishing(Producing(lake, mark, Bus(site.bus), wait=lake.wait)), site.loading():
            until(lambda: site.loaded() == lake.end())
        for table, free in TABLES.items():
            one, other = (_rows(dsn, table, free) for dsn in (deployment.addresses.owner, site.dsn))
            assert len(one) > 0
            assert one == other, table


def _three_venues_of_sixty_days(folder: Path) -> Path:
    """The folder of a demo that has replayed and loaded everything."""
    demo = ["-m", "coinlake_cli.main", "--folder", str(folder), "demo", "--once", "--seconds=5", "--port=0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, *demo], env=environment, check=True)
    return folder


def _oddities() -> Iterator[Capture]:
    """Every recorded answer of CoinGecko, refusals and cut ones too, as if each had been kept."""
    for number, recording in enumerate(load(FOLDER)):
        moment = recording.recorded_at or RECORDED_LATE
        whole = Capture(
            source="coingecko",
            dataset="markets",
            slot=moment,
            page=number,
            url="https://api.coingecko.com/api/v3/coins/markets",
            params=(("vs_currency", "usd"),),
            status=recording.status,
            headers={},
            body=recording.body,
            requested_at=moment,
            received_at=moment,
            run_id="",
            plugin_version="1",
            traceparent="",
        )
        yield whole
        if number % 5 == 0:
            yield replace(whole, body=recording.body[: len(recording.body) * 2 // 3])
        if number % 7 == 0:
            yield replace(whole, source="gone", body=b"\xff\x00 no plugin reads this")


@contextmanager
def _new_lake(url: SecretStr) -> Iterator[MongoLake]:
    set_up(url)
    with MongoLake(url) as lake:
        yield lake


@contextmanager
def _publishing(producing: Producing) -> Iterator[None]:
    stop = threading.Event()
    producer = threading.Thread(target=producing.run, args=(stop,))
    producer.start()
    try:
        yield
    finally:
        stop.set()
        producer.join()


def _rows(dsn: str, table: str, free: str) -> list[Any]:
    """A table's rows as texts, ordered, without the columns that are free to differ."""
    left_out = [name.strip() for name in free.split(",")]
    query = f"SELECT (to_jsonb(t) - %s::text[])::text AS row FROM coinlake.{table} AS t ORDER BY 1"
    with psycopg.connect(dsn, options="-c timezone=UTC") as session:
        return session.execute(query, (left_out,)).fetchall()
