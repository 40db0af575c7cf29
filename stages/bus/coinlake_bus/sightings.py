"""What the topic holds of a lake, for the account across hops (`coinlake.account`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from coinlake.account import Sighting
from coinlake.positions import Mark
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Topic
from coinlake_bus.message import entry
from coinlake_bus.reader import read_topic


def published(mark: Mark, topic: Topic) -> int:
    """Up to which position this very topic acknowledged every capture."""
    return mark.position if mark.topic_id == topic.id else 0


class TopicSightings:
    """Messages of a topic by what their headers say; `offsets` is how far each partition was loaded.

    Bodies come along, as brokers send whole messages: reading takes as long as the topic is large.
    """

    def __init__(self, bus: BusSettings, lake_id: UUID, offsets: Mapping[int, int]) -> None:
        self._bus = bus
        self._lake_id = lake_id
        self._offsets = offsets

    def sightings(self) -> Iterator[Sighting]:
        """Every message that the topic keeps. Raises as `read_topic` does."""
        for partition, offset, message in read_topic(self._bus):
            is_waiting = offset >= self._offsets.get(partition, 0)
            yield Sighting(entry(message, self._lake_id), is_waiting)
