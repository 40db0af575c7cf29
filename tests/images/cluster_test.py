"""Spark's image as a cluster: a master and two workers of the same image, and the program as their driver."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from coinlake.clock import SystemClock
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coinbase.mimic import CoinbaseMimic
from coinlake_coinbase.recordings import FOLDER
from images.docker import Container
from images.scene import Platform, until
from servers.ports import HOST, Port

pytestmark = pytest.mark.timeout(900)  # the first test builds the images

_SPARK = ("--entrypoint=spark-class", "--no-healthcheck")
_JAVA_ENDED_BY_SIGTERM = 128 + signal.SIGTERM
_ALONE = {"SPARK_LOCAL_IP": HOST, "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"}


@pytest.fixture
def second_venue(tmp_path: Path) -> Iterator[tuple[str]]:
    """Options for a venue whose answers lie in the topic's other partition than those of the first."""
    with ReplayServer(load(FOLDER / "ticker"), CoinbaseMimic(), SystemClock()) as venue:
        settings = tmp_path / "coinlake.toml"
        settings.write_text(
            f'[sources.coinbase]\nroot = "{venue.root}"\nproducts = ["BTC-USD"]\nticker_every = "5s"\n'
        )
        yield (f"--volume={settings}:/var/lib/coinlake/coinlake.toml:ro",)


def test_a_cluster_of_the_image_loads_by_all_its_workers(
    platform: Platform, second_venue: tuple[str], tmp_path: Path
) -> None:
    port = Port(tmp_path / "master.port").number
    master = f"spark://{HOST}:{port}"

    def daemon(part: str, *more: str) -> Container:
        command = (f"org.apache.spark.deploy.{part}", "--host", HOST, "--webui-port", "0", *more)
        return platform.container("coinlake-spark", *command, options=_SPARK, **_ALONE)

    worker = ("worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", "/tmp/work", master)
    with (
        daemon("master.Master", "--port", str(port)) as of_all,
        daemon(*worker) as one,
        daemon(*worker) as other,
        platform.container("coinlake", options=second_venue) as capturing,
        platform.container("coinlake-producer") as publishing,
        platform.container("coinlake-spark", options=(), COINLAKE_SPARK__MASTER=master, **_ALONE) as loading,
    ):
        until(lambda: tasks(one) and tasks(other), capturing, publishing, loading)
        until(lambda: loading.trouble() == "", capturing, publishing, loading)
        assert capturing.stop() == 0
        until(lambda: platform.waiting() == [0, 0], publishing, loading)
        assert publishing.stop() == 0
        assert loading.stop() == 0
        for container in (one, other, of_all):
            assert container.stop() == _JAVA_ENDED_BY_SIGTERM
    assert platform.is_whole()


def tasks(worker: Container) -> int:
    """How many tasks a worker ran."""
    said = worker.inside("sh", "-c", "cat /tmp/work/*/*/stderr").stdout
    return len(re.findall(r"Running task \d", said))
