"""Files, folders and disks that cannot be used: each says what to do, and harms nothing."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import coinlake.sqlite
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.testing.lake_contract import DEADLINE_S, capture
from coinlake_lake.sqlite import SqliteLake

NOBODY = 65534
ORDINARY_BYTES = 100_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lake.db"


def fill(file: Path, captures: int) -> None:
    with SqliteLake(file) as lake:
        for number in range(captures):
            lake.append(capture(number))


def pages(lake: SqliteLake) -> list[int]:
    return [one.capture.page for one in lake.scan()]


def test_a_file_that_is_no_database_is_named_and_left_alone(file: Path) -> None:
    file.write_bytes(b"my diary\n" * 1000)
    with pytest.raises(FixConfiguration, match=r"lake .*/lake\.db: file is not a database\. .*backup"):
        SqliteLake(file)
    assert file.read_bytes() == b"my diary\n" * 1000
    assert list(file.parent.iterdir()) == [file]


def test_the_database_of_another_program_is_named_and_left_alone(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE captures (position INTEGER)")
    before = file.read_bytes()
    with pytest.raises(FixConfiguration, match=r"lake\.db is not a lake of Coinlake: move it away, or name"):
        SqliteLake(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_lake_of_a_newer_coinlake_is_left_to_it(file: Path) -> None:
    fill(file, 1)
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 2")
    with pytest.raises(FixConfiguration, match=r"made by a newer Coinlake \(version 2; this one knows 1\)"):
        SqliteLake(file)


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FixConfiguration, match=r"Cannot use the lake .*file/lake\.db: .*Check its folder"):
        SqliteLake(tmp_path / "file" / "lake.db")


def test_a_folder_where_the_file_should_be_is_named(file: Path) -> None:
    file.mkdir()
    with pytest.raises(FixConfiguration, match=r"Cannot use the lake .*lake\.db: unable to open"):
        SqliteLake(file)


def test_a_damaged_file_is_called_damaged_and_what_is_whole_can_be_read(file: Path) -> None:
    fill(file, 400)
    content = bytearray(file.read_bytes())
    behind = len(content) * 2 // 3
    content[behind:] = random.Random(1).randbytes(len(content) - behind)
    file.write_bytes(content)
    with SqliteLake(file) as lake:
        with pytest.raises(FixConfiguration, match=r"lake\.db is damaged: .* Restore it from a backup\.$"):
            pages(lake)
        assert [one.capture for one in lake.tail(0, captures=20, body_bytes=10_000)] == [
            capture(number) for number in range(20)
        ]


def test_a_lock_that_is_not_let_go_is_a_passing_fault(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coinlake.sqlite, "LOCK_TIMEOUT_S", 0.1)
    with SqliteLake(file) as lake, closing(sqlite3.connect(file, isolation_level=None)) as holder:
        lake.append(capture(1))
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryAgain, match=r"lake\.db now: database is locked"):
            lake.append(capture(2))
        assert pages(lake) == [1]
        holder.execute("ROLLBACK")
        assert lake.append(capture(2))


def as_an_ordinary_user(act: Callable[[], str]) -> str:
    """What `act` returns in a process that root's rights do not help."""
    processes = multiprocessing.get_context("fork")
    receiver, sender = processes.Pipe(duplex=False)

    def run() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        sender.send(act())

    process = processes.Process(target=run)
    process.start()
    sender.close()
    try:
        return str(receiver.recv())
    finally:
        process.join(DEADLINE_S)


def refusal(file: Path) -> str:
    try:
        with SqliteLake(file):
            return "opened"
    except FixConfiguration as error:
        return str(error)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder with a lake of two captures in which an ordinary user may read, and make or change nothing."""
    folder = Path(tempfile.mkdtemp())
    fill(folder / "lake.db", 2)
    (folder / "lake.db").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["lake.db", "new.db", "new/lake.db"])
def test_a_folder_without_the_right_to_write_is_named(closed_folder: Path, name: str) -> None:
    said = as_an_ordinary_user(lambda: refusal(closed_folder / name))
    assert said.startswith(f"Cannot use the lake {closed_folder / name}: ")
    assert "Check its folder's rights" in said
    closed_folder.chmod(0o755)
    (closed_folder / "lake.db").chmod(0o644)
    with SqliteLake(closed_folder / "lake.db") as lake:
        assert pages(lake) == [0, 1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, with a file `ballast` that takes 1 MB of it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "/bin/mount"
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(
            f"NOT TESTED: full disks, which need the right to mount a tmpfs: {mounted.stderr.strip()}"
        )
    (disk / "ballast").write_bytes(bytes(1024 * 1024))
    yield disk
    subprocess.run([shutil.which("umount") or "/bin/umount", disk], check=True)


def append_until_full(lake: SqliteLake, stored: list[int]) -> None:
    """Appends, and notes what is stored, until an append raises."""
    while True:
        lake.append(capture(len(stored), body=bytes(ORDINARY_BYTES)))
        stored.append(len(stored))


def test_a_full_disk_is_a_passing_fault_and_the_lake_goes_on_after_it(small_disk: Path) -> None:
    stored: list[int] = []
    with SqliteLake(small_disk / "lake.db") as lake:
        for _ in range(2):  # and again, while it is full
            with pytest.raises(TryAgain, match=r"lake\.db now: .*full.*Check its disk's free space"):
                append_until_full(lake, stored)
        assert pages(lake) == stored
        assert len(stored) > 3
        full_at = len(stored)
        (small_disk / "ballast").unlink()
        with pytest.raises(TryAgain, match="full"):
            append_until_full(lake, stored)
        assert len(stored) > full_at
    with SqliteLake(small_disk / "lake.db") as lake:
        assert pages(lake) == stored
        assert list(lake.audit()) == []


def test_a_lake_that_found_no_room_is_made_once_there_is_some(small_disk: Path) -> None:
    room = shutil.disk_usage(small_disk).free
    (small_disk / "more").write_bytes(bytes(room))
    with pytest.raises(FixConfiguration, match=r"Cannot use the lake .*(full|disk I/O).* free space"):
        SqliteLake(small_disk / "lake.db")
    (small_disk / "ballast").unlink()
    with SqliteLake(small_disk / "lake.db") as lake:
        assert lake.append(capture())
