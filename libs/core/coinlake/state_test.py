"""What a deployment remembers, on real files and in real processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.quota import Quota
from coinlake.state import FeedState, State

SLOT = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path) as opened:
        yield opened


def test_a_feed_nobody_scheduled_is_unknown(state: State) -> None:
    assert state.feeds() == []
    assert state.feed("coingecko", "markets") is None


def test_a_feed_is_remembered_from_schedule_to_success(state: State, tmp_path: Path) -> None:
    next_slot_at = SLOT + timedelta(minutes=3)
    state.scheduled("g", "m", cadence_s=180, next_slot_at=next_slot_at, stretched_to_s=274)
    state.missed("g", "m", cadence_s=180, slots=2)
    state.attempted("g", "m", cadence_s=180, at=SLOT)
    state.succeeded("g", "m", slot=SLOT, at=SLOT + timedelta(seconds=1))
    with State(tmp_path) as reopened:
        assert reopened.feeds() == [
            FeedState(
                source="g",
                dataset="m",
                cadence_s=180,
                last_slot=SLOT,
                last_attempt_at=SLOT,
                last_success_at=SLOT + timedelta(seconds=1),
                stretched_to_s=274,
                next_slot_at=next_slot_at,
                slots_missed=2,
            )
        ]


def test_failures_add_up_until_a_success_clears_them(state: State) -> None:
    for minute in (0, 3):
        state.attempted("g", "m", cadence_s=180, at=SLOT)
        state.failed("g", "m", slot=SLOT + timedelta(minutes=minute), error="HTTP 500")
    failed = state.feed("g", "m")
    assert failed is not None
    assert (failed.failures, failed.last_error) == (2, "HTTP 500")
    assert (failed.last_slot, failed.last_success_at) == (SLOT + timedelta(minutes=3), None)
    state.succeeded("g", "m", slot=SLOT + timedelta(minutes=6), at=SLOT)
    mended = state.feed("g", "m")
    assert mended is not None
    assert (mended.failures, mended.last_error) == (0, None)


def test_every_feed_of_a_held_source_says_until_when_and_why(state: State) -> None:
    for source, dataset in (("g", "a"), ("g", "b"), ("other", "a")):
        state.attempted(source, dataset, cadence_s=180, at=SLOT)
    Quota(state).hold("g", after_s=60, reason="banned", now=SLOT)
    held = (SLOT + timedelta(minutes=1), "banned")
    assert [(feed.held_until, feed.held_for) for feed in state.feeds()] == [held, held, (None, None)]


def test_an_attempt_that_never_finished_leaves_its_slot_unfinished(state: State) -> None:
    state.attempted("g", "m", cadence_s=180, at=SLOT)
    found = state.feed("g", "m")
    assert found is not None
    assert (found.last_attempt_at, found.last_slot) == (SLOT, None)


def test_missed_slots_of_every_thread_are_counted(state: State) -> None:
    def miss() -> None:
        for _ in range(25):
            state.missed("g", "m", cadence_s=180, slots=1)

    threads = [threading.Thread(target=miss) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = state.feed("g", "m")
    assert found is not None
    assert found.slots_missed == 100


def test_processes_that_start_at_once_make_one_file_and_lose_no_change(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from coinlake.state import State\n"
        "print('ready', flush=True); sys.stdin.read()\n"
        "with State(Path(sys.argv[1])) as state:\n"
        "    for _ in range(10):\n"
        "        state.missed('g', 'm', cadence_s=1, slots=1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(6)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(60) for process in running] == [0] * 6
    with State(tmp_path) as state:
        assert [feed.slots_missed for feed in state.feeds()] == [60]


def test_a_change_that_raises_leaves_nothing_behind(state: State) -> None:
    with pytest.raises(sqlite3.IntegrityError), state.transaction() as connection:
        connection.executemany("INSERT INTO holds VALUES (?, '', '', '')", [("g",), ("g",)])
    with state.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM holds").fetchone()[0] == 0


def test_a_full_disk_is_a_passing_fault_and_the_state_goes_on_after_it(state: State) -> None:
    with state.transaction() as connection:
        connection.execute("CREATE TABLE filler (bytes BLOB)")
    state._connection.execute("PRAGMA max_page_count = 1")  # SQLite's own "database or disk is full"
    with pytest.raises(TryAgain, match="full"), state.transaction() as connection:
        connection.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
    state._connection.execute("PRAGMA max_page_count = 1000000")
    state.attempted("g", "m", cadence_s=180, at=SLOT)
    assert len(state.feeds()) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FixConfiguration, match=r"file/state\.db"):
        State(tmp_path / "file")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database" * 100)
    with pytest.raises(FixConfiguration, match=r"state\.db: file is not a database"):
        State(tmp_path)


def test_a_file_of_a_newer_coinlake_is_refused(tmp_path: Path) -> None:
    State(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(FixConfiguration, match="newer Coinlake"):
        State(tmp_path)


def test_a_file_of_an_older_coinlake_keeps_what_it_knows_and_gets_what_is_new(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state.attempted("g", "ticks", cadence_s=60, at=datetime(2026, 3, 1, tzinfo=UTC))
    with sqlite3.connect(tmp_path / "state.db") as connection:  # as version 1 left it
        connection.executescript(
            "DROP TABLE quota_windows; DROP TABLE quota_buckets; PRAGMA user_version = 1;"
        )
    connection.close()
    with State(tmp_path) as state, state.transaction() as connection:
        assert state.feed("g", "ticks") is not None
        assert connection.execute("SELECT count(*) FROM quota_buckets").fetchone()[0] == 0
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
