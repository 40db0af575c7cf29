"""Looks up, from time to time and in threads of its own, what no event tells: how far behind, how fresh.

Each watcher has its own thread, so that a server that hangs costs only the series that come from it; they
end rather than go on with what was seen last.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from coinlake.telemetry.declaring import Value, Watched
from coinlake.telemetry.program import is_wanted

Seen = tuple[Watched, float, Mapping[str, Value]]
"""A metric, how much it is, and its labels by keyword."""

Watcher = Callable[[], Iterable[Seen]]

_LAST_WAIT_S = 1.0

log = structlog.get_logger("coinlake.telemetry")


@contextmanager
def watching(*watchers: Watcher, every_s: float | None = None) -> Iterator[None]:
    """Calls each watcher again and again; not at all where no metrics are sent."""
    if not is_wanted("METRICS"):
        yield
        return
    from coinlake.telemetry.sending import export_every_s

    stop = threading.Event()
    pause_s = every_s or export_every_s()
    threads = [
        threading.Thread(target=_watch, args=(watcher, stop, pause_s), name="coinlake-watching", daemon=True)
        for watcher in watchers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_LAST_WAIT_S / len(threads))


def _watch(watcher: Watcher, stop: threading.Event, every_s: float) -> None:
    known: set[Watched] = set()
    is_told = False
    while True:
        try:
            seen = list(watcher())
            is_told = False
        except Exception as error:
            seen = []
            if not (is_told or stop.is_set()):
                is_told = True
                log.warning(
                    "telemetry.watch_failed",
                    watcher=getattr(watcher, "__qualname__", "?"),
                    error=type(error).__name__,
                )
        by_metric = defaultdict(list)
        for metric, amount, labels in seen:
            by_metric[metric].append((amount, labels))
        known |= by_metric.keys()
        for metric in known:
            metric.see(by_metric[metric], good_for_s=3 * every_s)
        if stop.wait(every_s):
            break
    for metric in known:
        metric.see((), good_for_s=0)
