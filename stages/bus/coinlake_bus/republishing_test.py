"""What a topic holds of a lake is told by its messages' headers, and what is missing there is sent again."""

from __future__ import annotations

from collections import Counter

import confluent_kafka
import pytest

from coinlake.account import Differences, Entry, Sighting, Tallies, take, tallied
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import Held
from coinlake.positions import Mark
from coinlake.settings import BusSettings
from coinlake_bus import republishing
from coinlake_bus.kafka import Bus
from coinlake_bus.message import BODY_HEADER, Received, decode, entry
from coinlake_bus.producing_test import KeptMark, ListedLake, as_lake, in_topic, publish
from coinlake_bus.reader import read_topic
from coinlake_bus.republishing import republish
from coinlake_bus.sightings import TopicSightings, published
from servers.kafka import Kafka


def entries(lake: ListedLake) -> list[Entry]:
    return [Entry(one.position, one.capture.id) for one in lake.held]


class Listed:
    """A lake or a warehouse in memory."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def entries(self, after: int, until: int) -> list[Entry]:
        return [one for one in self._entries if after < one.position <= until]

    def tallies(self) -> Tallies:
        return tallied(self._entries)


def sightings(bus: Bus, lake: ListedLake, offsets: dict[int, int] | None = None) -> list[Sighting]:
    return list(TopicSightings(bus.settings, lake.id, offsets or {}).sightings())


def positions_in(bus: Bus, lake: ListedLake) -> list[int]:
    return sorted(one.entry.position for one in sightings(bus, lake) if one.entry)


def test_every_capture_in_the_topic_is_seen_and_waits_until_its_offset_was_loaded(bus: Bus) -> None:
    lake = ListedLake(200)
    publish(lake, KeptMark(), bus)
    assert sorted(one.entry for one in sightings(bus, lake) if one.entry) == entries(lake)
    counts = Counter(placed.partition for placed in read_topic(bus.settings))
    assert all(one.is_waiting for one in sightings(bus, lake))
    assert not any(one.is_waiting for one in sightings(bus, lake, dict(counts)))
    one_less = {number: count - 1 for number, count in counts.items()}
    assert sum(one.is_waiting for one in sightings(bus, lake, one_less)) == len(counts)


def test_messages_that_are_no_captures_of_this_lake_have_no_entry(bus: Bus) -> None:
    lake, other = ListedLake(3), ListedLake(2)
    publish(lake, KeptMark(), bus)
    publish(other, KeptMark(), bus)
    stranger = confluent_kafka.Producer({"bootstrap.servers": bus.settings.servers})
    stranger.produce(bus.settings.topic, b"garbage", headers={"coinlake-schema": b"1", "capture": b"{"})
    stranger.produce(bus.settings.topic, None, b"a tombstone")
    stranger.flush(30)
    found = [one.entry for one in sightings(bus, lake)]
    assert found.count(None) == 4
    assert sorted(one for one in found if one) == entries(lake)


def test_what_was_published_to_a_topic_that_is_gone_counts_for_nothing(bus: Bus) -> None:
    topic = bus.topic()
    assert published(Mark(7, topic.id), topic) == 7
    assert published(Mark(7, "another"), topic) == 0
    assert published(Mark(), topic) == 0


def test_captures_are_sent_again_as_the_producer_sent_them(bus: Bus) -> None:
    lake = ListedLake(50)
    publish(lake, KeptMark(), bus)
    before = in_topic(bus)
    assert republish(as_lake(lake), bus, [40, 3, 4, 5, 3]) == 4
    after = in_topic(bus)
    twice = [message for message in after if after.count(message) == 2]
    assert len(after) == len(before) + 4
    assert {entry(message, lake.id) for message in twice} == {entries(lake)[place] for place in (2, 3, 4, 39)}
    assert all(message in before for message in after)


def test_positions_that_the_lake_does_not_have_are_left_out(bus: Bus) -> None:
    lake = ListedLake(9)
    assert republish(as_lake(lake), bus, [8, 9, 10, 99]) == 2
    assert positions_in(bus, lake) == [8, 9]
    assert republish(as_lake(lake), bus, []) == 0


def test_many_captures_are_sent_again_within_the_bound_of_what_is_in_flight(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(republishing, "IN_FLIGHT_BYTES", 5_000)
    lake = ListedLake(1_200)
    assert republish(as_lake(lake), bus, range(1, 1_201)) == 1_200
    assert positions_in(bus, lake) == list(range(1, 1_201))


def test_a_capture_too_large_for_the_topic_goes_again_without_its_body(bus_settings: BusSettings) -> None:
    bus = Bus(bus_settings.model_copy(update={"max_message_bytes": 10_000}))
    bus.init()
    lake = ListedLake(1, body_bytes=20_000)
    assert republish(as_lake(lake), bus, [1]) == 1
    (message,) = in_topic(bus)
    assert dict(message.headers)[BODY_HEADER] is not None
    assert positions_in(bus, lake) == [1]


def test_a_broker_that_is_away_ends_it_and_it_may_be_done_again(bus: Bus, kafka_broker: Kafka) -> None:
    lake = ListedLake(20)
    bus.topic()

    class BrokerDies(ListedLake):
        def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
            kafka_broker.kill()
            return super().tail(after, captures=captures, body_bytes=body_bytes)

    dying = BrokerDies()
    dying.held = lake.held
    try:
        with pytest.raises(TryAgain, match="acknowledged nothing for 1 s"):
            republish(as_lake(dying), bus, range(1, 21), silence_s=1)
    finally:
        kafka_broker.start()
    assert republish(as_lake(lake), bus, range(1, 21)) == 20
    assert set(positions_in(bus, lake)) == set(range(1, 21))


def test_without_a_topic_nothing_is_sent(bus_settings: BusSettings) -> None:
    with pytest.raises(FixConfiguration, match="bus init"):
        republish(as_lake(ListedLake(1)), Bus(bus_settings), [1])


def test_what_the_account_names_as_missing_is_mended_by_sending_it_again(bus: Bus) -> None:
    lake, mark = ListedLake(500), KeptMark()
    publish(lake, mark, bus)
    has = entries(lake)
    offsets = dict(Counter(placed.partition for placed in read_topic(bus.settings)))
    lost = {7, 100, 101, 499}
    warehouse = Listed([one for one in has if one.position not in lost])

    def account(loaded: Listed) -> tuple[Differences, Differences]:
        topic = TopicSightings(bus.settings, lake.id, offsets)
        found = take(Listed(has), topic, loaded, published(mark.mark, bus.topic()))
        return found.topic, found.warehouse

    in_topic, in_warehouse = account(warehouse)
    assert in_topic == Differences()
    assert {one.position for one in in_warehouse.missing} == lost
    assert republish(as_lake(lake), bus, [one.position for one in in_warehouse.missing]) == len(lost)
    again = [placed for placed in read_topic(bus.settings) if placed.offset >= offsets[placed.partition]]
    received = [decode(placed.message) for placed in again]
    assert {one.held.position for one in received if isinstance(one, Received)} == lost
    in_topic, in_warehouse = account(Listed(has))
    assert in_warehouse == Differences()
    assert {one.position for one in in_topic.doubled} == lost
