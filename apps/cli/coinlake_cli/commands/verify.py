"""`coinlake verify`: the warehouse held against the lake it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice

from coinlake.model import Held, capture_batch
from coinlake.settings import Settings
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.output import Output, Table, talk
from coinlake_warehouse import verify as comparison

_COUNTS = ("expected", "found", "missing", "doubled", "different", "extra")


def verify(settings: Settings, output: Output, since: datetime | None, until: datetime | None) -> bool:
    """Names what is missing, doubled, different or from no capture; False if there is anything.

    Captures whose bytes changed on disk are named too. With a range of slots only rows of its captures
    are compared.
    """
    with opened(settings) as deployment:
        whole = since is None and until is None
        captures = deployment.lake.scan(since=since, until=until)
        report = comparison.verify(
            deployment.addresses.owner, deployment.lake.id, _refined(deployment, captures), whole=whole
        )
        damaged = [str(held.capture.id) for held in deployment.lake.audit()]
    document = asdict(report) | {"clean": report.clean and not damaged, "damaged_captures": damaged}
    output.show(document, *_tables(report, damaged))
    if report.pending:
        talk.print(f"{report.pending:,} captures are not loaded yet, and were not compared.", markup=False)
    return bool(document["clean"])


def _refined(deployment: Deployment, captures: Iterator[Held]) -> Iterator[comparison.Refined]:
    while held := list(islice(captures, deployment.settings.refine.batch_captures)):
        batch = capture_batch(one.capture for one in held)
        yield comparison.Refined(held, deployment.refinery.refine(batch))


def _tables(report: comparison.Report, damaged: list[str]) -> Iterator[Table]:
    yield Table(
        f"{report.captures:,} captures compared",
        ("table", *_COUNTS),
        [[table.table, *(getattr(table, count) for count in _COUNTS)] for table in report.tables],
        frozenset(_COUNTS),
    )
    rows: list[tuple[str | None, ...]] = [
        (
            one.table,
            one.kind,
            ", ".join(one.key.values()),
            one.capture_id,
            "; ".join(f"{c.column}: {c.expected} expected, {c.found} found" for c in one.changes) or None,
        )
        for table in report.tables
        for one in table.examples
    ]
    rows += [("lake", "damaged", "its bytes are not what was stored", id_, None) for id_ in damaged]
    if rows:
        yield Table("Differences", ("table", "kind", "key", "capture", "change"), rows)
