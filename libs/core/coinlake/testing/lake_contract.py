"""What every lake must keep, as tests to inherit: whatever engine captures rest in, these must pass.

class TestMyLake(LakeContract):
    @pytest.fixture
    def open_lake(self, tmp_path):
        return lambda: MyLake(tmp_path)
"""

from __future__ import annotations

import random
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from coinlake.account import Entry
from coinlake.lake import Lake
from coinlake.model import Capture, Held

OpenLake = Callable[[], Lake]
"""Opens the lake of one test, the same one at each call; it is empty at first."""

SLOT = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
DEADLINE_S = 60

_EXAMPLE = Capture(
    source="venue",
    dataset="markets",
    slot=SLOT,
    page=1,
    url="https://venue.example/api/v3/coins/markets?page=1",
    params=(("page", "1"), ("ids", "b,a"), ("ids", "")),
    status=200,
    headers={"date": "Sun, 01 Mar 2026 12:03:00 GMT", "x-name": "Ξ “naïve”"},
    body='[{"id":"ether","symbol":"Ξ","price":1.10}]'.encode(),
    requested_at=SLOT + timedelta(microseconds=1),
    received_at=SLOT + timedelta(microseconds=250_000),
    run_id="0190a000-0000-7000-8000-000000000000",
    plugin_version="1.2.3",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)

BODIES = {
    "empty": b"",
    "blank": b" \r\n\t",
    "a byte order mark": b"\xef\xbb\xbf[]",
    "UTF-16": "[]".encode("utf-16"),
    "a NUL in text": b'{"a":"\0"}',
    "only NUL": b"\0",
    "a lone continuation byte": b'"\x80"',
    "half a character": b'"\xe2\x82',
    "an encoded surrogate": b"\xed\xa0\x80",
    "the last characters": "\ufffe\uffff\U0010ffff".encode(),
    "every byte": bytes(range(256)),
    "3 MB of anything": random.Random(1).randbytes(3_000_000),  # noqa: S311
}
"""Bodies that an engine might alter."""


def capture(number: int = 1, **changes: object) -> Capture:
    """An example; `number` says which page of its slot it is, and so makes it another capture."""
    return replace(_EXAMPLE, page=number, **changes)  # type: ignore[arg-type]


def positions(held: Iterable[Held]) -> list[int]:
    """Where captures rest."""
    return [one.position for one in held]


def read_until(lake: Lake, expected: int) -> list[Held]:
    """Follows the tail, as the pipeline does, until so many captures were read."""
    found: list[Held] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < expected:
        assert time.monotonic() < deadline, f"{len(found)} of {expected} captures came along the tail"
        found += lake.tail(found[-1].position if found else 0, captures=7, body_bytes=10_000)
    return found


class LakeContract:
    """Inherit, and give the fixture `open_lake` (`OpenLake`)."""

    def test_a_new_lake_is_empty(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            assert lake.tail(0, captures=10, body_bytes=10) == []
            assert list(lake.scan()) == []
            assert lake.find(UUID(int=1)) is None
            assert (lake.end(), lake.count_after(0)) == (0, 0)

    def test_a_capture_comes_back_as_it_was_stored(self, open_lake: OpenLake) -> None:
        stored = [capture(), capture(2, params=(), headers={}, status=404, traceparent="", synthetic=True)]
        with open_lake() as lake:
            assert [lake.append(one) for one in stored] == [True, True]
            found = lake.tail(0, captures=10, body_bytes=10_000)
        assert [one.capture for one in found] == stored
        assert [one.capture.id for one in found] == [one.id for one in stored]
        assert [one.capture.sha256 for one in found] == [one.sha256 for one in stored]

    def test_every_body_comes_back_byte_for_byte(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number, body in enumerate(BODIES.values()):
                assert lake.append(capture(number, body=body))
        with open_lake() as lake:
            bodies = [one.capture.body for one in lake.scan()]
        altered = [name for (name, body), found in zip(BODIES.items(), bodies, strict=True) if body != found]
        assert not altered

    def test_what_was_stored_is_there_when_the_lake_is_opened_again(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            lake.append(capture())
            before = (lake.id, lake.end(), positions(lake.scan()))
        with open_lake() as lake:
            assert (lake.id, lake.end(), positions(lake.scan())) == before
            assert lake.append(capture()) is False

    def test_what_one_opening_stores_another_sees_at_once(self, open_lake: OpenLake) -> None:
        with open_lake() as writing, open_lake() as reading:
            assert writing.id == reading.id
            for number in range(1, 4):
                writing.append(capture(number))
                assert reading.find(capture(number).id) is not None
                assert len(reading.tail(0, captures=10, body_bytes=10_000)) == number

    def test_a_retried_append_writes_once_and_the_first_stays(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            assert lake.append(capture()) is True
            again = capture(run_id="another run", headers={}, received_at=SLOT + timedelta(hours=1))
            assert lake.append(again) is False
            assert [one.capture for one in lake.scan()] == [capture()]

    def test_a_repeat_costs_no_position(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for one in (capture(), capture(), capture(2)):
                lake.append(one)
            assert lake.count_after(0) == 2
            assert lake.count_after(lake.tail(0, captures=1, body_bytes=1)[0].position) == 1

    def test_each_part_of_the_identity_makes_another_capture(self, open_lake: OpenLake) -> None:
        others = [
            capture(),
            capture(source="other"),
            capture(dataset="other"),
            capture(slot=SLOT + timedelta(microseconds=1)),
            capture(2),
            capture(body=b"other"),
        ]
        with open_lake() as lake:
            assert [lake.append(one) for one in others] == [True] * len(others)
            assert [one.capture for one in lake.scan()] == others

    def test_a_capture_is_found_by_its_id(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number in range(1, 4):
                lake.append(capture(number))
            found = lake.find(capture(2).id)
            assert found is not None
            assert found.capture == capture(2)
            assert found.position == positions(lake.scan())[1]
            assert lake.find(capture(4).id) is None

    def test_the_tail_gives_each_capture_once_in_rising_positions(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number in range(1, 21):
                lake.append(capture(number))
            found = read_until(lake, 20)
            assert [one.capture.page for one in found] == list(range(1, 21))
            assert positions(found) == sorted(set(positions(found)))
            assert positions(found)[0] > 0
            assert positions(found)[-1] == lake.end()
            assert lake.tail(lake.end(), captures=10, body_bytes=10_000) == []
            assert [lake.count_after(one.position) for one in found] == list(range(19, -1, -1))

    def test_the_tail_keeps_to_its_limits_but_always_gives_one(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number, size in enumerate((10, 10, 100, 10, 0, 0)):
                lake.append(capture(number, body=b"x" * size))

            def pages(after: int, captures: int, body_bytes: int) -> list[int]:
                held = lake.tail(after, captures=captures, body_bytes=body_bytes)
                return [one.capture.page for one in held]

            first, second, *_ = positions(lake.scan())
            assert pages(0, captures=3, body_bytes=1000) == [0, 1, 2]
            assert pages(0, captures=9, body_bytes=20) == [0, 1]
            assert pages(0, captures=9, body_bytes=19) == [0]
            assert pages(first, captures=9, body_bytes=109) == [1]
            assert pages(second, captures=9, body_bytes=50) == [2]
            assert pages(second, captures=9, body_bytes=110) == [2, 3, 4, 5]

    def test_the_entries_say_which_capture_lies_at_which_position(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number in range(1, 6):
                lake.append(capture(number))
            held = list(lake.scan())
            entries = [Entry(one.position, one.capture.id) for one in held]
            assert list(lake.entries(0, lake.end())) == entries
            assert list(lake.entries(held[0].position, held[3].position)) == entries[1:4]
            assert list(lake.entries(-1, 2**63 - 1)) == entries
            assert list(lake.entries(lake.end(), 2**63 - 1)) == []

    def test_a_scan_gives_what_was_asked_for_in_rising_positions(self, open_lake: OpenLake) -> None:
        minutes = [5, 1, 3, 2, 4]
        with open_lake() as lake:
            for minute in minutes:
                for source in ("a", "b"):
                    lake.append(capture(source=source, slot=SLOT + timedelta(minutes=minute)))

            def scan(**wanted: object) -> list[tuple[str, int]]:
                held = list(lake.scan(**wanted))  # type: ignore[arg-type]
                assert positions(held) == sorted(positions(held))
                return [(one.capture.source, (one.capture.slot - SLOT).seconds // 60) for one in held]

            def at(minute: int) -> datetime:
                return SLOT + timedelta(minutes=minute)

            assert scan() == [(source, minute) for minute in minutes for source in "ab"]
            assert scan(source="b") == [("b", minute) for minute in minutes]
            assert scan(source="c") == []
            assert scan(source="a", since=at(3)) == [("a", 5), ("a", 3), ("a", 4)]
            assert scan(source="a", until=at(3)) == [("a", 1), ("a", 2)]
            assert scan(source="a", since=at(2), until=at(4)) == [("a", 3), ("a", 2)]
            elsewhere = at(3).astimezone(datetime.strptime("+0530", "%z").tzinfo)
            assert scan(source="a", since=elsewhere) == scan(source="a", since=at(3))

    def test_a_scan_does_not_hold_the_whole_lake_in_memory(self, open_lake: OpenLake) -> None:
        with open_lake() as lake:
            for number in range(96):
                lake.append(capture(number, body=bytes([number]) * 1_000_000))
            tracemalloc.start()
            try:
                assert sum(len(one.capture.body) for one in lake.scan()) == 96_000_000
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        assert peak < 48_000_000

    def test_one_lake_serves_several_threads(self, open_lake: OpenLake) -> None:
        with open_lake() as lake, ThreadPoolExecutor(4) as threads:
            stored = list(threads.map(lambda number: lake.append(capture(number)), range(40)))
            assert stored == [True] * 40
            found = list(threads.map(lambda number: lake.find(capture(number).id), range(40)))
            assert None not in found
            assert len(list(lake.scan())) == 40

    def test_the_tail_skips_nothing_of_several_writers(self, open_lake: OpenLake) -> None:
        writers, each = 4, 25

        def write(writer: int) -> None:
            with open_lake() as lake:
                for number in range(each):
                    lake.append(capture(number, source=f"s{writer}", body=b"x" * (number % 5) * 700))

        with open_lake() as lake, ThreadPoolExecutor(writers) as threads:
            writing = [threads.submit(write, writer) for writer in range(writers)]
            found = read_until(lake, writers * each)
            for one in writing:
                one.result(DEADLINE_S)
            assert positions(found) == positions(lake.scan())
            _in_order_of_each_writer(found, writers, each)

    def test_of_several_writers_of_one_capture_one_writes_it(self, open_lake: OpenLake) -> None:
        start = threading.Barrier(4)

        def write(_: int) -> list[bool]:
            with open_lake() as lake:
                start.wait(DEADLINE_S)
                return [lake.append(capture(number)) for number in range(20)]

        with ThreadPoolExecutor(4) as threads:
            wrote = list(threads.map(write, range(4)))
        assert [sum(each) for each in zip(*wrote, strict=True)] == [1] * 20
        with open_lake() as lake:
            assert sorted(one.capture.page for one in lake.scan()) == list(range(20))


def _in_order_of_each_writer(found: Sequence[Held], writers: int, each: int) -> None:
    for writer in range(writers):
        pages = [one.capture.page for one in found if one.capture.source == f"s{writer}"]
        assert pages == list(range(each))
