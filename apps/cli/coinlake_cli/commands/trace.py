"""`coinlake trace`: when one capture was asked for, received and loaded, as lake and warehouse have it.

It needs no collector. Where traces are sent to one, and `telemetry.trace_url` says where people see them, it
names the address too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import Held
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.output import Output, Table
from coinlake_cli.times import parse_moment
from coinlake_warehouse.ways import Way, Ways

_QUOTE = re.compile(r"(?P<source>[^/]+)/(?P<asset>[^/]+)/(?P<currency>[^/@]+)(@(?P<as_of>.+))?")
_COLUMNS = ("hop", "at", "after")


def trace(settings: Settings, output: Output, what: str) -> None:
    """Shows the way of a capture, by its id, or of the capture behind a quote."""
    with opened(settings) as deployment, Ways(deployment.addresses.reader) as ways:
        capture_id = _capture_id(ways, what)
        held = deployment.lake.find(capture_id)
        way = ways.way(capture_id, held.position if held else None)
    if held is None and way is None:
        raise FixConfiguration(f"Neither lake nor warehouse has a capture {capture_id}: is that its id?")
    document = _described(capture_id, held, way, settings.telemetry.trace_url)
    rows = [[hop[column] for column in _COLUMNS] for hop in document["hops"]]
    parts = [(name.replace("_", " "), value) for name, value in document.items() if name != "hops"]
    output.show(
        document,
        Table("Way", _COLUMNS, rows, frozenset({"after"})),
        Table("Capture", ("what", "value"), parts),
    )


def _capture_id(ways: Ways, what: str) -> UUID:
    """The id that was given, or that of the capture behind the quote that was."""
    try:
        return UUID(what)
    except ValueError:
        pass
    named = _QUOTE.fullmatch(what)
    if named is None:
        raise FixConfiguration(
            f"{what!r} is neither a capture's id nor a quote: write coingecko/bitcoin/usd for the newest, or "
            "coingecko/bitcoin/usd@2024-10-15T06:00Z for the one of a moment."
        )
    as_of = _moment(named["as_of"]) if named["as_of"] else None
    found = ways.capture_of(named["source"], named["asset"], named["currency"], as_of)
    if found is None:
        raise TryAgain(f"There is no quote {what} in the warehouse (yet).")
    return found


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise FixConfiguration(f"{error}.") from None


def _described(capture_id: UUID, held: Held | None, way: Way | None, trace_url: str | None) -> dict[str, Any]:
    capture = held.capture if held else None
    trace_id, batch_trace_id = (_trace_id(one.traceparent) if one else None for one in (capture, way))
    about = capture or way
    assert about is not None
    return {
        "hops": list(_hops(held, way)),
        "capture_id": capture_id,
        "source": about.source,
        "dataset": about.dataset,
        "slot": about.slot,
        "position": held.position if held else way.position if way else None,
        "run_id": capture.run_id if capture else None,
        "dead_letters": way.dead_letters if way else None,
        "batch": way.batch_id if way else None,
        "captures_of_the_batch": way.captures if way else None,
        "trace_id": trace_id,
        "trace": _address(trace_url, trace_id),
        "trace_of_the_batch": _address(trace_url, batch_trace_id) or batch_trace_id,
    }


def _hops(held: Held | None, way: Way | None) -> Iterator[dict[str, Any]]:
    """When each hop was reached, and how long after the one before."""
    moments = []
    if held:
        moments += [("requested", held.capture.requested_at), ("received", held.capture.received_at)]
    if way:
        moments += [("batch begun", way.started_at), ("rows committed", way.committed_at)]
    before: datetime | None = None
    for hop, at in moments:
        after: timedelta | None = at - before if before else None
        yield {"hop": hop, "at": at, "after": after}
        before = at


def _trace_id(traceparent: str) -> str | None:
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 else None


def _address(trace_url: str | None, trace_id: str | None) -> str | None:
    return trace_url.replace("{trace_id}", trace_id) if trace_url and trace_id else None
