"""A real broker, a topic of each test's own, and what lies in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from coinlake.errors import FixConfiguration
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Message
from servers.fixtures import kafka_broker  # noqa: F401
from servers.kafka import Kafka

DEADLINE_S = 60


@pytest.fixture
def bus_settings(kafka_broker: Kafka) -> BusSettings:  # noqa: F811
    """A topic of the test's own, not yet made."""
    return BusSettings(servers=kafka_broker.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3)


@pytest.fixture
def bus(bus_settings: BusSettings) -> Bus:
    """The topic of `bus_settings`, made."""
    bus = Bus(bus_settings)
    bus.init()
    return bus


@pytest.fixture
def read_topic(bus: Bus) -> Callable[[], list[Message]]:
    """All messages of the topic, each partition's in order."""
    return lambda: _messages(bus.settings)


@pytest.fixture
def delete_topic(bus: Bus) -> Callable[[], None]:
    """Deletes the topic, and returns when no broker knows it any more."""

    def delete() -> None:
        name = bus.settings.topic
        admin = AdminClient({"bootstrap.servers": bus.settings.servers})
        admin.delete_topics([name])[name].result(DEADLINE_S)
        until(lambda: not _is_there(bus))

    return delete


def until(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds; fails when it takes too long."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def _is_there(bus: Bus) -> bool:
    try:
        bus.topic()
    except FixConfiguration:
        return False
    return True


def _messages(bus: BusSettings) -> list[Message]:
    reader = Consumer({"bootstrap.servers": bus.servers, "group.id": "test", "enable.auto.commit": False})
    found: list[Message] = []
    for number in reader.list_topics(bus.topic, timeout=DEADLINE_S).topics[bus.topic].partitions:
        _, end = reader.get_watermark_offsets(TopicPartition(bus.topic, number), timeout=DEADLINE_S)
        reader.assign([TopicPartition(bus.topic, number, 0)])
        offset = 0
        while offset < end:
            for record in reader.consume(1000, 0.2):
                assert record.error() is None, record.error()
                found.append(Message(record.key(), record.value(), record.headers() or []))  # type: ignore[arg-type]
                offset = (record.offset() or 0) + 1
    reader.close()
    return found
