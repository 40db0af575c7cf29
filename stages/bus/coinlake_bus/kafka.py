"""The topic that captures travel in: how it is reached, made and looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as AnswerTimeout
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import BusSettings
from coinlake_bus.errors import NoRight, NoTopic, explained, is_refusal, unusable
from coinlake_bus.listener import misfit

CALL_TIMEOUT_S = 5.0
"""How long a broker has for an answer about the topic."""
_LOOK_AGAIN_S = 0.05

Use = Literal["read", "write"]
_RIGHTS: Mapping[Use, Mapping[str, AclOperation]] = {
    "read": {"Read": AclOperation.READ, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS},
    "write": {"Write": AclOperation.WRITE, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS},
}
"""What a user needs for each use of the topic, by Kafka's names."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers have it."""

    id: str
    """Of this topic and no later one of the same name."""
    partitions: int
    max_message_bytes: int
    """The largest batch of messages it takes."""


class Complaints:
    """Remembers what a client says of its connections; answers to calls only ever say "timed out"."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        self.refusal: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        self.last = error
        if is_refusal(error):
            self.refusal = error


def client_settings(bus: BusSettings, complaints: Complaints) -> dict[str, Any]:
    """What every client of Kafka is told. The result holds the password: it is never printed."""
    settings: dict[str, Any] = {
        "bootstrap.servers": bus.servers,
        "security.protocol": bus.security_protocol,
        "client.id": "coinlake",
        "error_cb": complaints,
        "log_level": 0,  # it writes to stderr by itself; what matters comes through `complaints`
        "socket.connection.setup.timeout.ms": 10_000,
        "reconnect.backoff.max.ms": 2_000,  # so that a broker that is back is found soon
    }
    if bus.ca_file:
        if not bus.ca_file.is_file():
            raise FixConfiguration(f"bus.ca_file: there is no file {bus.ca_file}.")
        settings["ssl.ca.location"] = str(bus.ca_file)
    if bus.security_protocol.startswith("SASL"):
        settings["sasl.mechanism"] = bus.sasl_mechanism
        settings["sasl.username"] = bus.username
        settings["sasl.password"] = bus.password.get_secret_value() if bus.password else ""
    return settings


class Bus:
    """The topic of the settings, as whoever administers it sees it.

    Every call raises `TryAgain` while no broker answers and `FixConfiguration` where one refuses us.
    """

    def __init__(self, settings: BusSettings) -> None:
        self.settings = settings
        self._complaints = Complaints()
        try:
            self._admin = AdminClient(client_settings(settings, self._complaints))
        except KafkaException as error:
            raise unusable(error.args[0]) from None
        self._resource = ConfigResource(ResourceType.TOPIC, settings.topic)

    def topic(self, *, to: Use | None = None) -> Topic:
        """The topic as it is now; `FixConfiguration` where there is none, or no right to use it `to` that."""
        described = self._described()
        if described is None:
            raise NoTopic(self.settings)
        if to is not None and described.authorized_operations:
            lacking = [
                name for name, right in _RIGHTS[to].items() if right not in described.authorized_operations
            ]
            if lacking:
                raise NoRight(
                    self.settings, f"{' and '.join(lacking)} {'are' if lacking[1:] else 'is'} missing"
                )
        return Topic(
            id=str(described.topic_id),
            partitions=len(described.partitions),
            max_message_bytes=int(self._configured()["max.message.bytes"]),
        )

    def offsets(self) -> Mapping[int, range]:
        """The offsets that each partition holds now; `FixConfiguration` where there is no topic."""
        count = self.topic().partitions
        places = [TopicPartition(self.settings.topic, number) for number in range(count)]
        earliest, latest = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
        firsts = self._admin.list_offsets(dict.fromkeys(places, earliest))
        ends = self._admin.list_offsets(dict.fromkeys(places, latest))
        return {
            place.partition: range(self._answer(firsts[place]).offset, self._answer(ends[place]).offset)
            for place in places
        }

    def init(self) -> list[str]:
        """Makes the topic, or sets it to the settings; what was done and what differs, a line each."""
        bus, name = self.settings, self.settings.topic
        described = self._described()
        if described is None:
            wanted = NewTopic(name, bus.partitions, bus.replication or -1, config=_configuration(bus))
            self._answer(self._admin.create_topics([wanted])[name])
            self._wait_until(lambda: self._described() is not None, "made")
            settings = ", ".join(f"{key}={value}" for key, value in _configuration(bus).items())
            return [f"topic {name}: made with {bus.partitions} partitions, {settings}"]
        lines = [*self._set_what_differs(), *_what_stays(described, bus)]
        return lines or [f"topic {name}: is as it should be"]

    def _set_what_differs(self) -> Iterator[str]:
        has, name = self._configured(), self.settings.topic
        wanted = _configuration(self.settings)
        differing = {key: value for key, value in wanted.items() if has.get(key) != value}
        if not differing:
            return
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in differing.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        self._answer(self._admin.incremental_alter_configs([resource])[resource])
        self._wait_until(lambda: differing.items() <= self._configured().items(), "set")
        for key, value in differing.items():
            yield f"topic {name}: {key} set to {value}; it was {has.get(key)}"

    def _wait_until(self, seen: Callable[[], bool], done: str) -> None:
        """What the controller has done is known to the brokers, who are asked, a moment later."""
        end = time.monotonic() + CALL_TIMEOUT_S
        while not seen():
            if time.monotonic() > end:
                bus = self.settings
                raise TryAgain(f"Kafka at {bus.servers} has {done} {bus.topic}, but does not show it yet.")
            time.sleep(_LOOK_AGAIN_S)

    def _described(self) -> TopicDescription | None:
        name = self.settings.topic
        try:
            described: TopicDescription = self._answer(
                self._admin.describe_topics(TopicCollection([name]), include_authorized_operations=True)[name]
            )
        except NoTopic:
            return None
        return described

    def _configured(self) -> Mapping[str, str]:
        entries = self._answer(self._admin.describe_configs([self._resource])[self._resource])
        return {name: entry.value for name, entry in entries.items()}

    def _answer(self, asked: Future[Any]) -> Any:
        end = time.monotonic() + CALL_TIMEOUT_S
        said: KafkaError | None = None
        while said is None:
            try:
                return asked.result(_LOOK_AGAIN_S)
            except KafkaException as error:
                said = error.args[0]
            except AnswerTimeout:
                self._admin.poll(0)  # without it the client keeps its complaints to itself
                if self._complaints.refusal or time.monotonic() > end:
                    said = self._complaints.last or KafkaError(KafkaError._TIMED_OUT)
        found = explained(self._complaints.refusal or said, self.settings)
        raise (misfit(self.settings) if isinstance(found, TryAgain) else None) or found


def _configuration(bus: BusSettings) -> dict[str, str]:
    """The topic's own settings, by Kafka's names."""
    return {
        "cleanup.policy": "delete",
        "compression.type": "producer",  # as the producer packed it: the brokers need not pack again
        "max.message.bytes": str(bus.max_message_bytes),
        # The broker's clock counts: it would refuse messages of a producer whose own is an hour ahead.
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(int(bus.retention.total_seconds() * 1000)),
    }


def _what_stays(described: TopicDescription, bus: BusSettings) -> Iterator[str]:
    """What differs and is left: to change it moves messages, or parts those of one key."""
    partitions = len(described.partitions)
    if partitions != bus.partitions:
        yield (
            f"topic {bus.topic}: has {partitions} partitions, bus.partitions says {bus.partitions}; left, "
            "because answers to one question would lie in two partitions, without an order"
        )
    copies = {len(partition.replicas) for partition in described.partitions}
    if bus.replication and copies != {bus.replication}:
        has = ", ".join(map(str, sorted(copies)))
        yield (
            f"topic {bus.topic}: has {has} copies, bus.replication says {bus.replication}; left: "
            "move it with kafka-reassign-partitions"
        )
