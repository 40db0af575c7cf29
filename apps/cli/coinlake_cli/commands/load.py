"""`coinlake load`: what is in the lake now is in the warehouse when this ends well."""

from __future__ import annotations

import time

from coinlake.errors import TryAgain
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.output import Output, Table

_POLL_S = 1.0


def load(settings: Settings, output: Output, *, timeout_s: float) -> None:
    """Loads what the lake holds; where Spark does that, waits until it has; raises `TryAgain` if it won't."""
    give_up_at = time.monotonic() + timeout_s
    with opened(settings, kind="live") as deployment:
        end = deployment.lake.end()
        before = deployment.reader.loaded(end)
        deployment.catch_up()
        while (behind := end - (loaded := deployment.reader.loaded(end))) > 0:
            if time.monotonic() >= give_up_at:
                raise TryAgain(
                    f"{behind:,} captures are not loaded after {timeout_s:g} s. Do the producer and Spark "
                    "run? `coinlake status` says at which hop they wait."
                )
            time.sleep(_POLL_S)
    document = {"captures": loaded, "new": loaded - before}
    output.show(
        document, Table("Loaded", ("captures", "new"), [[loaded, loaded - before]], frozenset(document))
    )
