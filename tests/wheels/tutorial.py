"""A tutorial, followed to the letter: commands are run, files are saved, and what it shows must be printed.

The language of a fenced block says what to do with it: `sh` runs, `text` is what the last command printed
(line by line), anything else is saved as the file named behind the language. `sh in another terminal` is a
server that runs until the end.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from wheels.outsider import Outsider

_ELSEWHERE = "in another terminal"
_START_S = 30


class Block(NamedTuple):
    """A fenced block: its language, what stands behind that on its first line, and its text."""

    language: str
    about: str
    text: str


def blocks(tutorial: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = re.findall(r"^```(\w+) ?(.*)\n((?s:.*?))^```$", tutorial, re.MULTILINE)
    return [Block(*block) for block in found]


def follow(tutorial: str, reader: Outsider, port: int) -> None:
    """Does all that a page says; its servers listen on `port`."""
    said = ""
    with ExitStack() as terminals:
        for block in blocks(tutorial):
            if block.about == _ELSEWHERE:
                terminals.enter_context(_terminal(reader, block.text, port))
            elif block.language == "sh":
                said = reader(block.text)
            elif block.language == "text":
                for line in block.text.splitlines():
                    assert line.split() in [printed.split() for printed in said.splitlines()], said
            else:
                reader.write(block.about, block.text)


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
