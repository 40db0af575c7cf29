"""The programs that watch, and the servers that they watch."""

from __future__ import annotations

from servers.fixtures import kafka_program, mongod_program, prometheus_programs, spark_home, watching_programs

__all__ = ["kafka_program", "mongod_program", "prometheus_programs", "spark_home", "watching_programs"]
