"""Kafka as tests get it: it serves, comes back with what it took, and keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from servers.kafka import Kafka
from servers.ports import HOST, Port
from servers.proxy import Proxy

pytestmark = pytest.mark.usefixtures("kafka_program")

_ANSWER_TIMEOUT_S = 30


def make_topic(broker: Kafka, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(_ANSWER_TIMEOUT_S)


def produce(broker: Kafka, topic: str, value: bytes) -> KafkaError | None:
    """Writes a message; comes back when it is safe, with the error if it is not."""
    outcome: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True})
    producer.produce(topic, value, on_delivery=lambda error, _message: outcome.append(error))
    producer.flush(_ANSWER_TIMEOUT_S)
    return outcome[0]


def first_message(broker: Kafka, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(_ANSWER_TIMEOUT_S)
        assert message is not None
        return message.value()
    finally:
        consumer.close()


def test_a_broker_takes_a_message_and_gives_it(kafka_broker: Kafka) -> None:
    make_topic(kafka_broker, "trial")
    assert produce(kafka_broker, "trial", b"a message") is None
    assert first_message(kafka_broker, "trial") == b"a message"


def test_asking_for_a_topic_does_not_make_it(kafka_broker: Kafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers})
    asked = admin.list_topics("never-made", timeout=_ANSWER_TIMEOUT_S).topics["never-made"]
    assert asked.error is not None
    assert asked.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert "never-made" not in admin.list_topics(timeout=_ANSWER_TIMEOUT_S).topics


def test_a_killed_broker_comes_back_with_what_it_took(tmp_path: Path) -> None:
    with Kafka(tmp_path) as broker:
        make_topic(broker, "trial")
        assert produce(broker, "trial", b"before") is None
        address = broker.bootstrap_servers
        broker.kill()
        assert not broker.runs
        broker.start()
        assert broker.bootstrap_servers == address
        assert first_message(broker, "trial") == b"before"
    with Kafka(tmp_path) as later:
        assert later.bootstrap_servers == address
        assert first_message(later, "trial") == b"before"


def test_the_brokers_settings_can_be_overridden(tmp_path: Path) -> None:
    with Kafka(tmp_path, {"message.max.bytes": "2000"}) as broker:
        make_topic(broker, "trial")
        error = produce(broker, "trial", bytes(3000))
        assert error is not None
        assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
        assert produce(broker, "trial", bytes(1000)) is None


def test_who_comes_by_a_door_is_sent_to_the_proxy_before_it(tmp_path: Path) -> None:
    door = Port(tmp_path / "door")
    with (
        Proxy(tmp_path / "proxy", door.number) as proxy,
        Kafka(tmp_path / "kafka", doors={door.number: proxy.port}) as broker,
    ):
        make_topic(broker, "trial")
        by_proxy = Producer({"bootstrap.servers": f"{HOST}:{door.number}"})
        (listed,) = by_proxy.list_topics(timeout=_ANSWER_TIMEOUT_S).brokers.values()
        assert (listed.host, listed.port) == (HOST, proxy.port)
        proxy.refuse()
        by_proxy.produce("trial", b"by the proxy")
        assert by_proxy.flush(0.5) == 1
        assert produce(broker, "trial", b"not by the proxy") is None
        proxy.mend()
        assert by_proxy.flush(_ANSWER_TIMEOUT_S) == 0
    door.release()


def test_two_side_by_side_do_not_meet(kafka_broker: Kafka, tmp_path: Path) -> None:
    with Kafka(tmp_path) as other:
        make_topic(other, "elsewhere")
        topics = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers}).list_topics().topics
        assert "elsewhere" not in topics


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"(?s)num\.partitions.*must be at least 1"):
        Kafka(tmp_path, {"num.partitions": "0"}).start()
