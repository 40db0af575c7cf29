"""The topic is made once, is set to what the settings say, and every refusal says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka import Message as Record

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import BusSettings
from coinlake_bus.conftest import until
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Message
from coinlake_bus.writer import BusWriter
from servers.kafka import Kafka
from servers.ports import HOST


def test_init_makes_the_topic_and_says_how(bus_settings: BusSettings) -> None:
    bus = Bus(bus_settings)
    (line,) = bus.init()
    assert f"{bus_settings.topic}: made with 3 partitions" in line
    assert "retention.ms=604800000" in line
    topic = bus.topic()
    assert (topic.partitions, topic.max_message_bytes) == (3, bus_settings.max_message_bytes)


def test_init_again_changes_nothing(bus: Bus) -> None:
    before = bus.topic()
    assert bus.init() == [f"topic {bus.settings.topic}: is as it should be"]
    assert bus.topic() == before


def test_init_sets_what_differs_and_says_what_it_was(bus: Bus) -> None:
    wanted = bus.settings.model_copy(update={"retention": timedelta(hours=1), "max_message_bytes": 70_000})
    lines = Bus(wanted).init()
    assert lines == [
        f"topic {wanted.topic}: max.message.bytes set to 70000; it was {bus.settings.max_message_bytes}",
        f"topic {wanted.topic}: retention.ms set to 3600000; it was 604800000",
    ]
    assert bus.topic().max_message_bytes == 70_000


def test_init_leaves_partitions_and_copies_and_says_so(bus: Bus) -> None:
    wanted = bus.settings.model_copy(update={"partitions": 4, "replication": 3})
    partitions, copies = Bus(wanted).init()
    assert "has 3 partitions, bus.partitions says 4; left" in partitions
    assert "has 1 copies, bus.replication says 3; left" in copies
    assert bus.topic().partitions == 3


def test_more_copies_than_brokers_are_refused_with_the_setting_s_place(bus_settings: BusSettings) -> None:
    wanted = bus_settings.model_copy(update={"replication": 3})
    with pytest.raises(FixConfiguration, match=r"refuses topic .* as it is set.*Change \[bus\]"):
        Bus(wanted).init()


def test_a_missing_topic_is_refused_with_the_command_that_makes_it(bus_settings: BusSettings) -> None:
    with pytest.raises(FixConfiguration, match="run `coinlake bus init`"):
        Bus(bus_settings).topic()


def test_offsets_are_what_each_partition_holds(bus: Bus) -> None:
    until(lambda: _has_leaders(bus))
    assert bus.offsets() == {0: range(0), 1: range(0), 2: range(0)}
    acknowledged: list[int] = []
    with BusWriter(bus.settings, bus.topic(), acknowledged.append) as writer:
        for number in range(2):
            writer.send(Message(b"one key", b"body", []), number)

        def both_are_acknowledged() -> bool:
            writer.poll(0.1)
            return len(acknowledged) == 2

        until(both_are_acknowledged)
    assert sorted(map(len, bus.offsets().values())) == [0, 0, 2]


@pytest.mark.parametrize("hours", [-24 * 365, 24 * 365])
def test_a_message_of_a_producer_whose_clock_is_wrong_is_taken_and_kept(bus: Bus, hours: int) -> None:
    until(lambda: _has_leaders(bus))
    taken: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": bus.settings.servers})
    wrong_ms = int((time.time() + hours * 3600) * 1000)
    producer.produce(
        bus.settings.topic, b"body", timestamp=wrong_ms, on_delivery=lambda error, _: taken.append(error)
    )
    producer.flush()
    assert taken == [None]
    ((_, timestamp_ms),) = [one.timestamp() for one in _messages(bus)]
    assert abs(timestamp_ms / 1000 - time.time()) < 3600


def _messages(bus: Bus) -> list[Record]:
    consumer = Consumer({"bootstrap.servers": bus.settings.servers, "group.id": "reader"})
    try:
        places = [TopicPartition(bus.settings.topic, number, 0) for number in bus.offsets()]
        consumer.assign(places)
        return consumer.consume(1, timeout=30)
    finally:
        consumer.close()


def _has_leaders(bus: Bus) -> bool:
    """Whether every partition has its leader, a moment after the topic was made."""
    try:
        bus.offsets()
    except TryAgain:
        return False
    return True


def test_a_topic_made_again_has_another_id(bus: Bus, delete_topic: Callable[[], None]) -> None:
    first = bus.topic().id
    delete_topic()
    bus.init()
    assert bus.topic().id != first


def test_a_broker_that_is_away_is_tried_again_and_named() -> None:
    with pytest.raises(TryAgain, match=f"Kafka at {HOST}:1 cannot be used now"):
        Bus(BusSettings(servers=f"{HOST}:1")).topic()


def test_certificates_that_are_not_there_or_none_are_refused(tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    with pytest.raises(FixConfiguration, match=f"bus.ca_file: there is no file {none}"):
        Bus(BusSettings(security_protocol="SSL", ca_file=none))
    none.write_text("no certificate")
    with pytest.raises(FixConfiguration, match=r"refuses \[bus\] as it is set: .* Check bus\.ca_file"):
        Bus(BusSettings(security_protocol="SSL", ca_file=none))


def test_a_password_stands_in_no_message_and_no_repr(kafka_broker: Kafka) -> None:
    bus = Bus(
        BusSettings.model_validate(
            {
                "servers": kafka_broker.bootstrap_servers,
                "security_protocol": "SASL_PLAINTEXT",
                "username": "producer",
                "password": "very-secret",
            }
        )
    )
    with pytest.raises((TryAgain, FixConfiguration)) as refused:
        bus.topic()
    assert "very-secret" not in str(refused.value) + repr(bus.settings)
