"""Where Alertmanager posts to: each message as it came, whom it was meant for, and what it says of alerts."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_LINE = re.compile(r"^(firing|resolved) (\w+): (.*) See ops/runbooks/\2\.md$")


@dataclass(frozen=True)
class Notice:
    """A line of a message: what it says of one alert."""

    at: float
    """By `time.monotonic`."""
    receiver: str
    status: str
    alert: str
    text: str


class Listener:
    """A webhook for each receiver, from entering to leaving it."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        """All that came, oldest first."""

    def url(self, receiver: str) -> str:
        """Where this receiver's messages go."""
        return f"http://127.0.0.1:{self._http.server_port}/{receiver}"

    def __enter__(self) -> Self:
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def heard(self, receiver: str, text: str) -> None:
        """Takes down a message, every line of which must be one about an alert."""
        for line in text.strip().splitlines():
            found = _LINE.match(line.strip())
            assert found, line
            self.notices.append(Notice(time.monotonic(), receiver, found[1], found[2], found[3]))


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: Listener) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.listener = listener


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for attachment in body["attachments"]:
            self.server.listener.heard(self.path.removeprefix("/"), attachment["text"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""
