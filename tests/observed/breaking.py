"""Breaks a running scene when it is asked to over HTTP, and says when the alert that tells of it has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from observed.faults import FAULTS, Fault
from observed.listener import Notice
from observed.scene import Scene
from servers.answering import Answer, Answering

_PATIENCE_S = 120
_LOOK_AGAIN_S = 0.1


class Breaking(Answering):
    """`POST /FAULT` breaks, `POST /mend` makes all well again, `GET /` says what there is."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene = scene
        self._one_at_a_time = threading.Lock()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Plain text, a line as soon as it is true."""
        name = path.strip("/")
        if method == "POST" and name == "mend":
            return _text(self._mend())
        if method == "POST" and name in FAULTS:
            return _text(self._break(FAULTS[name]))
        if method == "GET" and not name:
            return _text(self._there_is())
        return _text(iter([f"There is no {method} /{name} here.", *self._there_is()]), status=404)

    def _there_is(self) -> Iterator[str]:
        yield from (f"curl -X POST {self.root}/{name:<14} # {fault.what}" for name, fault in FAULTS.items())
        yield f"curl -X POST {self.root}/{'mend':<14} # All is made well again."

    def _break(self, fault: Fault) -> Iterator[str]:
        with self._one_at_a_time:
            told, began = len(self._scene.watching.listener.notices), time.monotonic()
            fault.happen(self._scene)
        yield f"{fault.what} {fault.alert} is to tell of it."
        while time.monotonic() - began < _PATIENCE_S:
            for notice in self._scene.watching.listener.notices[told:]:
                if (notice.alert, notice.status) == (fault.alert, "firing") and fault.text in notice.text:
                    yield f"After {notice.at - began:.0f} s: {line(notice)}"
                    yield f"What to do: ops/runbooks/{notice.alert}.md"
                    return
            time.sleep(_LOOK_AGAIN_S)
        yield f"Within {_PATIENCE_S} s nobody was told. Is something else broken? That may hold it back."

    def _mend(self) -> Iterator[str]:
        with self._one_at_a_time:
            self._scene.mend()
        yield "All is well again. Most alerts end within half a minute; objectives remember for longer."


def line(notice: Notice) -> str:
    """A notice for people."""
    return f"{notice.receiver} is told: {notice.status} {notice.alert}: {notice.text}"


def _text(lines: Iterator[str], status: int = 200) -> Answer:
    parts = (f"{line}\n".encode() for line in lines)
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, parts)
