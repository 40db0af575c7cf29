"""Somebody follows docs/write-a-source.md to the letter, in an empty folder, with nothing but the wheels."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from wheels.outsider import Outsider

TUTORIAL = Path("docs/write-a-source.md")
_PORT = "8765"
"""Of the tutorial's venue; another one that is free takes its place here."""
_ELSEWHERE = "in another terminal"
_START_S = 30


class _Block(NamedTuple):
    """A fenced block: its language, what stands behind that on its first line, and its text."""

    language: str
    about: str
    text: str


def _blocks(text: str) -> Iterator[_Block]:
    for language, about, block in re.findall(r"^```(\w+) ?(.*)\n((?s:.*?))^```$", text, re.MULTILINE):
        yield _Block(language, about, block)


def test_whoever_follows_the_tutorial_gets_what_it_shows(tmp_path: Path) -> None:
    reader, port = Outsider(tmp_path), _free_port()
    said = ""
    with ExitStack() as terminals:
        for block in _blocks(TUTORIAL.read_text(encoding="utf-8").replace(_PORT, str(port))):
            if block.about == _ELSEWHERE:
                terminals.enter_context(_terminal(reader, block.text, port))
            elif block.language == "sh":
                said = reader(block.text)
            elif block.language == "text":
                for line in block.text.splitlines():
                    assert line.split() in [printed.split() for printed in said.splitlines()], said
            else:
                reader.write(block.about, block.text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _terminal(reader: Outsider, script: str, port: int) -> Iterator[None]:
    """Another terminal, in which a server runs that listens on a port, until the end."""
    server = reader.start(script)
    try:
        give_up_at = time.monotonic() + _START_S
        while not _listens(port):
            assert server.poll() is None, f"{script} has ended"
            assert time.monotonic() < give_up_at, f"{script} does not listen on {port}"
        yield
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True
