"""What Kafka's client reports, as the errors of Coinlake: by what whoever catches them must do."""

from __future__ import annotations

from confluent_kafka import KafkaError

from coinlake.errors import CoinlakeError, FixConfiguration, TryAgain
from coinlake.settings import BusSettings

_LOGIN = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
}
_RIGHTS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_NO_TOPIC = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}
_WRONG_TOPIC = {
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_CONFIG,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_EXCEPTION,
}


class NoTopic(FixConfiguration):
    """The topic has not been made, or was deleted."""

    def __init__(self, bus: BusSettings) -> None:
        super().__init__(
            f"Kafka at {bus.servers} has no topic {bus.topic}: run `coinlake bus init`, or check bus.topic."
        )


class NoRight(FixConfiguration):
    """The user of the settings may not do with the topic what it is for."""

    def __init__(self, bus: BusSettings, rights: str) -> None:
        super().__init__(
            f"Kafka at {bus.servers} gives {_who(bus)} no right to topic {bus.topic}: {rights}. "
            "Let an administrator grant it."
        )


def explained(error: KafkaError, bus: BusSettings) -> CoinlakeError:
    """The error to raise for what a client of that bus reported."""
    said = error.str()
    if error.code() in _LOGIN or _is_certificate(error):
        return FixConfiguration(
            f"Kafka at {bus.servers} refuses us: {said}. "
            "Check bus.security_protocol, bus.ca_file, bus.sasl_mechanism, bus.username and bus.password."
        )
    if error.code() in _RIGHTS:
        return NoRight(bus, said)
    if error.code() in _NO_TOPIC:
        return NoTopic(bus)
    if error.code() in _WRONG_TOPIC:
        return FixConfiguration(
            f"Kafka at {bus.servers} refuses topic {bus.topic} as it is set: {said}. Change [bus]."
        )
    return TryAgain(f"Kafka at {bus.servers} cannot be used now: {said}.")


def unusable(error: KafkaError) -> FixConfiguration:
    """The error to raise where the client cannot even be made of the settings."""
    return FixConfiguration(f"Kafka's client refuses [bus] as it is set: {error.str()}. Check bus.ca_file.")


def is_refusal(error: KafkaError) -> bool:
    """Whether a broker refuses us until a setting is changed, rather than being away."""
    return error.code() in _LOGIN or _is_certificate(error)


def _who(bus: BusSettings) -> str:
    return f"user {bus.username}" if bus.username else "a user without a name"


def _is_certificate(error: KafkaError) -> bool:
    return error.code() == KafkaError._SSL and "certificate verify failed" in error.str()
