"""The settings of the bus in the words of Spark's Kafka source."""

from __future__ import annotations

import json
from collections.abc import Mapping

from coinlake.settings import BusSettings, Settings

_LOGINS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def source_options(settings: Settings, starting: Mapping[int, int]) -> dict[str, str]:
    """Options of `readStream.format("kafka")` to read from these offsets on. They may hold the password."""
    bus = settings.bus
    return {
        "kafka.bootstrap.servers": bus.servers,
        "assign": json.dumps({bus.topic: sorted(starting)}),
        "startingOffsets": json.dumps({bus.topic: {str(one): offset for one, offset in starting.items()}}),
        "includeHeaders": "true",
        "maxOffsetsPerTrigger": str(settings.spark.batch_captures),
        "failOnDataLoss": "true",
        **_security(bus),
    }


def _security(bus: BusSettings) -> dict[str, str]:
    options: dict[str, str] = {"kafka.security.protocol": bus.security_protocol}
    if bus.ca_file:
        options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": str(bus.ca_file)}
    if bus.password:
        login, password = (_quoted(one) for one in (bus.username or "", bus.password.get_secret_value()))
        options |= {
            "kafka.sasl.mechanism": bus.sasl_mechanism,
            "kafka.sasl.jaas.config": (
                f"{_LOGINS[bus.sasl_mechanism]} required username={login} password={password};"
            ),
        }
    return options


def _quoted(text: str) -> str:
    """As the configuration of Java's login modules quotes texts."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
