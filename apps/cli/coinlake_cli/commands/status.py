"""`coinlake status`: is each feed alive and fresh, and how far behind is each hop to the warehouse."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from coinlake.settings import Settings
from coinlake.state import FeedState
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.health import health, held_until, trouble
from coinlake_cli.lag import hops
from coinlake_cli.output import Output, Table


def status(settings: Settings, output: Output) -> None:
    """Shows the deployment's feeds, its newest rows, and the lag between lake and warehouse."""
    with opened(settings) as deployment:
        document = describe(deployment)
    feed_columns = ("source", "dataset", "health", "last_slot", "age", "every", "missed", "trouble")
    hop_columns = ("hop", "captures", "behind", "messages", "trouble")
    part_columns = ("what", "value")
    output.show(
        document,
        Table(
            "Feeds",
            feed_columns,
            [[feed[column] for column in feed_columns] for feed in document["feeds"]],
            frozenset({"age", "missed"}),
        ),
        Table(
            "Not arrived yet",
            hop_columns,
            [[hop[column] for column in hop_columns] for hop in document["hops"]],
            frozenset({"captures", "behind", "messages"}),
        ),
        Table("Lake and warehouse", part_columns, list(document["parts"].items()), frozenset({"value"})),
    )


def describe(deployment: Deployment) -> dict[str, Any]:
    """The status as a document: `feeds`, `hops` and `parts`."""
    now = deployment.now()
    totals = deployment.reader.totals()
    freshness = deployment.reader.freshness()
    end = deployment.lake.end()
    newest = max((source.newest_as_of for source in freshness), default=None)
    return {
        "folder": str(deployment.settings.folder),
        "kind": deployment.kind,
        "feeds": [_feed(feed, now) for feed in deployment.state.feeds()],
        "hops": [asdict(hop) for hop in hops(deployment)],
        "parts": {
            "captures in the lake": end,
            "captures not loaded yet": end - deployment.reader.loaded(end),
            "quotes loaded": totals.quotes,
            "assets": totals.assets,
            "newest market time": newest,
            "open dead letters": totals.dead_letters,
            "batches": totals.batches,
            "warehouse": "embedded" if deployment.server else "your server",
        },
    }


def _feed(feed: FeedState, now: datetime) -> dict[str, Any]:
    stretched = feed.stretched_to_s is not None
    spacing = timedelta(seconds=feed.stretched_to_s or feed.cadence_s)
    return {
        "source": feed.source,
        "dataset": feed.dataset,
        "health": health(feed, now),
        "last_slot": feed.last_slot,
        "age": now - feed.last_success_at if feed.last_success_at else None,
        "every": spacing,
        "stretched": stretched,
        "next_slot_at": feed.next_slot_at,
        "missed": feed.slots_missed,
        "failures": feed.failures,
        "held_until": held_until(feed, now),
        "trouble": trouble(feed, now),
    }
