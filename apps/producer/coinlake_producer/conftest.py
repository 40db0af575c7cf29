"""The servers that the tests of this room use."""

from servers.fixtures import kafka_broker, kafka_program, mongo_replica_set, mongod_program

__all__ = ["kafka_broker", "kafka_program", "mongo_replica_set", "mongod_program"]
