"""`coinlake replay`: captures read again, as the plugins understand them now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from coinlake.model import Held
from coinlake.settings import Settings
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.output import Output, Table
from coinlake_cli.replaying import replay_captures


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
        whole = deployment.lake.scan(source=source, since=since, until=until)
        replayed = replay_captures(deployment, whole if everything else _refused(deployment, whole))
    document = asdict(replayed)
    rows = [(key.replace("_", " "), value) for key, value in document.items()]
    output.show(document, Table("Replayed", ("what", "count"), rows, frozenset({"count"})))


def _refused(deployment: Deployment, captures: Iterator[Held]) -> Iterator[Held]:
    """Of these captures, those with open dead letters."""
    letters = {capture_id for capture_id, _ in deployment.reader.dead_letter_keys()}
    return (held for held in captures if held.capture.id in letters)
