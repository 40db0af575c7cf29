"""What is looked up is told while it is fresh, and one who cannot look costs no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from coinlake.telemetry import Seen, metrics, watching
from coinlake.telemetry.declaring import Watched
from coinlake.testing.recorded import Recorded, recorded

FEED = {"source": "plain", "dataset": "ticks"}
EVERY_S = 0.05
TIMEOUT_S = 10


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")  # never asked: nothing is started
    recorded().forget()
    return recorded()


def told(telling: Recorded, metric: Watched, amount: float) -> None:
    """Returns once it is told to be so much; 0 where it is not told."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        telling.look()
        if telling.of(metric, **FEED) == amount:
            return
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_seen_is_told_until_the_watching_ends(telling: Recorded) -> None:
    amounts = iter((3, 4))

    def looking() -> Iterator[Seen]:
        yield metrics.FEED_FAILURES, next(amounts, 5), FEED

    with watching(looking, every_s=EVERY_S):
        told(telling, metrics.FEED_FAILURES, 5)
    telling.look()
    assert telling.of(metrics.FEED_FAILURES) == 0


def test_a_watcher_that_fails_tells_nothing_old_and_others_go_on(telling: Recorded) -> None:
    is_away = threading.Event()

    def looking() -> Iterator[Seen]:
        yield metrics.FEED_FAILURES, 3, FEED
        if is_away.is_set():
            raise OSError

    def other() -> Iterator[Seen]:
        yield metrics.FEED_SPACING, 60, FEED

    with watching(looking, other, every_s=EVERY_S):
        told(telling, metrics.FEED_FAILURES, 3)
        is_away.set()
        told(telling, metrics.FEED_FAILURES, 0)
        told(telling, metrics.FEED_SPACING, 60)


def test_a_watcher_that_hangs_is_not_told_for_ever_and_delays_no_end(telling: Recorded) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def looking() -> Iterator[Seen]:
        yield metrics.FEED_FAILURES, 3, FEED
        if hangs.is_set():
            goes_on.wait(60)

    with watching(looking, every_s=EVERY_S):
        told(telling, metrics.FEED_FAILURES, 3)
        hangs.set()
        told(telling, metrics.FEED_FAILURES, 0)
        began = time.monotonic()
    assert time.monotonic() - began < TIMEOUT_S
    goes_on.set()


def test_where_no_metrics_are_sent_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    looked = threading.Event()

    def looking() -> Iterator[Seen]:
        looked.set()
        yield from ()

    with watching(looking, every_s=EVERY_S):
        assert not looked.wait(3 * EVERY_S)
