"""What lies in the topic, from its first message to what was its end when the reading began."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from coinlake.errors import TryAgain
from coinlake.settings import BusSettings
from coinlake_bus.errors import explained
from coinlake_bus.kafka import CALL_TIMEOUT_S, Complaints, client_settings
from coinlake_bus.message import Message

_AT_ONCE = 1_000
_WAIT_S = 0.1
"""How long the client gathers so many; it does not return sooner with fewer."""
_SILENCE_S = 30.0
"""A broker that gives nothing of what it has for so long is away."""


class Placed(NamedTuple):
    """A message and its place in the topic."""

    partition: int
    offset: int
    message: Message


def read_topic(bus: BusSettings) -> Iterator[Placed]:
    """Every message, partition after partition, each partition's in order; nobody's position moves.

    Raises `TryAgain` while no broker answers, and `FixConfiguration` where there is no topic or no right.
    """
    settings = client_settings(bus, Complaints()) | {
        "group.id": "coinlake-reader",  # the client wants one; nothing is ever stored under it
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(settings)
    try:
        listed = consumer.list_topics(bus.topic, timeout=CALL_TIMEOUT_S).topics[bus.topic]
        if listed.error is not None:
            raise explained(listed.error, bus)
        for number in sorted(listed.partitions):
            yield from _partition(consumer, TopicPartition(bus.topic, number), bus)
    except KafkaException as error:
        raise explained(error.args[0], bus) from None
    finally:
        consumer.close()


def _partition(consumer: Consumer, place: TopicPartition, bus: BusSettings) -> Iterator[Placed]:
    begin, end = consumer.get_watermark_offsets(place, timeout=CALL_TIMEOUT_S)
    consumer.assign([TopicPartition(place.topic, place.partition, begin)])
    heard_at = time.monotonic()
    while begin < end:
        for record in consumer.consume(_AT_ONCE, _WAIT_S):
            fault = record.error()
            if fault is not None and fault.code() == fault._PARTITION_EOF:
                return  # what is left are gaps, as transactions of strangers leave them
            if fault is not None and fault.code() == fault.GROUP_AUTHORIZATION_FAILED:
                continue  # no right to the group that the client wants: nothing here needs one
            if fault is not None:
                raise explained(fault, bus)
            heard_at = time.monotonic()
            begin = (record.offset() or 0) + 1
            if begin <= end:
                headers = list(record.headers() or [])
                message = Message(record.key(), record.value(), headers)  # type: ignore[arg-type]
                yield Placed(place.partition, begin - 1, message)
        if time.monotonic() - heard_at > _SILENCE_S:
            raise TryAgain(f"Kafka at {bus.servers} gave nothing of {bus.topic} for {_SILENCE_S:.0f} s.")
