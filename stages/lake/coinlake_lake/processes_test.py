"""Several processes on one lake, and processes that die at any moment."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from coinlake.testing.lake_contract import DEADLINE_S, capture, positions, read_until
from coinlake_lake.sqlite import SqliteLake

# Forked, so that a child is there within milliseconds; none is forked while this process has a lake open.
processes = multiprocessing.get_context("fork")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lake.db"


@pytest.fixture
def started() -> Iterator[list[ForkProcess]]:
    """Processes of the test; none outlives it."""
    running: list[ForkProcess] = []
    yield running
    for process in running:
        process.kill()
        process.join(DEADLINE_S)


def finish(running: Sequence[ForkProcess]) -> None:
    for process in running:
        process.join(DEADLINE_S)
    assert [process.exitcode for process in running] == [0] * len(running)


def test_the_tail_skips_nothing_of_several_processes(file: Path, started: list[ForkProcess]) -> None:
    writers, each = 4, 100
    begin = processes.Barrier(writers)

    def write(writer: int) -> None:
        with SqliteLake(file) as lake:
            begin.wait(DEADLINE_S)
            for number in range(each):
                lake.append(capture(number, source=f"s{writer}", body=b"x" * (number % 7) * 1500))

    for writer in range(writers):
        started.append(processes.Process(target=write, args=(writer,)))
        started[-1].start()
    with SqliteLake(file) as lake:
        found = read_until(lake, writers * each)
        finish(started)
        assert positions(found) == positions(lake.scan()) == list(range(1, writers * each + 1))
        for writer in range(writers):
            pages = [one.capture.page for one in found if one.capture.source == f"s{writer}"]
            assert pages == list(range(each))


def test_of_several_processes_that_store_the_same_each_capture_is_written_by_one(
    file: Path, started: list[ForkProcess]
) -> None:
    begin = processes.Barrier(3)
    receiver, sender = processes.Pipe(duplex=False)

    def write() -> None:
        with SqliteLake(file) as lake:
            begin.wait(DEADLINE_S)
            sender.send([lake.append(capture(number)) for number in range(50)])

    for _ in range(3):
        started.append(processes.Process(target=write))
        started[-1].start()
    finish(started)
    wrote = [receiver.recv() for _ in range(3)]
    assert [sum(each) for each in zip(*wrote, strict=True)] == [1] * 50
    with SqliteLake(file) as lake:
        assert sorted(one.capture.page for one in lake.scan()) == list(range(50))


def test_processes_that_start_at_once_make_one_lake(tmp_path: Path, started: list[ForkProcess]) -> None:
    lakes = 25
    begin = processes.Barrier(4)
    receiver, sender = processes.Pipe(duplex=False)

    def make(number: int, begin: Barrier) -> None:
        ids = []
        for which in range(lakes):
            begin.wait(DEADLINE_S)
            with SqliteLake(tmp_path / f"{which}" / "lake.db") as lake:
                ids.append(lake.id)
                lake.append(capture(number))
        sender.send(ids)

    for number in range(4):
        started.append(processes.Process(target=make, args=(number, begin)))
        started[-1].start()
    finish(started)
    seen = [receiver.recv() for _ in range(4)]
    assert [len(set(ids)) for ids in zip(*seen, strict=True)] == [1] * lakes
    for which in range(lakes):
        with SqliteLake(tmp_path / f"{which}" / "lake.db") as lake:
            assert lake.id == seen[0][which]
            assert sorted(one.capture.page for one in lake.scan()) == [0, 1, 2, 3]


def append_until_killed(file: Path, first: int, acknowledge: Connection) -> None:
    with SqliteLake(file) as lake:
        for number in count(first):
            lake.append(capture(number, body=random.Random(number).randbytes(number % 9 * 3000)))
            acknowledge.send(number)


def kill_after(file: Path, first: int, appends: int, started: list[ForkProcess]) -> list[int]:
    """Kills a process in the midst of its appends; returns the pages that it had said are stored."""
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=append_until_killed, args=(file, first, sender))
    process.start()
    started.append(process)
    sender.close()
    acknowledged = [receiver.recv() for _ in range(appends)]
    process.kill()
    process.join(DEADLINE_S)
    while True:
        try:
            acknowledged.append(receiver.recv())
        except EOFError:
            return acknowledged


def test_kill_9_loses_nothing_that_was_acknowledged(file: Path, started: list[ForkProcess]) -> None:
    acknowledged: list[int] = []
    first = 0
    for appends in (1, 2, 3, 5, 8, 13, 21, 90):
        acknowledged += kill_after(file, first, appends, started)
        with SqliteLake(file) as lake:
            pages = [one.capture.page for one in lake.scan()]
            assert set(acknowledged) <= set(pages)
            assert list(lake.audit()) == []
            assert positions(lake.scan()) == list(range(1, len(pages) + 1))
        assert len(pages) - len(set(acknowledged)) <= len(
            started
        )  # stored, and killed before it could say so
        first = max(pages) + 1


def test_a_power_cut_in_the_midst_of_a_write_costs_only_what_was_not_written(
    file: Path, tmp_path: Path, started: list[ForkProcess]
) -> None:
    acknowledged = kill_after(file, 0, 30, started)
    log = file.with_name("lake.db-wal")
    size = log.stat().st_size
    cuts = sorted(random.Random(1).sample(range(size), 20))
    kept = []
    for cut in [*cuts, size]:
        folder = tmp_path / f"cut {cut}"
        folder.mkdir()
        shutil.copy(file, folder)
        shutil.copy(log, folder)
        os.truncate(folder / log.name, cut)
        with SqliteLake(folder / file.name) as lake:
            pages = [one.capture.page for one in lake.scan()]
            assert pages == list(range(len(pages)))
            assert list(lake.audit()) == []
            assert lake.append(capture(len(pages) + 1000))
        kept.append(len(pages))
    assert kept == sorted(kept)
    assert kept[0] < kept[-1]
    assert kept[-1] >= len(acknowledged)
