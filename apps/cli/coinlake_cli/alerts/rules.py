"""What is worth a person's attention: rules of ops/prometheus/rules, with their names and numbers. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from coinlake.state import FeedState
from coinlake_cli.lag import Hop
from coinlake_warehouse.alarming import Change

STALLED_AFTER = timedelta(minutes=10)
OFTEN = timedelta(minutes=5)
"""A feed with slots no wider apart should bring new rows all the time."""
SLOTS_UNTIL_STALE = 3
STALE_GRACE = timedelta(seconds=60)
LAGGING_AFTER = timedelta(minutes=5)
FALLEN_BY = Decimal("0.10")
FRESH_FOR = timedelta(minutes=15)
"""An older price says nothing about now."""
FALLING = "bitcoin"

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Severity = Literal["page", "ticket"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one moment of a deployment that has been watched for a while."""

    now: datetime
    since: datetime
    """When the watching began: what did not come before that was nobody's to bring."""
    feeds: Sequence[FeedState] = ()
    """Of the sources in the settings."""
    newest_row_at: datetime | None = None
    changes: Sequence[Change] | None = ()
    """Of bitcoin; None where nobody knows yet."""
    hops: Sequence[Hop] | None = ()
    """Likewise."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong now; `subject` tells it from others of the same rule."""

    subject: str
    says: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for, and for how long it must hold before it counts."""

    name: str
    severity: Severity
    holds_for: timedelta
    look: Callable[[Seen], Iterator[Found]]
    can_tell: Callable[[Seen], bool] = lambda _: True
    """Whether enough was seen to begin or end anything."""


def open_still(rule: Rule, seen: Seen) -> set[str]:
    """The subjects of which a begun alert is not over: a restart alone makes nothing right."""
    return {found.subject for found in rule.look(replace(seen, since=_LONG_AGO))}


def _stalled(seen: Seen) -> Iterator[Found]:
    often = any(spacing(feed) <= OFTEN for feed in seen.feeds)
    is_held = seen.feeds and all(feed.held_until and seen.now < feed.held_until for feed in seen.feeds)
    age = seen.now - max(seen.newest_row_at or _LONG_AGO, seen.since)
    if often and not is_held and age > STALLED_AFTER:
        last = f"the last one came {_said(seen.newest_row_at)}" if seen.newest_row_at else "none ever came"
        yield Found("", f"No new row in the warehouse for over {_minutes(STALLED_AFTER)}: {last}.")


def _stale(seen: Seen) -> Iterator[Found]:
    for feed in seen.feeds:
        if feed.last_success_at is None:
            continue
        allowed = SLOTS_UNTIL_STALE * spacing(feed) + STALE_GRACE
        if seen.now - max(feed.last_success_at, seen.since) > allowed:
            yield Found(
                f"{feed.source}/{feed.dataset}",
                f"Three slots went by without a whole one; the last one came {_said(feed.last_success_at)}.",
            )


def _never_delivered(seen: Seen) -> Iterator[Found]:
    for feed in seen.feeds:
        if feed.last_success_at is None:
            yield Found(f"{feed.source}/{feed.dataset}", "No slot of this feed was ever stored whole.")


def _lagging(seen: Seen) -> Iterator[Found]:
    for hop in seen.hops or ():
        if hop.behind is not None and hop.behind > LAGGING_AFTER:
            yield Found(
                hop.hop, f"Captures wait; the oldest of them was received {_minutes(hop.behind)} ago."
            )


def _fallen(seen: Seen) -> Iterator[Found]:
    fresh = [one.change for one in seen.changes or () if seen.now - one.as_of < FRESH_FOR]
    if fresh and (change := statistics.median(fresh)) <= -FALLEN_BY:
        yield Found(
            FALLING,
            f"Bitcoin is {-change:.1%} below its price of 24 hours before, both by market time; "
            f"the median of {len(fresh)} prices.",
        )


RULES: Sequence[Rule] = (
    Rule("PipelineStalled", "page", timedelta(seconds=30), _stalled),
    Rule("FeedStale", "ticket", timedelta(seconds=30), _stale),
    Rule("FeedNeverDelivered", "ticket", timedelta(minutes=15), _never_delivered),
    Rule("IngestionLagging", "page", timedelta(minutes=2), _lagging, lambda seen: seen.hops is not None),
    Rule("BitcoinDown", "page", timedelta(minutes=1), _fallen, lambda seen: seen.changes is not None),
)


def spacing(feed: FeedState) -> timedelta:
    """How far its slots are apart."""
    return timedelta(seconds=feed.stretched_to_s or feed.cadence_s)


def _said(moment: datetime) -> str:
    return f"at {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:.0f} minutes"
