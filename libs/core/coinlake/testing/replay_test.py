"""The replay server, over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from coinlake.errors import FixConfiguration
from coinlake.testing.faults import KINDS, Fault
from coinlake.testing.mimic import Answer, Mimic, Question
from coinlake.testing.recordings import Recording
from coinlake.testing.replay import ReplayServer
from coinlake.testing.stopped_clock import StoppedClock

START = datetime(2024, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)


class Newest:
    """A venue with one endpoint, `/newest`, and one that shows what was asked."""

    base = "/api"

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        if question.path == "/newest":
            newest = visible[-1]
            return Answer(newest.status, {"x-seen": str(len(visible))}, newest.body, newest.synthetic)
        if question.path == "/broken":
            raise ValueError("no such luck")
        asked = {"path": question.path, "params": dict(question.params), "key": question.headers.get("x-key")}
        return Answer(body=json.dumps(asked).encode())


def recording(body: bytes, moment: datetime | None, *, synthetic: bool = False) -> Recording:
    return Recording(Path("x"), lambda: body, recorded_at=moment, synthetic=synthetic)


RECORDED = [
    recording(b'["day two"]', START + DAY),
    recording(b'["day one"]', START),
    recording(b'["made up"]', START + 2 * DAY, synthetic=True),
    recording(b'["any time"]', None),
]


def served(*faults: Fault, clock: StoppedClock | None = None) -> ReplayServer:
    mimic: Mimic = Newest()
    return ReplayServer(RECORDED, mimic, clock or StoppedClock(START), faults=faults)


def test_the_answer_is_the_newest_recording_at_or_before_the_clocks_time() -> None:
    clock = StoppedClock(START - DAY)
    with served(clock=clock) as server, httpx.Client() as client:
        bodies = []
        for _ in range(5):
            answer = client.get(f"{server.root}/newest")
            bodies.append((answer.json()[0], answer.headers["x-seen"]))
            clock.move(seconds=43_200)
        clock.move(seconds=-1)
        clock.move(seconds=86_400)
        assert client.get(f"{server.root}/newest").json() == ["made up"]
    assert bodies == [
        ("any time", "1"),
        ("any time", "1"),
        ("day one", "2"),
        ("day one", "2"),
        ("day two", "3"),
    ]


def test_a_made_up_answer_is_marked_and_a_recorded_one_is_not() -> None:
    clock = StoppedClock(START)
    with served(clock=clock) as server:
        assert "x-coinlake-synthetic" not in httpx.get(f"{server.root}/newest").headers
        clock.move(seconds=2 * 86_400)
        assert httpx.get(f"{server.root}/newest").headers["x-coinlake-synthetic"] == "1"


def test_path_parameters_and_headers_reach_the_mimic_unquoted() -> None:
    with served() as server:
        answer = httpx.get(f"{server.root}/coins/a%20b?ids=x%2Cy&empty=", headers={"X-Key": "k"})
    assert answer.json() == {"path": "/coins/a b", "params": {"ids": "x,y", "empty": ""}, "key": "k"}


def test_the_date_of_an_answer_is_the_replays() -> None:
    with served() as server:
        assert httpx.get(f"{server.root}/newest").headers["date"] == "Tue, 15 Oct 2024 00:00:00 GMT"


def test_nothing_is_served_outside_the_root() -> None:
    with served() as server:
        assert httpx.get(server.root.removesuffix("/api") + "/newest").status_code == 404


def test_a_mimic_that_fails_says_so_in_its_answer_and_the_next_call_is_answered() -> None:
    with served() as server, httpx.Client() as client:
        broken = client.get(f"{server.root}/broken")
        assert (broken.status_code, broken.text) == (500, "The replay failed: ValueError: no such luck")
        assert client.get(f"{server.root}/newest").status_code == 200


def test_only_this_machine_is_served() -> None:
    with served() as server:
        assert server.root.startswith("http://127.0.0.1:")


def test_many_clients_at_once_are_all_answered_on_kept_connections() -> None:
    answers: list[bytes] = []

    def ask(root: str) -> None:
        with httpx.Client() as client:
            answers.extend(client.get(f"{root}/newest").content for _ in range(10))

    with served() as server:
        threads = [threading.Thread(target=ask, args=(server.root,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert server.calls == 200
    assert answers == [b'["day one"]'] * 200


def test_leaving_ends_the_server_and_hangs_up_on_whoever_waits() -> None:
    with socket.socket() as waiting:
        waiting.settimeout(10)
        with served(Fault("hang")) as server:
            port = httpx.URL(server.root).port
            assert port
            waiting.connect(("127.0.0.1", port))
            waiting.sendall(b"GET /api/newest HTTP/1.1\r\nhost: x\r\n\r\n")
            deadline_s = time.monotonic() + 10
            while server.calls < 1:
                assert time.monotonic() < deadline_s
        assert waiting.recv(1) == b""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.root}/newest")


def test_a_fault_strikes_every_so_many_calls_and_no_more_than_it_may() -> None:
    with served(Fault("status", status=503, every=3, times=2)) as server:
        found = [httpx.get(f"{server.root}/newest").status_code for _ in range(12)]
    assert found == [200, 200, 503, 200, 200, 503] + [200] * 6


def test_the_first_fault_that_strikes_wins() -> None:
    with served(Fault("status", status=500, every=2), Fault("status", status=502)) as server:
        assert [httpx.get(f"{server.root}/newest").status_code for _ in range(4)] == [502, 500, 502, 500]


def test_an_unknown_fault_is_refused_with_a_guess() -> None:
    with pytest.raises(FixConfiguration, match="unknown fault 'hagn'; did you mean 'hang'"):
        Fault("hagn")


def refused(status: int, **headers: str) -> Callable[[httpx.Response], bool]:
    def check(answer: httpx.Response) -> bool:
        waits = {n.replace("-", "_"): v for n, v in answer.headers.items() if n.startswith("retry-after")}
        return answer.status_code == status and waits == headers

    return check


SEEN: dict[str, Callable[[httpx.Response], bool]] = {
    "status": refused(500),
    "retry_after_ms": refused(429, retry_after_ms="2000"),
    "retry_after_s": refused(429, retry_after="2"),
    "retry_after_date": refused(429, retry_after="Tue, 15 Oct 2024 00:00:02 GMT"),
    "retry_after_none": refused(429),
    "ban": refused(418, retry_after="2"),
    "error_under_200": lambda a: a.status_code == 200 and a.json()["status"]["error_code"] == 429,
    "html_under_200": lambda a: a.status_code == 200 and a.text.startswith("<!DOCTYPE html>"),
    "cut_json": lambda a: a.status_code == 200 and a.content == b'["day',
    "invalid_utf8": lambda a: a.content == b'["day\xff\xfe one"]',
    "huge": lambda a: a.json() == [] and len(a.content) == 64 * 1024 * 1024,
    "redirect": lambda a: a.status_code == 302 and a.headers["location"] == "https://elsewhere.example/",
}


@pytest.mark.parametrize("kind", SEEN)
def test_a_fault_shows_on_the_wire_as_its_name_says_and_the_next_call_is_well(kind: str) -> None:
    with served(Fault(kind, times=1)) as server, httpx.Client() as client:
        assert SEEN[kind](client.get(f"{server.root}/newest"))
        assert client.get(f"{server.root}/newest").json() == ["day one"]


def test_a_truncated_answer_breaks_off_before_the_length_it_claimed() -> None:
    with (
        served(Fault("truncated")) as server,
        pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes, expected 11"),
    ):
        httpx.get(f"{server.root}/newest")


def test_a_hanging_call_gets_no_byte() -> None:
    with served(Fault("hang")) as server, pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.root}/newest", timeout=0.2)


def test_a_dripping_answer_comes_whole_though_byte_by_byte() -> None:
    with (
        served(Fault("drip", byte_every_s=0.01)) as server,
        httpx.stream("GET", f"{server.root}/newest") as answer,
    ):
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == b'["day one"]'
    assert len(pieces) > 1


def test_every_fault_is_tested_here() -> None:
    assert {*SEEN, "truncated", "hang", "drip"} == set(KINDS)
