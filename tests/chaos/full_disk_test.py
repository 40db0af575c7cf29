"""A full disk under a server is told in words, loses nothing, and is over once there is space again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

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
        with MongoLake(url) as lake:
            disk.fill()
            refused, error = next(
                (number, error) for number in itertools.count(1) if (error := _refusal(lake, number))
            )
            assert "Cannot use the lake at " in str(error)
        disk.free()
        mongo.kill()  # it ends by itself where it cannot write its journal
        mongo.start()
        with MongoLake(url) as lake:
            lake.append(capture(refused))  # it may be there, and only its answer was lost
            assert lake.append(capture(refused + 1))
            ids = [entry.capture_id for entry in lake.entries(0, lake.end())]
    assert ids == [capture(number).id for number in range(1, refused + 2)]


def _refusal(lake: MongoLake, number: int) -> TryAgain | None:
    """What the lake says where it does not keep a capture."""
    try:
        assert lake.append(capture(number))
    except TryAgain as error:
        return error
    return None
