"""No part can do more than its role, tried under its own login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from coinlake.settings import BusSettings
from coinlake_bus.kafka import Complaints, client_settings
from secured.chain import Chain
from secured.guarded import TOPIC

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

_TIMEOUT_S = 30


def client(chain: Chain, user: str) -> dict[str, Any]:
    """A client of Kafka as this user."""
    guarded = chain.guarded
    bus = {
        "servers": guarded.kafka.secured_servers,
        "security_protocol": "SASL_SSL",
        "ca_file": guarded.kafka.ca_file,
        "username": user,
        "password": guarded.secrets[f"{user} of Kafka"],
    }
    return client_settings(BusSettings.model_validate(bus), Complaints())


@pytest.mark.parametrize("user", ["producer", "spark"])
def test_neither_user_of_kafka_can_make_or_delete_a_topic(chain: Chain, user: str) -> None:
    admin = AdminClient(client(chain, user))
    for asked in (admin.create_topics([NewTopic("mine", 1, 1)]), admin.delete_topics([TOPIC])):
        (answer,) = asked.values()
        with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
            answer.result(_TIMEOUT_S)


def test_the_producer_s_user_cannot_read(chain: Chain) -> None:
    consumer = Consumer(client(chain, "producer") | {"group.id": "spy", "auto.offset.reset": "earliest"})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        record = consumer.poll(_TIMEOUT_S)
        assert record is not None
        fault = record.error()
        assert fault is not None
        assert "AUTHORIZATION_FAILED" in repr(fault)
    finally:
        consumer.close()


def test_spark_s_user_cannot_write(chain: Chain) -> None:
    faults: list[object] = []
    producer = Producer(client(chain, "spark"))
    producer.produce(TOPIC, b"mine", on_delivery=lambda fault, _: faults.append(fault))
    producer.flush(_TIMEOUT_S)
    assert "AUTHORIZATION_FAILED" in repr(faults)


def test_mongodb_s_users_can_do_no_more_than_their_roles(chain: Chain) -> None:
    with MongoClient[dict[str, object]](chain.guarded.lake_url("reader")) as reader:
        captures = reader["coinlake"]["captures"]
        tried: tuple[Callable[[], object], ...] = (
            lambda: captures.insert_one({"position": 99}),
            lambda: captures.delete_many({}),
            captures.drop,
        )
        for forbidden in tried:
            with pytest.raises(OperationFailure, match="not authorized"):
                forbidden()
    with MongoClient[dict[str, object]](chain.guarded.lake_url("writer")) as writer:
        captures = writer["coinlake"]["captures"]
        tried = (
            lambda: captures.update_many({}, {"$set": {"url": ""}}),
            lambda: captures.delete_many({}),
            lambda: writer["coinlake"]["positions"].insert_one({"_id": "mine"}),
        )
        for forbidden in tried:
            with pytest.raises(OperationFailure, match="not authorized"):
                forbidden()


@pytest.mark.parametrize(
    "forbidden", ["DROP TABLE coinlake.quotes", "DELETE FROM coinlake.quotes", "CREATE ROLE x"]
)
def test_the_loader_can_drop_and_delete_nothing(chain: Chain, forbidden: str) -> None:
    with psycopg.connect(chain.loader_dsn) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(psycopg.sql.SQL(forbidden))
