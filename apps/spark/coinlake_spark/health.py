"""Whether messages of the topic reach the warehouse: what the container's HEALTHCHECK runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coinlake.progress import PATIENCE_S, progresses, report
from coinlake.settings import load
from coinlake_bus.kafka import Bus
from coinlake_spark.parts import warehouse_dsn
from coinlake_warehouse.reading import Reader


def trouble(config: Path | None = None, patience_s: float = PATIENCE_S) -> str | None:
    """None where every message was loaded, or the warehouse's offsets move; else what stands still."""
    settings = load(config)
    bus = Bus(settings.bus)
    topic = bus.topic(to="read")
    with Reader(warehouse_dsn(settings)) as reader:

        def offsets() -> Mapping[int, int]:
            return reader.bus_offsets(settings.bus.topic, topic.id)

        def left() -> int:
            loaded = offsets()
            held = bus.offsets().items()
            return sum(len(range(max(there.start, loaded.get(of, 0)), there.stop)) for of, there in held)

        if progresses(offsets, left, patience_s):
            return None
        return f"{left()} messages wait, and none of {settings.bus.topic} was loaded in {patience_s:.0f} s."


if __name__ == "__main__":
    report(trouble)
