"""Sends messages to the topic, each acknowledged by all its in-sync replicas or reported as failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Record

from coinlake.errors import TryAgain
from coinlake.settings import BusSettings
from coinlake_bus.errors import explained
from coinlake_bus.kafka import Complaints, Topic, client_settings
from coinlake_bus.message import Message, without_body

QUEUE_MESSAGES = 100_000
"""Messages that the client holds at most, sent or waiting."""

_BATCH_BYTES = 1_000_000
_BATCH_OVERHEAD_BYTES = 512
"""What a batch of one message adds to the message's own size, and more."""


class BusWriter:
    """An idempotent producer: in order per key, nothing doubled by its own retries.

    It tries for as long as it lives, so a broker may be away for any time. `acknowledged` is called, within
    `poll`, with the number that `send` was given. After an error was raised the writer is spent: close it,
    and let a new one begin behind the last acknowledgement.
    """

    def __init__(self, bus: BusSettings, topic: Topic, acknowledged: Callable[[int], None]) -> None:
        self._bus = bus
        self._limit_bytes = topic.max_message_bytes - _BATCH_OVERHEAD_BYTES
        self._acknowledged = acknowledged
        self._complaints = Complaints()
        self._failure: KafkaError | None = None
        self._producer = Producer(
            client_settings(bus, self._complaints)
            | {
                "enable.idempotence": True,  # and with it acks=all, and order across retries
                "compression.type": "lz4",
                "message.timeout.ms": 0,  # no end: a message is given up only together with the writer
                "linger.ms": 5,
                "batch.size": min(_BATCH_BYTES, topic.max_message_bytes),
                "message.max.bytes": min(max(topic.max_message_bytes, 1_000_000), 1_000_000_000),
                "queue.buffering.max.messages": QUEUE_MESSAGES,
                "queue.buffering.max.kbytes": 2_000_000,  # whoever sends has a tighter bound
            }
        )

    def __enter__(self) -> BusWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what was not acknowledged; it may have reached the topic all the same."""
        self._producer.purge()

    @property
    def complaint(self) -> str:
        """What the client last said of its connections, for people."""
        return self._complaints.last.str() if self._complaints.last else "no acknowledgement yet"

    def fitted(self, message: Message) -> tuple[Message, int]:
        """The message, without its body where the topic would not take it whole, and its bytes."""
        if (size := message.size) <= self._limit_bytes:
            return message, size
        message = without_body(message)
        return message, message.size

    def send(self, message: Message, number: int) -> bool:
        """Queues a message; False while the client's queue is full (`poll`, and try again)."""
        try:
            self._producer.produce(
                self._bus.topic,
                message.value,
                message.key,
                headers=list(message.headers),
                on_delivery=partial(self._delivered, number),
            )
        except BufferError:
            return False
        except KafkaException as error:
            raise self._spent(error.args[0]) from None
        return True

    def poll(self, timeout_s: float) -> None:
        """Waits for acknowledgements. Raises `TryAgain` where a message failed, `FixConfiguration` where we
        are refused."""
        try:
            self._producer.poll(timeout_s)
        except KafkaException as error:  # a fatal error of the client
            raise self._spent(error.args[0]) from None
        if self._failure is not None:
            raise self._spent(self._failure)
        if self._complaints.refusal is not None:
            raise explained(self._complaints.refusal, self._bus)

    def _delivered(self, number: int, error: KafkaError | None, _: Record) -> None:
        if error is None:
            self._acknowledged(number)
        elif self._failure is None:
            self._failure = error

    def _spent(self, error: KafkaError) -> Exception:
        if error.fatal() or error.code() == KafkaError._FATAL or error.code() in _TOPIC_CHANGED:
            return TryAgain(f"Kafka's client has to begin anew: {error.str()}.")
        return explained(error, self._bus)


_TOPIC_CHANGED = {
    KafkaError.MSG_SIZE_TOO_LARGE,  # its limit was lowered
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # it was deleted: whoever begins anew finds out whether it is back
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
