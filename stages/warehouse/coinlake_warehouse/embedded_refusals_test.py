"""What the embedded warehouse says where a person must act, and that it is well once they did."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from coinlake.errors import FixConfiguration, TryAgain
from coinlake_warehouse import embedded, postgres
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.postgres import Cluster, StillInUse

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can do this; run as root")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a warehouse"


@only_root
def test_root_without_user_namespaces_is_told_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres._unprivileged.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FixConfiguration, match=r"as an ordinary user, or give `warehouse\.dsn`"):
        EmbeddedServer(folder, durable=False).start()


@only_root
def test_another_users_warehouse_is_refused_and_left_as_it_is(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False):
        pass
    os.chown(folder / "pgdata", 65534, 65534)
    with pytest.raises(FixConfiguration, match="belongs to another user"):
        EmbeddedServer(folder, durable=False).start()


def test_files_of_another_major_version_are_refused_with_what_to_do_and_left_as_they_are(
    folder: Path,
) -> None:
    (folder / "pgdata").mkdir(parents=True)
    (folder / "pgdata" / "PG_VERSION").write_text("12\n")
    with pytest.raises(FixConfiguration, match=r"made by PostgreSQL 12; .* use the Coinlake that made it"):
        EmbeddedServer(folder, durable=False).start()
    assert [file.name for file in (folder / "pgdata").iterdir()] == ["PG_VERSION"]


def test_a_server_that_cannot_start_has_its_last_words_repeated(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False):
        pass
    (folder / "pgdata" / "postgresql.auto.conf").write_text("work_mem = 'plenty'\n")
    with pytest.raises(TryAgain, match=r"(?s)ended as it started.*work_mem.*plenty"):
        EmbeddedServer(folder, durable=False).start()


def test_last_words_that_reach_the_log_late_are_waited_for(folder: Path) -> None:
    server = Cluster(folder / "pgdata", durable=False)
    server.logs.mkdir(parents=True)
    (folder / "start.log").touch()
    log = server.logs / "postgresql-Tue.log"
    late = threading.Timer(0.3, log.write_text, ['FATAL:  lock file "postmaster.pid" already exists'])
    late.start()
    try:
        assert isinstance(server.why_it_ended(), StillInUse)
    finally:
        late.join()


def test_a_complaint_of_yesterday_is_not_taken_for_one_of_today(folder: Path) -> None:
    with (
        EmbeddedServer(folder, durable=False) as server,
        psycopg.connect(server.dsn) as connection,
        pytest.raises(psycopg.errors.RaiseException),
    ):
        connection.execute("DO $$ BEGIN RAISE EXCEPTION 'No space left on device'; END $$")
    (folder / "pgdata" / "postgresql.auto.conf").write_text("work_mem = 'plenty'\n")
    with pytest.raises(TryAgain, match="plenty"):
        EmbeddedServer(folder, durable=False).start()


def test_a_lost_password_is_named_with_what_to_do_and_who_was_refused_keeps_no_server_up(
    folder: Path,
) -> None:
    refused = EmbeddedServer(folder, durable=False)
    with EmbeddedServer(folder, durable=False):
        (folder / "coinlake.password").rename(folder / "elsewhere")
        with pytest.raises(FixConfiguration, match=r"coinlake\.password is not that of the warehouse"):
            refused.start()
        (folder / "elsewhere").replace(folder / "coinlake.password")
        assert (folder / "pgdata" / "postmaster.pid").exists()
    assert not (folder / "pgdata" / "postmaster.pid").exists()
    with refused.start() as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_program_that_hangs_while_it_starts_the_server_is_not_waited_for_forever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_TURN_TIMEOUT_S", 0.1)
    folder.mkdir()
    hanging, waiting = (EmbeddedServer(folder, durable=False) for _ in range(2))
    with hanging._starting(), pytest.raises(TryAgain, match="Another program has been starting or stopping"):
        waiting.start()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of 24 MiB."""
    disk = tmp_path / "small disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"NOT TESTED: no disk can be made small here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("left_bytes", [0, 10_000_000], ids=["nothing_left", "a_little_left"])
def test_a_disk_too_full_for_the_first_start_is_named_and_with_space_all_is_well(
    small_disk: Path, left_bytes: int
) -> None:
    (small_disk / "filling").write_bytes(bytes(shutil.disk_usage(small_disk).free - left_bytes))
    server = EmbeddedServer(small_disk / "warehouse")
    with pytest.raises(FixConfiguration, match="is full: free some space"):
        server.start()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    with server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_disk_too_full_to_recover_on_is_named_and_with_space_all_is_well(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    with EmbeddedServer(small_disk / "warehouse") as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
            # Gone, but recovery writes it once more before it comes to that.
            connection.execute("CREATE TABLE gone (filling text)")
            connection.execute("INSERT INTO gone SELECT repeat('x', 1000) FROM generate_series(1, 8000)")
            connection.execute("DROP TABLE gone")
        pid = int((small_disk / "warehouse" / "pgdata" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)
        (small_disk / "filling").write_bytes(bytes(shutil.disk_usage(small_disk).free - 300_000))
        with pytest.raises(FixConfiguration, match="is full: free some space"):
            server.start()
        (small_disk / "filling").unlink()
        server.start()
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
