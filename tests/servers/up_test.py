"""`./pants run tests/servers:up`: servers for people, up again when killed, and gone with the program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from servers import up

pytestmark = pytest.mark.usefixtures("mongod_program", "kafka_program")

_TIMEOUT_S = 60
_LOOK_AGAIN_S = 0.05


@contextmanager
def running(*servers: str, place: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, in a terminal of its own, with its files under a place of ours."""
    program = subprocess.Popen(
        [sys.executable, "-m", up.__name__, *servers],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def said(program: subprocess.Popen[str], last: str) -> str:
    """What the program says up to a line with these words."""
    lines: list[str] = []
    assert program.stdout is not None
    while not lines or last not in lines[-1]:
        lines.append(program.stdout.readline())
        assert lines[-1], "".join([*lines, _rest(program.stderr)])
    return "".join(lines)


def _rest(stream: IO[str] | None) -> str:
    return stream.read() if stream is not None else ""


def processes_of(place: Path) -> dict[int, str]:
    """The processes that have a file or a folder under a place in their arguments, with their names."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_text(errors="replace").split("\0")
        except OSError:  # it ended meanwhile
            continue
        if any(str(place) in argument for argument in arguments):
            found[int(process.name)] = Path(arguments[0]).name
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_AGAIN_S)


def test_all_three_serve_at_the_addresses_that_are_printed(tmp_path: Path) -> None:
    with running(place=tmp_path) as program:
        printed = said(program, "until Ctrl-C")
        for uri in re.findall(r"mongodb://[^\s']+", printed):
            with MongoClient[dict[str, int]](uri) as client:
                client.trial.numbers.insert_one({"_id": int(client.trial.numbers.count_documents({}))})
        (kafka,) = re.findall(r"kcat -b (\S+)", printed)
        assert AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=_TIMEOUT_S).brokers
        (dsn,) = re.findall(r"psql '(\S+)'", printed)
        psycopg.connect(dsn).close()
        program.send_signal(signal.SIGINT)
        assert program.wait(_TIMEOUT_S) == 0
        assert processes_of(tmp_path) == {}
        assert list(tmp_path.iterdir()) == []


def test_a_killed_server_is_up_again_with_what_it_kept(tmp_path: Path) -> None:
    with running("postgres", place=tmp_path) as program:
        (dsn,) = re.findall(r"psql '(\S+)'", said(program, "until Ctrl-C"))
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
        (pid_file,) = tmp_path.glob("*/postgres/pgdata/postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        said(program, "Postgres had ended; it is up again.")
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (1,)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_the_program_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    with running(place=tmp_path) as program:
        said(program, "until Ctrl-C")
        assert {"mongod", "java", "postgres"} <= set(processes_of(tmp_path).values())
        program.send_signal(how)
        program.wait(_TIMEOUT_S)
        wait_until(lambda: processes_of(tmp_path) == {})


def test_a_server_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with running("oracle", place=tmp_path) as program:
        assert program.wait(_TIMEOUT_S) == 2
        assert "there is no oracle; there are mongo, kafka, postgres" in _rest(program.stderr)
