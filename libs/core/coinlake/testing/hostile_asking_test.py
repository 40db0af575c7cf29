"""The contract of sources finds every defect of asking: a hostile sample with a switch for each.

As in `hostile_decoding_test`: each switch makes exactly one named check fail.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import ConfigDict

from coinlake.model import Capture, Keep, Refuse, Request, Response, RetryAfter, Verdict
from coinlake.plugins import SourcePlugin
from coinlake.settings import Secret
from coinlake.testing import hostile_decoding_test
from coinlake.testing.contract.subject import Subject
from coinlake.testing.recordings import Recording
from coinlake.testing.source_contract_test import (
    ROOT,
    Sample,
    SampleSettings,
    Switches,
    checks,
    failed,
)

SWITCHES = Switches()


class Pages(Sample):
    """Changes which pages follow."""

    def follow(self, capture: Capture) -> Iterable[Request]:
        if capture.dataset == "tickers":
            yield from self.next(capture, list(super().follow(capture)))

    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        return found


def after(cursor: str, page: int) -> Request:
    return Request("/tickers", (("limit", "2"), ("after", cursor)), page=page)


@SWITCHES.breaks("test_a_slot_is_captured_whole")
class GoesPastTheEnd(Pages):
    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        ends = not found and capture.body.startswith(b'{"rows":[{')
        return [after("end", capture.page + 1)] if ends else found


@SWITCHES.breaks("test_calls_per_slot_are_what_a_slot_takes")
class DeclaresTooFewCalls(Sample):
    calls_per_slot = 1


@SWITCHES.breaks("test_paging_ends_however_often_a_page_comes_again")
class NeverEnds(Pages):
    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        return [after(f"c{one.page}", one.page) for one in found]


@SWITCHES.breaks("test_an_empty_page_is_no_error")
class WantsALastRow(Pages):
    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        if b'"rows":[]' in capture.body:
            raise IndexError("list index out of range")
        return found


@SWITCHES.breaks("test_following_never_raises")
class TrustsEveryBody(Pages):
    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        json.loads(capture.body)
        return found


class Judges(Sample):
    """Judges one status its own way."""

    status = 0
    verdict: Verdict = Keep()

    def judge(self, response: Response) -> Verdict:
        return self.verdict if response.status == self.status else super().judge(response)


@SWITCHES.breaks("test_judging_never_raises")
class RaisesOnAStatus(Sample):
    def judge(self, response: Response) -> Verdict:
        if response.status == 451:
            raise KeyError(451)
        return super().judge(response)


@SWITCHES.breaks("test_every_recorded_answer_is_kept")
class RefusesNotices(Sample):
    def judge(self, response: Response) -> Verdict:
        return Refuse("a notice") if b'"notice"' in response.body else super().judge(response)


@SWITCHES.breaks("test_too_many_calls_are_waited_out")
class RefusesTooManyCalls(Judges):
    status = 429
    verdict = Refuse("too many calls")


@SWITCHES.breaks("test_a_ban_is_obeyed")
class TakesABanForAPause(Judges):
    status = 418
    verdict = RetryAfter("slow down", 1)


@SWITCHES.breaks("test_a_passing_fault_is_asked_again")
class RefusesUnavailable(Judges):
    status = 503
    verdict = Refuse("unavailable")


@SWITCHES.breaks("test_a_refusal_is_not_asked_again")
class AsksAgainForNothing(Judges):
    status = 404
    verdict = RetryAfter("not found")


@SWITCHES.breaks("test_a_slot_that_was_given_up_is_asked_the_same_again")
class PlansASlotOnce(Sample):
    def __init__(self, settings: SampleSettings) -> None:
        super().__init__(settings)
        self.planned: set[tuple[str, datetime]] = set()

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        again = (dataset, slot) in self.planned
        self.planned.add((dataset, slot))
        return [] if again else super().plan(dataset, slot)


@SWITCHES.breaks("test_a_restart_knows_its_captures_again")
class CountsPagesForEver(Pages):
    pages = itertools.count(2)

    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        return [replace(request, page=next(self.pages)) for request in found]


@SWITCHES.breaks("test_a_crash_between_pages_costs_nothing")
class BelievesThatItGoesOn(Pages):
    begun: set[tuple[str, datetime]] = set()  # noqa: RUF012 (all sources share it, which is the defect)

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        return [] if (self.root, slot) in self.begun else super().plan(dataset, slot)

    def next(self, capture: Capture, found: list[Request]) -> Iterable[Request]:
        if "127.0.0.1" in self.root:
            (self.begun.add if found else self.begun.discard)((self.root, capture.slot))
        return found


@SWITCHES.breaks("test_names_and_versions_are_well_formed")
class HasNoVersion(Sample):
    version = ""


@SWITCHES.breaks("test_the_root_is_https")
class IsNotEncrypted(Sample):
    def __init__(self, settings: SampleSettings) -> None:
        super().__init__(settings)
        self.root = self.root.replace("https:", "http:")


@SWITCHES.breaks("test_an_unknown_dataset_is_refused")
class PlansAnything(Sample):
    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        return super().plan(dataset, slot) if dataset in self.datasets else []


@SWITCHES.breaks("test_every_slot_is_planned_alike")
class FallsOnLeapDay(Sample):
    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        slot.replace(year=slot.year + 1)
        return super().plan(dataset, slot)


class Plans(Sample):
    """Changes the first requests."""

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        return [self.first(request, slot) for request in super().plan(dataset, slot)]

    def first(self, request: Request, slot: datetime) -> Request:
        return request


def with_param(request: Request, name: str, value: str) -> Request:
    return replace(request, params=(*request.params, (name, value)))


@SWITCHES.breaks("test_a_slot_is_planned_alike_by_every_process")
class BustsCaches(Plans):
    nonces = itertools.count(1_700_000_000_000)

    def __init__(self, settings: SampleSettings) -> None:
        super().__init__(settings)
        self.nonce = str(next(self.nonces))

    def first(self, request: Request, slot: datetime) -> Request:
        return with_param(request, "t", self.nonce)


@SWITCHES.breaks("test_slots_are_planned_in_utc")
class AsksByLocalDate(Plans):
    def first(self, request: Request, slot: datetime) -> Request:
        return with_param(request, "day", slot.astimezone().date().isoformat())


@SWITCHES.breaks("test_requests_are_well_formed")
class CostsNothing(Plans):
    def first(self, request: Request, slot: datetime) -> Request:
        return replace(request, cost=0)


@SWITCHES.breaks("test_paging_starts_at_page_one")
class CountsFromZero(Plans):
    def first(self, request: Request, slot: datetime) -> Request:
        return replace(request, page=request.page - 1)


@SWITCHES.breaks("test_each_request_of_a_slot_is_a_page_of_its_own")
class NumbersNoPages(Plans):
    def first(self, request: Request, slot: datetime) -> Request:
        return replace(request, page=1)


class Histories(Sample):
    """Changes the windows of the past."""

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        for request in super().history(dataset, asset, window):
            yield self.past(request)

    def past(self, request: Request) -> Request:
        return request


def moved(request: Request, seconds: int) -> Request:
    """A window that begins so much later, unless it is the first."""
    since = str(int(dict(request.params)["from"]) + seconds * (request.page > 1))
    return replace(request, params=tuple((n, since if n == "from" else v) for n, v in request.params))


@SWITCHES.breaks("test_no_call_costs_more_than_a_window_allows")
class CostsTooMuch(Histories):
    def past(self, request: Request) -> Request:
        return replace(request, cost=101)


@SWITCHES.breaks("test_history_covers_the_time_asked_for")
class LeavesHoles(Histories):
    def past(self, request: Request) -> Request:
        return moved(request, 60)


@SWITCHES.breaks("test_history_windows_do_not_overlap")
class AsksTwice(Histories):
    def past(self, request: Request) -> Request:
        return moved(request, -60)


@SWITCHES.breaks("test_what_has_no_past_says_so")
class HasNoPast(Sample):
    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        if dataset == "tickers":
            raise NotImplementedError
        return super().history(dataset, asset, window)


@SWITCHES.breaks("test_an_empty_history_asks_nothing")
class AsksForNoTime(Sample):
    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        if window[0] == window[1]:
            yield Request("/candles", (("asset", asset),))
        yield from super().history(dataset, asset, window)


@SWITCHES.breaks("test_a_key_is_sent_in_a_header")
class SendsNoKey(Sample):
    def __init__(self, settings: SampleSettings) -> None:
        super().__init__(settings)
        self.secret_headers: Mapping[str, Secret] = {}


@SWITCHES.breaks("test_no_key_stands_in_a_request")
class AsksWithItsKey(Plans):
    def first(self, request: Request, slot: datetime) -> Request:
        key = self.settings.api_key
        return with_param(request, "apikey", key.get_secret_value()) if key else request


@SWITCHES.breaks("test_no_key_is_stored_or_shown")
class ShowsItsKey(Sample):
    def __repr__(self) -> str:
        return f"Sample({self.settings.api_key and self.settings.api_key.get_secret_value()})"


class LaxSettings(SampleSettings):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PlainSettings(SampleSettings):
    api_token: str | None = None


@SWITCHES.spoils("test_settings_refuse_unknown_keys")
def takes_any_setting(subject: Subject) -> Subject:
    return replace(subject, plugin=SourcePlugin("sample", LaxSettings, Sample))


@SWITCHES.spoils("test_secret_settings_are_secrets")
def shows_a_token(subject: Subject) -> Subject:
    return replace(subject, plugin=SourcePlugin("sample", PlainSettings, Sample))


@SWITCHES.spoils("test_no_file_is_too_long")
def is_too_long(subject: Subject) -> Subject:
    (subject.package / "requests.py").write_text("\n" * 500)
    return subject


@SWITCHES.spoils("test_the_package_opens_no_connection")
def opens_connections(subject: Subject) -> Subject:
    (subject.package / "requests.py").write_text("from urllib import request\n")
    return subject


@SWITCHES.spoils("test_recordings_hold_no_key")
def recorded_a_key(subject: Subject) -> Subject:
    ping = Recording(Path("ping"), lambda: b"", url=f"{ROOT}/ping?api_key=abc")
    return replace(subject, recordings=[*subject.recordings, ping])


@SWITCHES.spoils("test_every_dataset_has_a_recorded_row")
def lacks_a_recording(subject: Subject) -> Subject:
    kept = [one for one in subject.recordings if "/candles" not in (one.endpoint or "")]
    return replace(subject, recordings=kept)


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_defect_makes_exactly_its_check_fail(switch: str, tmp_path: Path) -> None:
    check, defect = SWITCHES[switch]
    assert failed(tmp_path, defect) == [check]


def test_without_a_defect_nothing_fails(tmp_path: Path) -> None:
    assert failed(tmp_path, lambda subject: subject) == []


def test_every_check_has_a_defect_that_it_finds() -> None:
    found = [*SWITCHES.values(), *hostile_decoding_test.SWITCHES.values()]
    assert sorted({check for check, _ in found}) == checks()
