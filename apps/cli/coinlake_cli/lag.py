"""How far behind each hop of a deployment is: what is on its near side and not yet on the far one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from coinlake.errors import CoinlakeError
from coinlake_cli.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop; None is what could not be found out, and `trouble` says why."""

    hop: str
    captures: int | None
    """How many have not made it."""
    behind: timedelta | None
    """How long ago the first of them was received; zero where there is none."""
    messages: int | None = None
    """Of the topic, not read yet; with 0 of them, captures that have not made it are not on their way."""
    trouble: str | None = None


def hops(deployment: Deployment) -> list[Hop]:
    """Every hop, in the order of the flow."""
    if deployment.loads:
        loaded = deployment.reader.totals().position
        return [
            Hop(
                "lake to warehouse",
                captures=deployment.lake.count_after(loaded),
                behind=_waiting_since(deployment, loaded),
            )
        ]
    try:
        published = _published(deployment)
    except CoinlakeError as error:
        return [Hop("lake to topic", captures=None, behind=None, trouble=str(error))]
    # In this order, so that what happens meanwhile makes no hop negative.
    loading = _loading(deployment, published)
    return [_publishing(deployment, published), loading]


def _published(deployment: Deployment) -> int:
    """The position up to which the producer's captures were acknowledged."""
    from coinlake_cli.distributed import lake_url
    from coinlake_lake.mongo_positions import MongoPositions

    settings = deployment.settings
    with MongoPositions(lake_url(settings), deployment.lake.id, settings.bus.topic) as positions:
        return positions.read().position


def _publishing(deployment: Deployment, published: int) -> Hop:
    return Hop(
        "lake to topic",
        captures=deployment.lake.count_after(published),
        behind=_waiting_since(deployment, published),
    )


def _loading(deployment: Deployment, published: int) -> Hop:
    captures = published - deployment.reader.loaded(published)
    stands_at = deployment.reader.totals().position
    messages, trouble = None, None
    try:
        messages = _unread(deployment)
    except CoinlakeError as error:
        trouble = str(error)
    return Hop(
        "topic to warehouse",
        captures=captures,
        behind=_waiting_since(deployment, stands_at) if captures else timedelta(0),
        messages=messages,
        trouble=trouble,
    )


def _unread(deployment: Deployment) -> int:
    """How many messages the topic holds that were not loaded."""
    from coinlake_bus.kafka import Bus

    bus = Bus(deployment.settings.bus)
    topic = bus.topic()
    read = deployment.reader.bus_offsets(bus.settings.topic, topic.id)
    return sum(
        len(range(max(held.start, read.get(partition, 0)), held.stop))
        for partition, held in bus.offsets().items()
    )


def _waiting_since(deployment: Deployment, position: int) -> timedelta:
    """The age of the first capture behind a position."""
    first = deployment.lake.tail(position, captures=1, body_bytes=1)
    return deployment.now() - first[0].capture.received_at if first else timedelta(0)
