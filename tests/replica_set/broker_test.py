"""A broker that freezes, with its connections open, for longer than its clients wait for an answer."""

from __future__ import annotations

from replica_set.scene import Scene, frozen, until
from servers.kafka import Kafka

CAPTURES = 40
"""That each writer stores before, while and after the broker is frozen."""


def test_a_broker_frozen_past_every_time_out_costs_nothing_and_writers_do_not_wait(
    scene: Scene, kafka_broker: Kafka
) -> None:
    with scene.producing():
        with scene.writing() as writers:
            writers.go_on(CAPTURES)
            until(lambda: scene.published() > 0)
            with frozen(kafka_broker.pid):
                writers.go_on(CAPTURES)
                until(lambda: "brokers are down" in scene.producer.last_words())
            writers.go_on(CAPTURES)
        scene.prove_whole(writers)
