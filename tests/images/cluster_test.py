"""Spark's image as a cluster: a master and two workers of the same image, and the program as their driver."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from images.docker import Container
from images.scene import PARTITIONS, Platform, until
from servers.ports import HOST, Port

pytestmark = pytest.mark.timeout(900)  # the first test builds the images

_SPARK = ("--entrypoint=spark-class", "--no-healthcheck")
_ALONE = {"SPARK_LOCAL_IP": HOST, "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"}


def test_a_cluster_of_the_image_spreads_each_batch_over_its_workers(
    platform: Platform, tmp_path: Path
) -> None:
    port = Port(tmp_path / "master.port").number
    master = f"spark://{HOST}:{port}"

    def daemon(part: str, *more: str) -> Container:
        command = (f"org.apache.spark.deploy.{part}", "--host", HOST, "--webui-port", "0", *more)
        return platform.container("coinlake-spark", *command, options=_SPARK, **_ALONE)

    worker = ("worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", "/tmp/work", master)
    with (
        daemon("master.Master", "--port", str(port)),
        daemon(*worker) as one,
        daemon(*worker) as other,
        platform.container("coinlake-producer") as publishing,
    ):
        platform.coinlake("capture")
        until(lambda: platform.waiting()[0] == 0)
        captures = platform.waiting()[1]
        with platform.container("coinlake-spark", COINLAKE_SPARK__MASTER=master, **_ALONE) as loading:
            until(lambda: platform.loaded() == captures)
            assert loading.trouble() == ""
            assert tasks(one) == tasks(other) == PARTITIONS // 2
            assert loading.stop() == 0
        assert publishing.stop() == 0
    assert platform.is_whole()


def tasks(worker: Container) -> int:
    """How many tasks a worker ran."""
    said = worker.inside("sh", "-c", "cat /tmp/work/*/*/stderr").stdout
    return len(re.findall(r"Running task \d", said))
