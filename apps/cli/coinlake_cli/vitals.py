"""What the page is told of how a deployment fares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from coinlake.quota import Quota
from coinlake_cli.alerts.episodes import Episode, Episodes
from coinlake_cli.deployment import Deployment
from coinlake_cli.lag import hops
from coinlake_cli.page.desk import Allowance, Vitals

_ENDED = 20
"""Alerts that are over and still shown."""


def vitals(deployment: Deployment, episodes: Episodes | None) -> Vitals:
    """Of a deployment; without `episodes` nobody watches it."""
    return Vitals(
        alerts=partial(_alerts, episodes),
        watched_elsewhere=deployment.settings.profile == "distributed",
        hops=partial(hops, deployment),
        allowances=partial(_allowances, deployment),
    )


def _alerts(episodes: Episodes | None) -> Sequence[Episode] | None:
    return None if episodes is None else [*episodes.open(), *episodes.ended(limit=_ENDED)]


def _allowances(deployment: Deployment) -> list[Allowance]:
    quota, now = Quota(deployment.state), deployment.clock.now()
    return [
        Allowance(source.name, *budget)
        for source in deployment.sources.values()
        for budget in quota.budgets(source.name, source.limits, now)
    ]
