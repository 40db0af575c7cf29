"""Servers for the tests of this room."""

from servers.fixtures import kafka_broker, kafka_program, postgres_server, spark_home

__all__ = ["kafka_broker", "kafka_program", "postgres_server", "spark_home"]
