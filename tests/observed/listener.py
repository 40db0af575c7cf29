"""Where Alertmanager posts to: each message as it came, whom it was meant for, and what it says of alerts."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass

from servers.answering import Answer, Answering

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


class Listener(Answering):
    """A webhook for each receiver, from entering to leaving it."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[Notice] = []
        """All that came, oldest first."""

    def url(self, receiver: str) -> str:
        """Where this receiver's messages go."""
        return f"{self.root}/{receiver}"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Takes down a message, every line of which must be one about an alert."""
        for attachment in json.loads(body)["attachments"]:
            for line in attachment["text"].strip().splitlines():
                found = _LINE.match(line.strip())
                assert found, line
                self.notices.append(
                    Notice(time.monotonic(), path.removeprefix("/"), found[1], found[2], found[3])
                )
        return Answer()
