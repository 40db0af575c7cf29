"""`coinlake catalogue`: what is to be captured and how often, for a program that schedules it.

It never fails for a plugin that is broken: that is part of what the reader must know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coinlake.clock import SystemClock
from coinlake.errors import FixConfiguration
from coinlake.model import Limits
from coinlake.plugins import Broken
from coinlake.schedule import slot_at
from coinlake.settings import Settings
from coinlake.source import Source
from coinlake_cli.deployment import load_plugins, make_sources
from coinlake_cli.folder import write_whole
from coinlake_cli.output import Output, Table
from coinlake_cli.slots import has_past

_COLUMNS = ("source", "dataset", "every_s", "has_past", "at_once")


def catalogue(settings: Settings, output: Output, version: str, file: Path | None) -> None:
    """Shows each feed of the configured sources, and what is broken; into `file`, if named, as JSON."""
    broken: Broken = []
    sources = make_sources(load_plugins(settings, broken=broken), settings, broken)
    feeds = [feed for source in sources.values() for feed in _feeds(source)]
    document = {
        "program": version,
        "page": f"http://{settings.page.host}:{settings.page.port}/",
        "prunes": settings.warehouse.keep_quotes is not None,
        "feeds": feeds,
        "broken": [str(error) for error in broken],
    }
    if file is not None:
        try:
            write_whole(file, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise FixConfiguration(f"Cannot write {file}: {error.strerror}.") from None
        return
    rows = [[feed[column] for column in _COLUMNS] for feed in feeds]
    tables = [Table("To be captured", _COLUMNS, rows, frozenset({"every_s", "at_once"}))]
    if broken:
        tables.append(Table("Broken", ("what",), [[str(error)] for error in broken]))
    output.show(document, *tables)


def _feeds(source: Source) -> Iterator[dict[str, Any]]:
    now = SystemClock().now()
    for dataset in source.datasets.values():
        slot = slot_at(now, dataset.cadence)
        yield {
            "source": source.name,
            "dataset": dataset.name,
            "every_s": dataset.cadence.total_seconds(),
            "has_past": has_past(source, dataset.name, slot - dataset.cadence, slot),
            "at_once": _at_once(source),
            "root": source.root,
        }


def _at_once(source: Source) -> int:
    """How many slots of a source may be captured side by side: what its narrowest limit takes at once."""
    widest_slot = max(dataset.calls_per_slot for dataset in source.datasets.values())
    return max(1, min(_calls_at_once(source.limits), len(source.datasets) * widest_slot) // widest_slot)


def _calls_at_once(limits: Limits) -> int:
    burst = [limits.bucket.burst] if limits.bucket else []
    return min([window.weight for window in limits.windows] + burst, default=1)
