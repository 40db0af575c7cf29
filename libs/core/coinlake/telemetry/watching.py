"""Looks up, from time to time and in threads of its own, what no event tells: how far behind, how fresh.

Each watcher has its own thread, so that a server that hangs costs only the series that come from it; they
end rather than go on with what was seen last.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import structlog

from coinlake.telemetry.declaring import Value, Watched
from coinlake.telemetry.program import is_wanted

Seen = tuple[Watched, float, Mapping[str, Value]]
"""A metric, how much it is, and its labels by keyword."""

Watcher = Callable[[], Iterable[Seen]]

_LAST_WAIT_S = 1.0
_TOLD_S = 60.0

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


def tell(*watchers: Watcher) -> None:
    """Looks once, for a program that ends now and then sends what it knows."""
    if is_wanted("METRICS"):
        for watcher in watchers:
            _look(watcher, set(), good_for_s=_TOLD_S)


def _watch(watcher: Watcher, stop: threading.Event, every_s: float) -> None:
    known: set[Watched] = set()
    is_well = True
    while True:
        error = _look(watcher, known, good_for_s=3 * every_s)
        if error is not None and is_well and not stop.is_set():
            log.warning("telemetry.watch_failed", watcher=_name(watcher), error=type(error).__name__)
        is_well = error is None
        if stop.wait(every_s):
            break
    for metric in known:
        metric.see((), good_for_s=0)


def _look(watcher: Watcher, known: set[Watched], *, good_for_s: float) -> Exception | None:
    """Takes up what a watcher sees, and adds its metrics to those known. The error where it cannot look."""
    by_metric: dict[Watched, list[tuple[float, Mapping[str, Value]]]] = defaultdict(list)
    failure = None
    try:
        for metric, amount, labels in watcher():
            by_metric[metric].append((amount, labels))
    except Exception as error:  # also a defect of it costs only what it would have told
        failure = error
        by_metric.clear()
    known.update(by_metric)
    for metric in known:
        metric.see(by_metric[metric], good_for_s=good_for_s)
    return failure


def _name(watcher: Watcher) -> str:
    called = watcher.func if isinstance(watcher, partial) else watcher
    return getattr(called, "__qualname__", "?")
