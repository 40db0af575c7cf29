"""Whether captures of the lake reach the topic: what the container's HEALTHCHECK runs."""

from __future__ import annotations

from pathlib import Path

from coinlake.errors import FixConfiguration
from coinlake.progress import PATIENCE_S, progresses, report
from coinlake.settings import load
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions


def trouble(config: Path | None = None, patience_s: float = PATIENCE_S) -> str | None:
    """None where every capture was published, or the mark moves; else what stands still."""
    settings = load(config)
    if settings.lake.url is None:
        raise FixConfiguration("lake.url is not set, so there is no lake to publish from.")
    with (
        MongoLake(settings.lake.url) as lake,
        MongoPositions(settings.lake.url, lake.id, settings.bus.topic) as positions,
    ):
        if progresses(positions.read, lambda: lake.count_after(positions.read().position), patience_s):
            return None
        left = lake.count_after(positions.read().position)
        return f"{left} captures wait, and none was published to {settings.bus.topic} in {patience_s:.0f} s."


if __name__ == "__main__":
    report(trouble)
