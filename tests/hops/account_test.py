"""What is lost between MongoDB, Kafka and PostgreSQL is named, sent again and loaded; then nothing is."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime

import psycopg
import pytest

from coinlake.account import Account, Differences, Entry, take
from coinlake.account_groups import grouped
from coinlake.model import Decoded
from coinlake.testing.lake_contract import capture
from coinlake_bus.arrow import decode_batch
from coinlake_bus.arrow_test import spark_batch
from coinlake_bus.message import entry
from coinlake_bus.producing import Producing
from coinlake_bus.reader import read_topic
from coinlake_bus.republishing import republish
from coinlake_bus.sightings import TopicSightings, published
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_warehouse.attempts import Stager
from coinlake_warehouse.closing import BusLoader, Stretch, Topic
from coinlake_warehouse.loaded import LoadedCaptures
from hops.conftest import Hops

CAPTURES = 60
DEADLINE_S = 60


def publish(hops: Hops) -> None:
    """Runs the producer until its mark stands at the lake's end."""
    stop = threading.Event()
    with MongoPositions(hops.url, hops.lake.id, hops.bus.settings.topic) as positions:
        thread = threading.Thread(target=Producing(hops.lake, positions, hops.bus).run, args=[stop])
        thread.start()
        end = time.monotonic() + DEADLINE_S
        while positions.read().position < hops.lake.end():
            assert time.monotonic() < end, "publishing takes too long"
            time.sleep(0.05)
        stop.set()
        thread.join()


def load(hops: Hops, *, losing: Collection[int] = ()) -> None:
    """Loads the rest of the topic in one batch, as Spark does; a broken one loses some captures."""
    loader = BusLoader(hops.dsn, Topic(hops.bus.settings.topic, hops.bus.topic().id))
    stager = Stager(hops.dsn, lambda _: Decoded())
    offsets = loader.offsets()
    rest = [one for one in read_topic(hops.bus.settings) if one.offset >= offsets.get(one.partition, 0)]
    entries = [(entry(one.message, hops.lake.id), one.message) for one in rest]
    found = decode_batch(spark_batch([said for one, said in entries if one and one.position not in losing]))
    loader.begin()
    attempt = stager.stage(found.captures, found.rejects)
    ends = {one.partition: one.offset + 1 for one in rest}
    stretches = [Stretch(number, offsets.get(number, 0), end) for number, end in ends.items()]
    loader.load([attempt], stretches, started_at=datetime.now(UTC), traceparent="")
    stager.close()
    loader.close()


def account(hops: Hops) -> Account:
    """As `coinlake verify` takes it: first how far publishing and loading got, then what is there."""
    lake, topic, name = hops.lake, hops.bus.topic(), hops.bus.settings.topic
    with (
        MongoPositions(hops.url, lake.id, name) as positions,
        LoadedCaptures(hops.dsn, lake.id) as warehouse,
    ):
        up_to = published(positions.read(), topic)
        offsets = warehouse.offsets(Topic(name, topic.id))
        return take(lake, TopicSightings(hops.bus.settings, lake.id, offsets), warehouse, up_to)


@pytest.fixture
def captured(hops: Hops) -> Hops:
    """A lake with captures in it, published."""
    for number in range(CAPTURES):
        hops.lake.append(capture(number))
    publish(hops)
    return hops


def test_captures_on_their_way_are_not_missing(captured: Hops) -> None:
    found = account(captured)
    assert found.clean
    assert (found.published, found.waiting) == (CAPTURES, CAPTURES)
    load(captured)
    captured.lake.append(capture(CAPTURES))  # and one that is not yet published
    found = account(captured)
    assert found.clean
    assert (found.published, found.waiting) == (CAPTURES, 0)


def test_what_loading_lost_is_named_sent_again_and_loaded(captured: Hops) -> None:
    lake, lost = captured.lake, {3, 4, 40}
    entries = list(lake.entries(0, CAPTURES))
    load(captured, losing=lost)
    found = account(captured)
    assert found.topic == Differences()
    assert found.warehouse == Differences(missing=tuple(one for one in entries if one.position in lost))
    (group,) = grouped(lake, found.warehouse.missing)
    assert (group.source, group.dataset, group.captures) == ("venue", "markets", 3)

    assert republish(lake, captured.bus, [one.position for one in found.warehouse.missing]) == 3
    assert account(captured).clean  # on its way
    load(captured)
    found = account(captured)
    assert found.clean
    assert {one.position for one in found.topic.doubled} == lost


def test_a_warehouse_that_holds_what_no_lake_has_is_told(captured: Hops) -> None:
    load(captured)
    with psycopg.connect(captured.dsn, options="-c search_path=coinlake") as session:
        session.execute("UPDATE loaded_captures SET position = 999 WHERE position = 7")
    (seventh,) = captured.lake.entries(6, 7)
    found = account(captured)
    assert not found.clean
    assert found.warehouse.missing == (seventh,)
    assert found.warehouse.strangers == (Entry(999, seventh.capture_id),)
