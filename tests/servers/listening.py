"""What the programs that watch have in common: a folder, ports of their own, and a page that says ready."""

from __future__ import annotations

import urllib.request
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError

from servers.ports import HOST, Port
from servers.process import Process
from servers.server import Server

_ANSWER_TIMEOUT_S = 2


class Listening(Server):
    """A program in a folder that serves HTTP on a port of its own, and has an address for people."""

    name: ClassVar[str]
    """Of its log, in the folder."""
    doors: ClassVar[tuple[str, ...]] = ("http",)
    """Names of its ports; the first is the one that people open."""
    ready_path: ClassVar[str] = "/"
    """What it answers with 200 once it serves, at its last port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = {door: Port(self.folder / f"{door}.port") for door in self.doors}
        self._process = Process(self.folder, self.name)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program with its arguments; raises `fetch.Missing` where it is not there."""

    def environment(self) -> Mapping[str, str] | None:
        """Its variables; None gives it ours."""
        return None

    def address(self, door: str = "") -> str:
        """Host and port of one of its doors, the first unless named."""
        return f"{HOST}:{self._ports[door or self.doors[0]].number}"

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{self.address()}"

    @property
    def runs(self) -> bool:
        return self._process.runs

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def start(self) -> None:
        self._process.start(self.command(), self._answers, self.environment())

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.stop()
        for port in self._ports.values():
            port.release()

    def how_to_reach(self) -> str:
        return f"{type(self).__name__:<11} {self.url}\n            curl {self.url}{self.ready_path}"

    def last_words(self) -> str:
        return self._process.last_words()

    def _answers(self) -> bool:
        asked = f"http://{self.address(self.doors[-1])}{self.ready_path}"
        with suppress(URLError, OSError), urllib.request.urlopen(asked, timeout=_ANSWER_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
        return False
