"""That Spark spreads the work over the topic's partitions, by its own plan."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from distributed.loading_test import message
from distributed.site import DEADLINE_S, Site

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


def test_each_partition_is_refined_and_staged_by_a_task_of_its_own_and_no_row_moves(site: Site) -> None:
    site.publish(*map(message, range(1, 31)))
    done = subprocess.run(
        [sys.executable, "-m", "distributed.planned", site.config],
        env=site.spark_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["tasks"] == site.bus.partitions == 3
    assert "MapInArrow" in said["plan"]
    assert "Exchange" not in said["plan"], "rows of several tasks come together in one"
