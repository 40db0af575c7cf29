"""`coinlake verify`: the warehouse held against the lake it was made from, and the topic in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from coinlake.account import Account
from coinlake.model import Held, capture_batch
from coinlake.settings import Settings
from coinlake_cli import distributed
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.output import Output, Table, talk
from coinlake_warehouse import verify as comparison
from coinlake_warehouse.verifications import Verification, keep

_KINDS = ("missing", "doubled", "different", "extra")
_COUNTS = ("expected", "found", *_KINDS)


class Proof(NamedTuple):
    """What a verification found."""

    report: comparison.Report
    damaged: list[str]
    """Ids of captures whose bytes in the lake are not those that were stored."""
    account: Account | None
    """None where captures do not travel by a topic."""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return self.report.clean and not self.damaged and (self.account is None or self.account.clean)


def verify(
    settings: Settings,
    output: Output,
    since: datetime | None,
    until: datetime | None,
    *,
    repair: bool = False,
) -> bool:
    """Names what is missing, doubled, different or from no capture; False if there is anything.

    Captures whose bytes changed on disk are named too. With a range of slots only rows of its captures
    are compared. In the distributed profile captures lost on the way are named first, and with `repair`
    sent again.
    """
    with opened(settings) as deployment:
        proof = prove(deployment, since, until, repair=repair)
    document = asdict(proof.report) | {
        "clean": proof.clean,
        "damaged_captures": proof.damaged,
        "account": asdict(proof.account) if proof.account else None,
    }
    output.show(document, *_tables(proof.report, proof.damaged))
    if pending := proof.report.pending:
        talk.print(f"{pending:,} captures are not loaded yet, and were not compared.", markup=False)
    return proof.clean


def prove(
    deployment: Deployment,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    repair: bool = False,
) -> Proof:
    """Compares as `verify` does, and puts it on record."""
    began_s = time.monotonic()
    whole = since is None and until is None
    account = _account(deployment, repair=repair) if deployment.settings.profile == "distributed" else None
    captures = deployment.lake.scan(since=since, until=until)
    report = comparison.verify(
        deployment.addresses.owner, deployment.lake.id, _refined(deployment, captures), whole=whole
    )
    damaged = [str(held.capture.id) for held in deployment.lake.audit()]
    keep(
        deployment.addresses.owner,
        Verification(
            finished_at=deployment.clock.now(),
            seconds=time.monotonic() - began_s,
            captures=report.captures,
            pending=report.pending,
            **{kind: sum(getattr(table, kind) for table in report.tables) for kind in _KINDS},
            damaged=len(damaged),
            lost=account.wrong if account else 0,
        ),
        is_whole=whole,
    )
    return Proof(report, damaged, account)


def _account(deployment: Deployment, *, repair: bool) -> Account:
    """Captures held against topic and warehouse; with `repair` what the warehouse misses is sent again."""
    found = distributed.account_of(deployment.settings, deployment.lake, deployment.addresses.owner)
    for sentence in found.sentences():
        talk.print(sentence, markup=False)
    if missing := len(found.warehouse.missing):
        if repair:
            sent = distributed.publish_again(deployment.settings, deployment.lake, found)
            talk.print(
                f"Captures sent to the topic again: {sent:,}. Verify once they are loaded.", markup=False
            )
        else:
            talk.print(f"`coinlake verify --repair` sends the {missing:,} missing again.", markup=False)
    return found


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
