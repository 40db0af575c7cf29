"""The bus in the words of Spark's Kafka source."""

from __future__ import annotations

import json

from coinlake.settings import Settings
from coinlake_spark.kafka_source import source_options


def settings(**bus: object) -> Settings:
    return Settings.model_validate({"bus": bus})


def test_it_reads_every_partition_from_where_the_warehouse_stands() -> None:
    options = source_options(settings(topic="t"), {0: 12, 2: -2, 1: 0})
    assert json.loads(options["assign"]) == {"t": [0, 1, 2]}
    assert json.loads(options["startingOffsets"]) == {"t": {"0": 12, "1": 0, "2": -2}}


def test_a_message_that_is_gone_ends_the_stream_and_is_not_passed_over() -> None:
    assert source_options(settings(), {0: 0})["failOnDataLoss"] == "true"


def test_a_login_is_quoted_for_java() -> None:
    bus = {"security_protocol": "SASL_SSL", "username": "it", "password": 'a"b\\c;', "ca_file": "/ca.pem"}
    options = source_options(settings(**bus), {0: 0})
    assert options["kafka.security.protocol"] == "SASL_SSL"
    assert options["kafka.ssl.truststore.location"] == "/ca.pem"
    assert options["kafka.sasl.mechanism"] == "SCRAM-SHA-512"
    login = options["kafka.sasl.jaas.config"].split("ScramLoginModule ")[1]
    assert login == 'required username="it" password="a\\"b\\\\c;";'


def test_without_a_login_none_is_sent() -> None:
    assert not [name for name in source_options(settings(), {0: 0}) if "sasl" in name]
