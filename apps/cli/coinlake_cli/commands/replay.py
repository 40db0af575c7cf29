"""`coinlake replay`: captures read again, as the plugins understand them now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice

from coinlake.model import Held
from coinlake.settings import Settings
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.output import Output, Table, talk
from coinlake_cli.replaying import captures_of, replay_captures
from coinlake_warehouse.loaded import LoadedCaptures

_AT_ONCE = 100
"""Captures held in memory while it is looked up which of them are loaded."""


def replay(
    settings: Settings,
    output: Output,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    everything: bool,
) -> None:
    """Replays the captures that have open dead letters, or all of a range of slots."""
    with opened(settings) as deployment:
        deployment.catch_up()
        if everything:
            whole = deployment.lake.scan(source=source, since=since, until=until)
            replayed = replay_captures(deployment, _loaded(deployment, whole))
        else:
            letters = deployment.reader.dead_letter_keys(source=source, since=since, until=until)
            replayed = replay_captures(deployment, captures_of(deployment, letters))
    document = asdict(replayed)
    rows = [(key.replace("_", " "), value) for key, value in document.items()]
    output.show(document, Table("Replayed", ("what", "count"), rows, frozenset({"count"})))


def _loaded(deployment: Deployment, captures: Iterator[Held]) -> Iterator[Held]:
    """Of these captures, those that are loaded. Says how many are not: Spark will read them, as they come."""
    if deployment.loads:  # and has just caught up
        yield from captures
        return
    left = 0
    with LoadedCaptures(deployment.addresses.owner, deployment.lake.id) as warehouse:
        while some := list(islice(captures, _AT_ONCE)):
            entries = warehouse.entries(some[0].position - 1, some[-1].position)
            loaded = {entry.capture_id for entry in entries}
            yield from (held for held in some if held.capture.id in loaded)
            left += sum(held.capture.id not in loaded for held in some)
    if left:
        talk.print(f"Captures that are not loaded yet, and were not read again: {left:,}.", markup=False)
