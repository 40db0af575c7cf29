"""What is watched where Spark loads: the warehouse, and how many messages of the topic were not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from coinlake.settings import Settings
from coinlake.telemetry import Seen, Watcher, metrics
from coinlake_bus.kafka import Bus
from coinlake_spark.parts import warehouse_dsn
from coinlake_warehouse import watching
from coinlake_warehouse.reading import Reader


def watchers(settings: Settings) -> list[Watcher]:
    """One for the warehouse and one for the topic, so that either costs only what it would have told."""
    reader = Reader(warehouse_dsn(settings))
    return [partial(watching.watch, reader), partial(unread, Bus(settings.bus), reader)]


def unread(bus: Bus, reader: Reader) -> Iterator[Seen]:
    """How many messages the topic holds that were not loaded."""
    read = reader.bus_offsets(bus.settings.topic, bus.topic().id)
    messages = sum(
        len(range(max(held.start, read.get(partition, 0)), held.stop))
        for partition, held in bus.offsets().items()
    )
    yield metrics.LAG_MESSAGES, messages, {"hop": "topic_to_warehouse"}
