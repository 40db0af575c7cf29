"""The clock of the Spark program is set back and forth while a load runs: it makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chaos import links
from chaos.clock import SteppedClock
from chaos.links import Linked, linked
from chaos.load import Load
from servers.fixtures import Spark

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

_STEPS = [timedelta(hours=hours) for hours in (2, -1, 0)]
"""How far ahead the clock is, one setting after the other."""


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    return SteppedClock(tmp_path)


@pytest.fixture
def site(tmp_path: Path, clock: SteppedClock, mongod_program: Path, spark_home: Spark) -> Iterator[Linked]:
    with linked(tmp_path, spark_home, clock=clock) as site:
        yield site


def test_a_clock_that_is_set_loses_and_doubles_nothing(site: Linked, clock: SteppedClock) -> None:
    load, warehouse = Load(), site.scene.site
    with load.running(site.capture_url):
        for ahead in _STEPS:
            clock.set(ahead)
            site.wait_for_news(load)  # of what was on its way
            site.wait_for_news(load)
            # Whoever finds back measures his pauses, which Kafka's client for Java does by the time of day.
            site.links[links.SPARK_TO_KAFKA].cut()
            site.wait_for_news(load)
    ((span,),) = warehouse.rows("SELECT max(started_at) - min(started_at) FROM batches")
    assert span > timedelta(hours=2)
    site.scene.prove_whole(load)
