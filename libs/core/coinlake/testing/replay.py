"""A server on loopback that answers as a venue did, from recordings, as far as its clock has come.

    with ReplayServer(load(folder), mimic, ReplayClock(start, speed)) as server:
        ...  # ask below server.root

It serves any source's recordings: all it knows of a venue is the source's `Mimic`. Whatever asks it goes
through real sockets and the ordinary code.
"""

from __future__ import annotations

import socket
import threading
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qsl, unquote, urlsplit

from coinlake.clock import Clock
from coinlake.testing.faults import Delivery, Fault
from coinlake.testing.mimic import Answer, Mimic, Question
from coinlake.testing.recordings import Recording

SYNTHETIC_HEADER = "x-coinlake-synthetic"
"""The header, always `1`, of an answer that was made up rather than recorded."""

_LEAVING_S = 0.05
"""Real seconds that leaving the server takes at most."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class ReplayServer:
    """Serves from entering to leaving it as a context manager, in threads of its own.

    The first fault that strikes a call spoils its answer.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        mimic: Mimic,
        clock: Clock,
        *,
        faults: Sequence[Fault] = (),
        port: int = 0,
    ) -> None:
        """`port` 0 takes any free one."""
        self._port = port
        self._recordings = sorted(recordings, key=_moment)
        self._mimic = mimic
        self._clock = clock
        self._faults = tuple(faults)
        self._calls = 0
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> ReplayServer:
        self._http = _Http(self, self._port)
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(_LEAVING_S,), name="replay", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._thread.join()

    @property
    def root(self) -> str:
        """The URL that takes the place of the venue's root."""
        return f"http://127.0.0.1:{self._http.server_port}{self._mimic.base}"

    @property
    def calls(self) -> int:
        """How many calls were answered, well or badly."""
        return self._calls

    def deliver(self, target: str, headers: dict[str, str]) -> Delivery:
        """The answer to a request target at this moment, and how it is to be sent."""
        with self._one_at_a_time:
            self._calls += 1
            now = self._clock.now()
            answer = self._answer(target, headers, now)
            fault = next((fault for fault in self._faults if fault.strikes(self._calls)), None)
        delivery = fault.spoil(answer, now) if fault else Delivery(answer)
        dated = {"date": format_datetime(now, usegmt=True), **delivery.answer.headers}
        return replace(delivery, answer=replace(delivery.answer, headers=dated))

    def _answer(self, target: str, headers: dict[str, str], now: datetime) -> Answer:
        url = urlsplit(target)
        path = unquote(url.path)
        if not path.startswith(f"{self._mimic.base}/"):
            return Answer(404, body=f"There is nothing outside {self._mimic.base}/.".encode())
        question = Question(
            path=path.removeprefix(self._mimic.base),
            params=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
        )
        visible = self._recordings[: bisect_right(self._recordings, now, key=_moment)]
        try:
            return self._mimic.answer(question, visible, now)
        except Exception as error:  # a fault of the mimic or its recordings: whoever asked gets to see it
            return Answer(500, body=f"The replay failed: {type(error).__name__}: {error}".encode())


def _moment(recording: Recording) -> datetime:
    return recording.recorded_at or _LONG_AGO


class _Http(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, replay: ReplayServer, port: int) -> None:
        self.replay = replay
        self.leaving = threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Call)

    def close(self) -> None:
        """Stops listening, and hangs up on whoever is still connected."""
        self.shutdown()
        self.leaving.set()
        for connection in list(self.connections):
            with suppress(OSError):  # it may be gone by now
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Call(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: stderr belongs to the program."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        delivery = self.server.replay.deliver(self.path, headers)
        try:
            self._send(delivery)
        except ConnectionError:
            self.close_connection = True  # they have had enough of us, as they should

    def _send(self, delivery: Delivery) -> None:
        if delivery.silent:
            self.close_connection = True
            self.rfile.read(1)  # returns when either side hangs up
            return
        answer = delivery.answer
        length = len(answer.body) if delivery.claimed_bytes is None else delivery.claimed_bytes
        self.close_connection = self.close_connection or delivery.claimed_bytes is not None
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.synthetic:
            self.send_header(SYNTHETIC_HEADER, "1")
        self.send_header("content-length", str(length))
        self.end_headers()
        if not delivery.byte_every_s:
            self.wfile.write(answer.body)
            return
        for position in range(len(answer.body)):
            self.wfile.write(answer.body[position : position + 1])
            if self.server.leaving.wait(delivery.byte_every_s):
                return
