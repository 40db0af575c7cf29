"""`coinlake run`: the live feeds, loaded and shown, until stopped."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from coinlake import telemetry
from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli.alerts.watching import watching
from coinlake_cli.deployment import opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.serving import Serving
from coinlake_cli.watching import watchers


def run(settings: Settings, *, port: int | None) -> None:
    """Polls, loads, watches and serves the page until Ctrl-C or SIGTERM."""
    if settings.profile == "distributed" and settings.alerts.notify:
        raise FixConfiguration(
            "alerts.notify is for the embedded profile. The distributed one is watched by Prometheus: name "
            "whom to tell in ops/alertmanager."
        )
    news = NewsOfCaptures()
    with (
        opened(settings, kind="live", alone=True, observers=[news]) as deployment,
        telemetry.watching(*watchers(deployment)),
        watching(deployment) if deployment.loads else nullcontext() as episodes,
    ):
        asyncio.run(Serving(deployment, news, port=port, episodes=episodes).until_stopped())
