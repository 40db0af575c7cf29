"""`coinlake capture`: one slot now, from the venue to the warehouse."""

from __future__ import annotations

import asyncio
from typing import Any

from coinlake.errors import FixConfiguration
from coinlake.feed import CaptureOutcome
from coinlake.schedule import slot_at
from coinlake.settings import Settings, unknown
from coinlake.source import dataset_of
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.feeds import NamedFeed, feeds_of, fetching
from coinlake_cli.output import Output, Table

_COLUMNS = ("source", "dataset", "slot", "captures", "new", "trouble")


def capture(settings: Settings, output: Output, source: str | None, dataset: str | None) -> bool:
    """Fetches the present slot of the chosen feeds, and loads it unless Spark does; False if any failed."""
    with opened(settings, kind="live") as deployment:
        _check_names(deployment, source, dataset)
        document = asyncio.run(_capture(deployment, source, dataset))
        deployment.catch_up()
    rows = [[entry[column] for column in _COLUMNS] for entry in document]
    output.show(document, Table("Captured", _COLUMNS, rows, frozenset({"captures", "new"})))
    return all(entry["trouble"] is None for entry in document)


def _check_names(deployment: Deployment, source: str | None, dataset: str | None) -> None:
    if source is None:
        return
    if source not in deployment.sources:
        raise FixConfiguration(unknown("source", source, list(deployment.sources)))
    if dataset is not None:
        dataset_of(deployment.sources[source], dataset)


async def _capture(deployment: Deployment, source: str | None, dataset: str | None) -> list[dict[str, Any]]:
    outcomes = []
    async with fetching(deployment) as fetcher:
        for feed in feeds_of(deployment, fetcher):
            if source in (None, feed.source.name) and dataset in (None, feed.dataset.name):
                slot = slot_at(deployment.clock.now(), feed.dataset.cadence)
                outcomes.append(_described(feed, await feed.feed.capture(slot)))
    return outcomes


def _described(feed: NamedFeed, outcome: CaptureOutcome) -> dict[str, Any]:
    return {
        "source": feed.source.name,
        "dataset": feed.dataset.name,
        "slot": outcome.slot,
        "captures": outcome.stored,
        "new": outcome.new,
        "trouble": str(outcome.error) if outcome.error else None,
    }
