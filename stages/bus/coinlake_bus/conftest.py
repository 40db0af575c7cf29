"""A real broker, and a topic of each test's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from coinlake.errors import FixConfiguration
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from servers.fixtures import kafka_broker, kafka_program
from servers.kafka import Kafka

DEADLINE_S = 60

__all__ = ["kafka_broker", "kafka_program"]


@pytest.fixture
def bus_settings(kafka_broker: Kafka) -> BusSettings:
    """A topic of the test's own, not yet made."""
    return BusSettings(servers=kafka_broker.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3)


@pytest.fixture
def bus(bus_settings: BusSettings) -> Bus:
    """The topic of `bus_settings`, made."""
    bus = Bus(bus_settings)
    bus.init()
    return bus


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
