"""An HTTP server of a test's own, on a free port of loopback, for as long as it is entered."""

from __future__ import annotations

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from servers.ports import HOST

_LOOK_FOR_THE_END_S = 0.02


@dataclass(frozen=True)
class Answer:
    """What a caller gets; of several parts, each as soon as it is there."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Iterable[bytes] = ()


class Answering(ABC):
    """A thread for each caller, so one that waits keeps nobody else waiting."""

    def __init__(self) -> None:
        self._http = _Http((HOST, 0), self._handler())
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(_LOOK_FOR_THE_END_S,), daemon=True
        )

    @abstractmethod
    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """For GET and POST; the path is what the caller wrote, with its query."""

    @property
    def root(self) -> str:
        """Its address, without a path."""
        return f"http://{HOST}:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["content-length"] or 0)))

            def _answer(self, body: bytes) -> None:
                answer = server.answer(self.command, self.path, body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()  # HTTP/1.0: the answer ends with its connection
                for part in answer.parts:
                    self.wfile.write(part)
                    self.wfile.flush()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *caller: Any) -> None:
        """Says nothing of callers that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*caller)
