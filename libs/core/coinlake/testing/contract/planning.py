"""Checks of what is asked: slots, requests, quota, history."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from coinlake.errors import FixConfiguration
from coinlake.model import Request
from coinlake.schedule import slot_at
from coinlake.source import Source
from coinlake.testing.contract.subject import Subject, rows_of

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")
ODD_MOMENTS = (
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2025, 1, 1, tzinfo=UTC),
    datetime(2025, 1, 31, 23, 30, tzinfo=UTC),
    datetime(2025, 3, 9, 7, tzinfo=UTC),  # clocks go forward in New York
    datetime(2025, 3, 30, 1, tzinfo=UTC),  # clocks go forward in Berlin
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),  # the hour that Berlin has twice
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
)
"""Leap day, ends of months and years, and changes of clocks."""
HISTORIES = (timedelta(hours=1), timedelta(days=1, minutes=7), timedelta(days=100))
MOST_REQUESTS = 100_000
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slots(source: Source, dataset: str) -> list[datetime]:
    """The slots of a dataset at odd moments."""
    return [slot_at(moment, source.datasets[dataset].cadence) for moment in ODD_MOMENTS]


class PlanningChecks:
    """Part of `SourceContract`."""

    def test_names_and_versions_are_well_formed(self, subject: Subject) -> None:
        """Names are lower-case words, the source's is its plugin's, and a version stands on captures."""
        source = subject.source()
        assert source.name == subject.plugin.name, (
            f"The plugin is named {subject.plugin.name!r}, its source {source.name!r}: give them one name."
        )
        for name in (source.name, *source.datasets):
            assert _NAME.fullmatch(name), f"{name!r}: a name is lower-case letters, digits and _."
        for name, dataset in source.datasets.items():
            assert dataset.name == name, f"Dataset {name!r} says that it is {dataset.name!r}."
            assert dataset.cadence > timedelta(), f"The cadence of {name} must be above zero."
        assert source.version.strip(), "The version is empty; captures name it."

    def test_the_root_is_https(self, subject: Subject) -> None:
        """Out of the box a venue is asked over an encrypted connection."""
        root = subject.source().root
        assert root.startswith("https://"), f"The root is {root!r}: begin it with https://."

    def test_an_unknown_dataset_is_refused(self, subject: Subject) -> None:
        """Asking for what the source does not have is an error, not an empty plan."""
        try:
            planned = list(subject.source().plan("no_such_dataset", ODD_MOMENTS[0]))
        except Exception:
            return
        raise AssertionError(f"plan('no_such_dataset', …) gives {planned}: raise, naming what there is.")

    def test_every_slot_is_planned_alike(self, subject: Subject) -> None:
        """Leap days, ends of months and changes of clocks have as many first requests as any slot."""
        for name in subject.source().datasets:
            for slot in slots(subject.source(), name):
                try:
                    count = len(list(subject.source().plan(name, slot)))
                except Exception as error:
                    raise AssertionError(
                        f"{name}: planning {slot} raises {error!r}. Use timedelta."
                    ) from error
                ordinary = len(list(subject.source().plan(name, datetime(2025, 6, 11, 12, tzinfo=UTC))))
                assert count == ordinary > 0, f"{name}: {slot} has {count} first requests, others {ordinary}."

    def test_a_slot_is_planned_alike_by_every_process(self, subject: Subject) -> None:
        """Two sources made from the same settings ask the same, so a retry is told from news."""
        for name, slot in _each_slot(subject):
            once, again = list(subject.source().plan(name, slot)), list(subject.source().plan(name, slot))
            assert once == again, (
                f"{name}: two sources plan {slot} as {once} and {again}. Make requests of the slot and the "
                "settings only: no nonce, no clock, no counter."
            )

    def test_slots_are_planned_in_utc(self, subject: Subject) -> None:
        """The machine's time zone changes no request."""
        for name, slot in _each_slot(subject):
            if len({tuple(subject.source().plan(name, slot)) for _ in range(2)}) > 1:
                continue  # another check says that planning differs anyway
            plans = {}
            for zone in ZONES:
                with _local_time(zone):
                    plans[zone] = list(subject.source().plan(name, slot))
            wrong = [zone for zone in ZONES if plans[zone] != plans["UTC"]]
            assert not wrong, f"{name}: {slot} is planned otherwise where the machine is in {wrong[0]}."

    def test_requests_are_well_formed(self, subject: Subject) -> None:
        """A path below the root, parameters as pairs of texts, a cost of at least one."""
        for name, request in _all_requests(subject):
            assert request.path.startswith("/"), f"{name}: path {request.path!r} must begin with a slash."
            assert not set("?#") & set(request.path), f"{name}: put what stands behind ? into `params`."
            assert all(type(text) is str for pair in request.params for text in pair), (
                f"{name}: the parameters {request.params} must be pairs of texts."
            )
            assert request.cost >= 1, f"{name}: {request.path} costs {request.cost}; every call counts."

    def test_paging_starts_at_page_one(self, subject: Subject) -> None:
        """The first request of a slot is page 1: the page is part of a capture's identity."""
        for name, slot in _each_slot(subject):
            pages = [request.page for request in subject.source().plan(name, slot)]
            assert min(pages) == 1, f"{name}: the first requests of a slot are pages {pages}; begin with 1."

    def test_each_request_of_a_slot_is_a_page_of_its_own(self, subject: Subject) -> None:
        """No two requests of a slot share a page, for their captures could not be told apart."""
        for name, slot in _each_slot(subject):
            pages = [request.page for request in subject.source().plan(name, slot)]
            assert len(pages) == len(set(pages)), f"{name}: pages {pages} of one slot; number them 1, 2, …"

    def test_no_call_costs_more_than_a_window_allows(self, subject: Subject) -> None:
        """Every request can be sent within the limits the source declares."""
        limits = subject.source().limits
        most = min((window.weight for window in limits.windows), default=None)
        for name, request in _all_requests(subject):
            assert most is None or request.cost <= most, (
                f"{name}: {request.path} costs {request.cost}, but a window allows {most}. It would never be "
                "sent; split it."
            )
        assert all(window.seconds > 0 and window.weight > 0 for window in limits.windows), (
            f"The windows {limits.windows} must be above zero."
        )

    def test_what_has_no_past_says_so(self, subject: Subject) -> None:
        """Asked for the past, every dataset gives requests, or refuses by `FixConfiguration`."""
        end = _recorded_at(subject)
        for name, asset in _assets(subject).items():
            try:
                list(islice(subject.source().history(name, asset, (end - HISTORIES[0], end)), MOST_REQUESTS))
            except FixConfiguration:
                continue
            except Exception as error:
                raise AssertionError(
                    f"{name}: its history of {asset!r} raises {error!r}. Raise FixConfiguration that says "
                    "which dataset has a past, or what must be set for it."
                ) from error

    def test_history_covers_the_time_asked_for(self, subject: Subject) -> None:
        """The windows of backfill requests join from the start to the end, without a hole."""
        for name, (start, end), windows in _histories(subject):
            joined = start
            for since, until in windows:
                assert since <= joined + subject.history_step, (
                    f"{name}: nothing asks for the time between {joined} and {since}. If rows are further "
                    "apart than that, say so in `history_step`."
                )
                joined = max(joined, until)
            assert not windows or joined + subject.history_step >= end, (
                f"{name}: the history of {start} to {end} ends at {joined}."
            )

    def test_history_windows_do_not_overlap(self, subject: Subject) -> None:
        """Backfill asks for nothing twice."""
        for name, _, windows in _histories(subject):
            for (since, until), (following, _) in pairwise(windows):
                assert following >= until - subject.history_step, (
                    f"{name}: the window that begins at {following} overlaps {since} to {until}."
                )

    def test_an_empty_history_asks_nothing(self, subject: Subject) -> None:
        """A window without length takes no call."""
        moment = _recorded_at(subject)
        for name, asset in _assets(subject).items():
            asked = past(subject.source(), name, asset, (moment, moment))
            assert not asked, f"{name}: the history of no time at all asks {asked}."


def past(source: Source, dataset: str, asset: str, window: tuple[datetime, datetime]) -> list[Request]:
    """What history asks, `MOST_REQUESTS` at most; nothing where it refuses, which has a check of its own."""
    try:
        return list(islice(source.history(dataset, asset, window), MOST_REQUESTS))
    except Exception:
        return []


def _each_slot(subject: Subject) -> Iterator[tuple[str, datetime]]:
    for name in subject.source().datasets:
        for slot in slots(subject.source(), name)[1:4]:
            yield name, slot


def _all_requests(subject: Subject) -> Iterator[tuple[str, Request]]:
    """First requests, next pages of the recorded answers, and history."""
    source = subject.source()
    for name in source.datasets:
        yield from ((name, request) for request in source.plan(name, slots(source, name)[1]))
    for specimen in subject.specimens:
        yield from ((specimen.capture.dataset, one) for one in source.follow(specimen.capture))
    for name, requests in _asked(subject, HISTORIES[-1]):
        yield from ((name, request) for request in requests)


def _recorded_at(subject: Subject) -> datetime:
    return max(capture.received_at for capture in subject.captures).replace(second=0, microsecond=0)


def _assets(subject: Subject) -> dict[str, str]:
    """An asset of each dataset that has rows of assets."""
    found: dict[str, str] = {}
    for specimen in subject.specimens:
        for row in rows_of(subject.source().decode(subject.batch([specimen.capture]))):
            found.setdefault(specimen.capture.dataset, row["asset"])
    return found


def _asked(subject: Subject, length: timedelta) -> Iterator[tuple[str, list[Request]]]:
    """What history asks of each dataset."""
    end = _recorded_at(subject)
    for name, asset in _assets(subject).items():
        requests = past(subject.source(), name, asset, (end - length, end))
        assert len(requests) < MOST_REQUESTS, f"{name}: the history of {length} never ends."
        yield name, requests


def _histories(
    subject: Subject,
) -> Iterator[tuple[str, tuple[datetime, datetime], list[tuple[datetime, datetime]]]]:
    """Dataset, the time asked for, and the windows of the requests, where they name both their ends."""
    end = _recorded_at(subject)
    for length in HISTORIES:
        for name, requests in _asked(subject, length):
            ends = [sorted(filter(None, map(_moment, dict(one.params).values()))) for one in requests]
            windows = sorted((moments[0], moments[-1]) for moments in ends if len(moments) > 1)
            yield name, (end - length, end), windows


def _moment(text: str) -> datetime | None:
    """A parameter's value as a moment: ISO 8601, or seconds or finer units since 1970."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?", text):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if not re.fullmatch(r"\d{10,19}", text):
        return None
    unit = 10 ** (3 * ((len(text) - 10) // 3))
    return _EPOCH + timedelta(microseconds=int(text) * 1_000_000 // unit)


@contextmanager
def _local_time(zone: str) -> Iterator[None]:
    """The machine's local time is that of a zone, for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
