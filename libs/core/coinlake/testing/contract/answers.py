"""Checks of how answers are met: good ones, refusals, bans, faults of the network; and of paging."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from coinlake.errors import WaitUntil
from coinlake.feed import MOST_PAGES
from coinlake.model import Capture, Keep, Request, Response, Verdict
from coinlake.source import Source
from coinlake.testing.contract.planning import ODD_MOMENTS
from coinlake.testing.contract.rows import calmly
from coinlake.testing.contract.subject import Specimen, Subject, decode, facts, rows_of, with_body
from coinlake.testing.contract.venue import IMPATIENT, CrashingLake, Venue, kept, untroubled
from coinlake.testing.faults import Fault
from coinlake.testing.feed_bench import MemoryLake

STATUSES = (200, 201, 204, 304, 400, 401, 403, 404, 408, 418, 422, 425, 429, 451, 500, 502, 503, 504, 599)
_ODD_BODIES = (b"", b"null", b"7", b'"x"', b"[]", b"{}", b"[null]", b'{"error":7}', b"\xff", b"{", b"[" * 9)


class PagingChecks:
    """Part of `SourceContract`."""

    def test_a_slot_is_captured_whole(self, subject: Subject) -> None:
        """From the first request to the last page, through the ordinary feed and the replay server."""
        for name in subject.datasets:
            with Venue(subject, name) as venue:
                outcome = venue.captured()
                assert outcome.error is None, (
                    f"{name}: a slot ends with {outcome.error!r} after {outcome.stored} captures. If a "
                    "recording is missing, record it; if it pages too far, look at `follow`."
                )

    def test_calls_per_slot_are_what_a_slot_takes(self, subject: Subject) -> None:
        """The calls declared for an ordinary slot, with which a month's credits are planned, are true."""
        for name in subject.datasets:
            with Venue(subject, name) as venue:
                stored, declared = venue.captured().stored, venue.described.calls_per_slot
            assert stored == declared, (
                f"{name}: a slot took {stored} calls, `calls_per_slot` says {declared}. If the recordings "
                "hold fewer pages than the venue has, give settings that fit them."
            )

    def test_paging_ends_however_often_a_page_comes_again(self, subject: Subject) -> None:
        """A venue that says the same page for ever is not asked for ever."""
        for specimen in subject.specimens:
            calls = len(list(_followed(subject, specimen, specimen.capture.body)))
            assert calls < MOST_PAGES, (
                f"{specimen.capture.dataset}: the same page again and again is followed {calls} times. End "
                "at a known last page, or let the cursor decide."
            )

    def test_an_empty_page_is_no_error(self, subject: Subject) -> None:
        """A page without rows gives no row, no reject, and no exception where its next page is read."""
        for specimen in subject.specimens:
            body = _emptied(specimen)
            if body is None:
                continue
            capture = with_body(specimen.capture, body)
            found = decode(subject.source(), capture)
            nothing = not rows_of(found) and not found.rejects.num_rows
            assert nothing, f"{capture.dataset}: a page without rows gives {found.rejects.num_rows} rejects."
            try:
                list(subject.source().follow(capture))
            except Exception as error:
                raise AssertionError(
                    f"{capture.dataset}: follow raises {error!r} on an empty page."
                ) from error

    def test_a_row_on_two_pages_is_a_row_of_each(self, subject: Subject) -> None:
        """A page that shifts between two requests costs nothing: each capture gives all its rows."""
        for specimen in subject.specimens:
            first = specimen.capture
            second = with_body(first, first.body.rstrip() + b" ", page=2)
            try:
                rows = rows_of(decode(subject.source(), first, second))
            except Exception as error:
                raise AssertionError(
                    f"{first.dataset}: a row that is on two pages raises {error!r}."
                ) from error
            for capture in (first, second):
                own = {facts(row) for row in rows if row["capture_id"] == str(capture.id)}
                assert own == {facts(row) for row in specimen.rows}, (
                    f"{first.dataset}: of rows that stand on pages 1 and 2, page {capture.page} lost some. "
                    "Which of them stands is for the step `deduplicate` to say."
                )

    def test_following_never_raises(self, subject: Subject) -> None:
        """Whatever an answer holds, reading the next page from it gives requests or none."""
        for specimen in subject.specimens:
            for body in (*_ODD_BODIES, specimen.capture.body[:-3]):
                try:
                    list(subject.source().follow(with_body(specimen.capture, body)))
                except Exception as error:
                    raise AssertionError(
                        f"{specimen.capture.dataset}: follow raises {error!r} on {body[:40]!r}. "
                        "Such an answer has no next page."
                    ) from error


class AnswerChecks:
    """Part of `SourceContract`."""

    def test_judging_never_raises(self, subject: Subject) -> None:
        """Any status, headers and bytes get a verdict."""
        source = subject.source()

        def judged(status: int, body: bytes) -> None:
            verdict = source.judge(Response(status, {"retry-after": "soon"}, body, ODD_MOMENTS[0]))
            assert isinstance(verdict, get_args(Verdict)), f"judge gives {verdict!r}, which is no verdict."

        @calmly
        @given(st.sampled_from(STATUSES), st.binary(max_size=60))
        def check(status: int, body: bytes) -> None:
            judged(status, body)
            judged(status, b"{" + body)

        for status in STATUSES:
            for body in _ODD_BODIES:
                judged(status, body)
        check()

    def test_every_recorded_answer_is_kept(self, subject: Subject) -> None:
        """What was recorded as an answer is judged as one."""
        for recording in subject.answers:
            capture = subject.capture(recording)
            verdict = subject.source().judge(
                Response(200, recording.headers, recording.body, capture.received_at)
            )
            assert isinstance(verdict, Keep), f"The recording {recording.path.name} is not kept: {verdict}."

    def test_too_many_calls_are_waited_out(self, subject: Subject) -> None:
        """A 429 is asked again, once the venue's `Retry-After` has passed; nothing of it is stored."""
        for name in subject.datasets:
            with Venue(subject, name, [Fault("retry_after_s", times=1, after_s=31)]) as venue:
                began = venue.clock.now()
                outcome = venue.captured()
                assert kept(venue.lake) == untroubled(subject, name), (
                    f"{name}: after one HTTP 429 the slot ends with {outcome.error!r}. Judge it "
                    "`RetryAfter`, with after_s None where the header says how long."
                )
                waited_s = (venue.clock.now() - began).total_seconds()
                assert waited_s >= 31, f"{name}: asked to wait 31 s, it waited {waited_s:.0f} s."

    def test_a_ban_is_obeyed(self, subject: Subject) -> None:
        """After a 418 nothing is sent until the ban is over, by any process; then all goes on."""
        for name in subject.datasets:
            cadence = subject.source(None, name).datasets[name].cadence
            ban = timedelta(hours=10) + 3 * cadence
            with Venue(subject, name, [Fault("ban", times=1, after_s=int(ban.total_seconds()))]) as venue:
                first, again = venue.captured(), venue.captured()
                waits = isinstance(first.error, WaitUntil) and isinstance(again.error, WaitUntil)
                assert waits, (
                    f"{name}: an HTTP 418 ends with {first.error!r}, then {again.error!r}. "
                    "Judge it `BannedUntil`."
                )
                assert venue.server.calls == 1, f"{name}: {venue.server.calls} calls were sent into a ban."
                venue.clock.move(seconds=ban.total_seconds() + 1)
                venue.captured()
                assert venue.lake.captures, f"{name}: nothing is captured once the ban is over."

    def test_a_passing_fault_is_asked_again(self, subject: Subject) -> None:
        """HTTP 500, 502, 503 and 504 cost one more call, and no answer."""
        for name in subject.datasets:
            whole = untroubled(subject, name)
            for status in (500, 502, 503, 504):
                fault = Fault("status", status=status, times=1, body=b"upstream went away")
                with Venue(subject, name, [fault]) as venue:
                    outcome = venue.captured()
                    assert kept(venue.lake) == whole, (
                        f"{name}: after one HTTP {status} the slot ends with {outcome.error!r}. "
                        "Judge it `RetryAfter`."
                    )

    def test_a_refusal_is_not_asked_again(self, subject: Subject) -> None:
        """HTTP 400 and 404 are final: one call, nothing stored."""
        for name in subject.datasets:
            for status in (400, 404):
                fault = Fault("status", status=status, body=b"there is no such thing")
                with Venue(subject, name, [fault]) as venue:
                    venue.captured()
                    calls = venue.server.calls
                    assert (calls, len(venue.lake.captures)) == (1, 0), (
                        f"{name}: an HTTP {status} took {calls} calls. Judge it `Refuse`."
                    )

    def test_an_error_under_200_makes_no_rows(self, subject: Subject) -> None:
        """An error that comes as HTTP 200 is not kept, or ends as a reject."""
        errors = (b'{"code":-1003,"msg":"Too many requests"}', b'{"status":{"error_code":429}}')
        for name in subject.datasets:
            for body in errors:
                self._makes_no_rows(subject, name, Fault("error_under_200", body=body), body.decode())

    def test_a_web_page_under_200_makes_no_rows(self, subject: Subject) -> None:
        """HTML that comes as HTTP 200 is not kept, or ends as a reject."""
        for name in subject.datasets:
            self._makes_no_rows(subject, name, Fault("html_under_200"), "a page of HTML")

    def _makes_no_rows(self, subject: Subject, name: str, fault: Fault, said: str) -> None:
        with Venue(subject, name, [fault]) as venue:
            venue.captured()
            stored = list(venue.lake.captures.values())
        for capture in stored:
            found = decode(subject.source(), capture)
            refused = found.rejects.num_rows and not rows_of(found)
            assert refused, (
                f"{name}: {said} under HTTP 200 is kept, and becomes {len(rows_of(found))} rows and "
                f"{found.rejects.num_rows} rejects. Judge it no answer, or reject it."
            )

    def test_a_slot_that_was_given_up_is_asked_the_same_again(self, subject: Subject) -> None:
        """Cut and silent answers are never stored, and the slot can be captured whole afterwards."""
        for name in subject.datasets:
            whole = untroubled(subject, name)
            for kind in ("truncated", "hang"):
                with Venue(subject, name, [Fault(kind, times=1)]) as venue:
                    venue.make = partial(_itself, subject.source(venue.server.root, name))
                    venue.captured(bounds=IMPATIENT)
                    assert not venue.lake.captures, f"{name}: an answer that was cut is stored."
                    outcome = venue.captured()
                    assert kept(venue.lake) == whole, (
                        f"{name}: a slot that was given up ({kind}) is not whole when asked again "
                        f"({outcome.error!r}). Keep no state about what was planned."
                    )

    def test_a_restart_knows_its_captures_again(self, subject: Subject) -> None:
        """The same answers to another process have the same identity: nothing is stored twice."""
        for name in subject.datasets:
            with Venue(subject, name) as venue:
                first, again = venue.captured(), venue.captured()
            assert (again.stored, again.new) == (first.stored, 0), (
                f"{name}: a restart stored {again.new} captures of the same answers anew. Paths, parameters "
                "and page numbers are made of the slot, the settings and the page before only."
            )

    def test_a_crash_between_pages_costs_nothing(self, subject: Subject) -> None:
        """A process that dies behind any page is followed by one that makes the slot whole."""
        for name in subject.datasets:
            whole = untroubled(subject, name)
            for pages in range(1, min(len(whole), 4)):
                with Venue(subject, name) as venue:
                    crashed = CrashingLake(pages)
                    venue.captured(crashed)
                    resumed = MemoryLake()
                    resumed.captures = dict(crashed.captures)
                    venue.captured(resumed)
                    assert kept(resumed) == whole, (
                        f"{name}: after a crash behind page {pages} the slot has {len(resumed.captures)} of "
                        f"{len(whole)} captures. Each run plans the slot from its first page."
                    )


def _itself(source: Source, root: str, dataset: str) -> Source:
    """The same source each time, as within one process."""
    return source


def _followed(subject: Subject, specimen: Specimen, body: bytes) -> Iterator[Request]:
    """The requests of a slot whose every answer is `body`, until one is asked again."""
    source = subject.source()
    dataset, slot = specimen.capture.dataset, specimen.capture.slot
    waiting = deque(list(source.plan(dataset, slot))[:1])
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    while waiting and len(seen) < MOST_PAGES:
        request = waiting.popleft()
        if (request.path, request.params) in seen:
            return
        seen.add((request.path, request.params))
        yield request
        waiting.extend(source.follow(_answered(specimen.capture, request, body)))


def _answered(capture: Capture, request: Request, body: bytes) -> Capture:
    return with_body(capture, body, page=request.page, params=request.params)


def _emptied(specimen: Specimen) -> bytes | None:
    """The page with no row on it; None where the body is the row."""
    if not specimen.path:
        return None
    return _without_rows(specimen.capture.body, specimen.path.split("/")[1:-1])


def _without_rows(body: bytes, above: list[str]) -> bytes:
    """A body whose rows, below the keys `above`, are gone; its other members verbatim."""
    if not above:
        return b"{}" if body.lstrip().startswith(b"{") else b"[]"
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    key = above[0].replace("~1", "/").replace("~0", "~")
    inner = _without_rows(bytes(members[key]), above[1:])
    return msgspec.json.encode({**members, key: msgspec.Raw(inner)})
