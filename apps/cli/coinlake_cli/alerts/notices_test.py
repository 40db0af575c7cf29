"""Who wants to know is told once when it begins and once when it ends, however a webhook misbehaves."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from coinlake.errors import FixConfiguration
from coinlake.settings import Secret
from coinlake_cli.alerts import notices
from coinlake_cli.alerts.episodes import Episodes
from coinlake_cli.alerts.notices import addresses, telling
from coinlake_cli.alerts.rules_test import NOW

KEY = "a-key-that-must-show-nowhere"
DEADLINE_S = 60


class Webhook:
    """A real socket that takes notices, but answers first as it is told to."""

    def __init__(self) -> None:
        self.took: list[str] = []
        """The titles of what it answered well to."""
        self.asked: list[str] = []
        self.ends = threading.Event()
        self._manners: list[str] = []
        webhook = self

        class Call(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def do_POST(self) -> None:
                webhook.answer(self)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Call)
        self._http.daemon_threads = True
        self.url = f"json://user:{KEY}@127.0.0.1:{self._http.server_port}/hook?+X-Key={KEY}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def first(self, *manners: str) -> None:
        """How it answers to the next calls."""
        self._manners += manners

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        body = json.loads(call.rfile.read(int(call.headers["content-length"])))
        self.asked.append(body["title"])
        manner = self._manners.pop(0) if self._manners else "well"
        if manner == "hang":
            self.ends.wait(DEADLINE_S)
        elif manner == "drip":
            call.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            with suppress(OSError):
                while not self.ends.wait(0.1):
                    call.wfile.write(b"x")
        elif manner == "reset":
            call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            call.connection.close()
        elif manner == "nonsense":
            call.wfile.write(b"\x00\xff who are you?\r\n\r\n")
        else:
            status = 200 if manner == "well" else int(manner)
            call.send_response(status)
            call.end_headers()
            if status == 200:
                self.took.append(body["title"])

    def close(self) -> None:
        self.ends.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(notices, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(notices, "PAUSES_S", (0.05, 0.1))
    webhook = Webhook()
    yield webhook
    webhook.close()


@pytest.fixture
def episodes(tmp_path: Path) -> Iterator[Episodes]:
    with Episodes(tmp_path) as episodes:
        yield episodes


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.01)


def test_it_is_told_once_when_it_begins_and_once_when_it_ends_over_restarts(
    webhook: Webhook, tmp_path: Path
) -> None:
    begun, over = "Coinlake: FeedStale: venue/markets", "Coinlake: FeedStale: venue/markets is over"
    for _ in range(3):
        with Episodes(tmp_path) as episodes, telling(episodes, addresses(Secret(webhook.url)), lambda: NOW):
            episodes.begin("FeedStale", "venue/markets", "ticket", "nothing came", NOW)
            until(lambda: begun in webhook.took)
            until(lambda: not any(episodes.untold(one.key, NOW) for one in addresses(Secret(webhook.url))))
    with Episodes(tmp_path) as episodes:
        episodes.end(episodes.open()[0], NOW + timedelta(minutes=5))
    for _ in range(2):
        with Episodes(tmp_path) as episodes, telling(episodes, addresses(Secret(webhook.url)), lambda: NOW):
            until(lambda: over in webhook.took)
            until(lambda: not any(episodes.untold(one.key, NOW) for one in addresses(Secret(webhook.url))))
    assert webhook.took == [begun, over]


@pytest.mark.parametrize("manner", ["500", "429", "302", "reset", "nonsense", "hang", "drip"])
def test_a_webhook_that_does_not_take_it_is_asked_again_until_it_does(
    webhook: Webhook, episodes: Episodes, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "ANSWER_S", 0.5)
    webhook.first(manner, manner)
    episodes.begin("BitcoinDown", "bitcoin", "page", "it fell", NOW)
    with capture_logs() as logs, telling(episodes, addresses(Secret(webhook.url)), lambda: NOW):
        until(lambda: bool(webhook.took))
        until(lambda: any(one["event"] == "alerts.told_again" for one in logs))
    assert webhook.took == ["Coinlake: BitcoinDown: bitcoin"]
    assert len(webhook.asked) == 3
    assert [one["event"] for one in logs].count("alerts.not_told") == 2
    assert KEY not in str(logs)


def test_one_that_hangs_holds_up_no_other_and_not_the_end(webhook: Webhook, episodes: Episodes) -> None:
    silent = Webhook()
    silent.first(*["hang"] * 9)
    episodes.begin("BitcoinDown", "bitcoin", "page", "it fell", NOW)
    both = Secret(f"{silent.url}\n{webhook.url}")
    with telling(episodes, addresses(both), lambda: NOW):
        until(lambda: bool(webhook.took and silent.asked))
        leaving_s = time.monotonic()
    assert time.monotonic() - leaving_s < notices.LAST_WAIT_S + 1
    silent.close()


def test_a_message_says_what_since_when_and_how_grave(webhook: Webhook, episodes: Episodes) -> None:
    episodes.begin("PipelineStalled", "", "page", "No new row.", NOW)
    (notice,) = episodes.untold("x", NOW)
    assert notices.worded(notice) == (
        "Coinlake: PipelineStalled",
        "No new row.\nSince 2026-05-01 12:00:00 UTC.",
        "failure",
    )
    episodes.end(notice.episode, NOW + timedelta(minutes=3))
    *_, notice = episodes.untold("x", NOW)
    assert notices.worded(notice) == (
        "Coinlake: PipelineStalled is over",
        "It was: No new row.\nFrom 2026-05-01 12:00:00 UTC to 2026-05-01 12:03:00 UTC.",
        "success",
    )


@pytest.mark.parametrize("address", [f"nobody://{KEY}", f"https://example.com/{KEY}", KEY, "json://"])
def test_an_address_that_cannot_be_used_is_named_by_its_number_alone(address: str) -> None:
    with pytest.raises(FixConfiguration, match=r"address 2 of alerts\.notify") as raised:
        addresses(Secret(f"json://127.0.0.1/x {address}"))
    assert KEY not in str(raised.value)
