"""What a deployment is watched for: how feeds fare, what is left of quotas, how far behind each hop is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from coinlake.quota import Quota
from coinlake.telemetry import Seen, Watcher, metrics
from coinlake_cli.deployment import Deployment
from coinlake_cli.lag import hops
from coinlake_warehouse import watching

_HOPS = {
    "lake to warehouse": "lake_to_warehouse",
    "lake to topic": "lake_to_topic",
    "topic to warehouse": "topic_to_warehouse",
}


def watchers(deployment: Deployment) -> list[Watcher]:
    """One for each place that is asked, so that one which is away costs only what it would have told."""
    return [
        partial(feeds, deployment),
        partial(quotas, deployment),
        partial(lags, deployment),
        partial(watching.watch, deployment.reader),
    ]


def feeds(deployment: Deployment) -> Iterator[Seen]:
    """How each feed fares; see `coinlake.state.FeedState`."""
    held = dict.fromkeys(deployment.sources, 0.0)
    for feed in deployment.state.feeds():
        named = {"source": feed.source, "dataset": feed.dataset}
        if feed.source in held and feed.held_until:
            held[feed.source] = feed.held_until.timestamp()
        if feed.last_success_at:
            yield metrics.FEED_SUCCESS, feed.last_success_at.timestamp(), named
        if feed.last_attempt_at:
            yield metrics.FEED_ATTEMPT, feed.last_attempt_at.timestamp(), named
        yield metrics.FEED_CADENCE, feed.cadence_s, named
        yield metrics.FEED_SPACING, feed.stretched_to_s or feed.cadence_s, named
        yield metrics.FEED_FAILURES, feed.failures, named
        yield metrics.FEED_MISSED, feed.slots_missed, named
    for source, until in held.items():
        yield metrics.HELD_UNTIL, until, {"source": source}


def quotas(deployment: Deployment) -> Iterator[Seen]:
    """What is left of what each venue allows."""
    quota, now = Quota(deployment.state), deployment.clock.now()
    for source in deployment.sources.values():
        for budget in quota.budgets(source.name, source.limits, now):
            named = {"source": source.name, "period": budget.period}
            yield metrics.QUOTA_LEFT, budget.left, named
            yield metrics.QUOTA_LIMIT, budget.limit, named


def lags(deployment: Deployment) -> Iterator[Seen]:
    """How far behind each hop is; nothing of one that cannot be asked."""
    for hop in hops(deployment):
        named = {"hop": _HOPS[hop.hop]}
        if hop.captures is not None:
            yield metrics.LAG_CAPTURES, hop.captures, named
        if hop.behind is not None:
            yield metrics.LAG_DURATION, hop.behind.total_seconds(), named
        if hop.messages is not None:
            yield metrics.LAG_MESSAGES, hop.messages, named
            # What waits was published after it was received, so the topic keeps it at least so long.
            waits = hop.behind if hop.messages and hop.behind else timedelta(0)
            headroom = deployment.settings.bus.retention - waits
            yield metrics.TOPIC_HEADROOM, headroom.total_seconds(), {}
