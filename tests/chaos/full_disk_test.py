"""A full disk under a server is told in words, loses nothing, and is over once there is space again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from chaos.disk import MEGABYTE, Disk, mounted
from chaos.links import Linked, linked
from chaos.load import Load, capture
from coinlake.errors import TryAgain
from coinlake.settings import Secret
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_setup import set_up
from distributed.site import until
from servers.fixtures import Spark
from servers.mongod import Mongo

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

_DISK_BYTES = 600 * MEGABYTE
_WRITERS = 8
_NO_SPACE = "has no space left on its disk: free some. Nothing is lost."


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", _DISK_BYTES) as disk:
        yield disk


@pytest.fixture
def site(tmp_path: Path, disk: Disk, mongod_program: Path, spark_home: Spark) -> Iterator[Linked]:
    """All parts at work, PostgreSQL on the small disk."""
    with linked(tmp_path, spark_home, postgres_folder=disk.folder / "postgres") as site:
        yield site


def test_while_the_warehouse_has_no_space_captures_wait_and_it_is_said(site: Linked, disk: Disk) -> None:
    scene, load = site.scene, Load()
    with load.running(site.capture_url):
        site.wait_for_news(load)
        disk.fill()
        until(
            lambda: "has no space left on its disk: free some. Nothing is lost." in scene.spark.last_words()
        )
        assert scene.spark.runs
        disk.free()
        if not scene.postgres.runs:  # it ends where it cannot write its log: its supervisor starts it again
            scene.postgres.kill()
            scene.postgres.start()
        site.wait_for_news(load)
    scene.prove_whole(load)


def test_a_capture_that_the_lake_has_no_space_for_is_refused_and_kept_later(
    disk: Disk, mongod_program: Path
) -> None:
    with Mongo(disk.folder / "mongo", members=0) as mongo:
        url = Secret(mongo.uri.replace("/?", "/coinlake?"))
        set_up(url)
        with MongoLake(url) as lake, ThreadPoolExecutor(_WRITERS) as writers:
            disk.fill()
            # Several at once: when the server ends, some wait for the answer to what they stored.
            ends = list(writers.map(partial(_until_refused, lake), range(_WRITERS)))
        assert all("Cannot use the lake at " in str(end.error) for end in ends)
        disk.free()
        mongo.kill()  # it ends by itself where it cannot write its journal
        mongo.start()
        with MongoLake(url) as lake:
            kept = _ids(lake)
            assert kept >= {capture(number).id for end in ends for number in end.acknowledged}
            for end in ends:
                lake.append(capture(end.refused))  # it may be there, and only its answer was lost
            assert _ids(lake) == kept | {capture(end.refused).id for end in ends}
            assert lake.append(capture(max(end.refused for end in ends) + 1))


@dataclass(frozen=True)
class End:
    """How a writer ended."""

    acknowledged: list[int]
    refused: int
    error: TryAgain


def _until_refused(lake: MongoLake, first: int) -> End:
    """Appends every `_WRITERS`th capture until one is not taken."""
    acknowledged: list[int] = []
    for number in itertools.count(first, _WRITERS):
        try:
            assert lake.append(capture(number))
        except TryAgain as error:
            return End(acknowledged, number, error)
        acknowledged.append(number)
    raise AssertionError


def _ids(lake: MongoLake) -> set[UUID]:
    """All captures; their positions have no hole, and none is there twice."""
    entries = list(lake.entries(0, lake.end()))
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    found = {entry.capture_id for entry in entries}
    assert len(found) == len(entries)
    return found
