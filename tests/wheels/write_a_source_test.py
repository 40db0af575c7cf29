"""Somebody follows docs/write-a-source.md to the letter, in an empty folder, with nothing but the wheels."""

from __future__ import annotations

import socket
from pathlib import Path

from wheels.outsider import Outsider
from wheels.tutorial import follow

TUTORIAL = Path("docs/write-a-source.md")
_PORT = "8765"
"""Of the tutorial's venue; another one that is free takes its place here."""


def test_whoever_follows_the_tutorial_gets_what_it_shows(tmp_path: Path) -> None:
    port = _free_port()
    follow(TUTORIAL.read_text(encoding="utf-8").replace(_PORT, str(port)), Outsider(tmp_path), port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
