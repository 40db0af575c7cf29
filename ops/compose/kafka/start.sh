#!/bin/sh
# One broker that is its own controller. Clients log in by SCRAM and may do what they were granted; the
# broker itself, and whoever grants, comes by a listener that only this container reaches.
set -eu
umask 077
own="org.apache.kafka.common.security.plain.PlainLoginModule required \
username=\"broker\" password=\"${KAFKA_BROKER_PASSWORD}\" user_broker=\"${KAFKA_BROKER_PASSWORD}\";"
cat >/tmp/server.properties <<SETTINGS
process.roles=broker,controller
node.id=1
log.dirs=/var/lib/kafka/data
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:9093
listeners=CLIENTS://:9092,OWN://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENTS://kafka:9092,OWN://127.0.0.1:9094
inter.broker.listener.name=OWN
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,OWN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
listener.name.clients.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.own.sasl.enabled.mechanisms=PLAIN
listener.name.own.plain.sasl.jaas.config=${own}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=${own}
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
SETTINGS
agent="${KAFKA_AGENT-}" # what tells of the broker itself, where observability.yaml watches
unset KAFKA_BROKER_PASSWORD KAFKA_AGENT own
kafka="java ${KAFKA_HEAP_OPTS} -Dlog4j2.configurationFile=/etc/coinlake/log4j2.properties -cp /opt/kafka/libs/*"
set -f # what follows names all jars to Java, not to this shell
if [ ! -e /var/lib/kafka/data/meta.properties ]; then
  id="$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=')" # as Kafka writes its ids
  ${kafka} kafka.tools.StorageTool format --cluster-id "${id}" --config /tmp/server.properties
fi
exec ${kafka} ${agent} kafka.Kafka /tmp/server.properties
