"""The embedded warehouse, with the wheel's real programs, on folders that a shell would stumble over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coinlake_warehouse import embedded, postgres
from coinlake_warehouse.embedded import READER, EmbeddedServer
from coinlake_warehouse.migrations import migrate
from coinlake_warehouse.rights import grant_reader

_PROGRAM = """
import sys
from pathlib import Path
from coinlake_warehouse.embedded import EmbeddedServer

with EmbeddedServer(Path(sys.argv[1]), durable=False):
    print("up", flush=True)
    sys.stdin.read()
print("down", flush=True)
"""
_ORDINARY_USER = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
_DEADLINE_S = 60

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can do this; run as root")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / """a folder's "name" with $HOME; of ü and ☂ \\ x"""


@pytest.fixture
def programs() -> Iterator[ExitStack]:
    """Ends the programs of a test, and with the last of them their server."""
    with ExitStack() as stack:
        yield stack


@contextmanager
def program(folder: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that uses the folder's server until its standard input is closed."""
    running = subprocess.Popen(
        [*before, sys.executable, "-c", _PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    try:
        yield running
    finally:
        running.communicate(timeout=_DEADLINE_S)


def is_up(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    assert running.stderr is not None
    assert running.stdout.readline() == "up\n", running.stderr.read()


def leave(running: subprocess.Popen[str]) -> None:
    said, complaint = running.communicate(timeout=_DEADLINE_S)
    assert said == "down\n", complaint


def eventually(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def postmaster(folder: Path) -> int:
    return int((folder / "pgdata" / "postmaster.pid").read_text().split("\n", 1)[0])


def processes() -> Iterator[tuple[int, int, str]]:
    """Number, parent and state of each process of the machine."""
    if Path("/proc/self/stat").exists():
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended as we looked
                state, parent = stat.read_text().rpartition(") ")[2].split()[:2]
                yield int(stat.parent.name), int(parent), state
    else:
        shown = subprocess.run(["ps", "-axo", "pid=,ppid=,stat="], capture_output=True, text=True)
        for pid, parent, state in map(str.split, shown.stdout.splitlines()):
            yield int(pid), int(parent), state


def children(of: int) -> list[int]:
    return [pid for pid, parent, _ in processes() if parent == of]


def is_alive(sought: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent does not."""
    return any(pid == sought and not state.startswith("Z") for pid, _, state in processes())


def ask(dsn: str, question: str) -> Any:
    with psycopg.connect(dsn, autocommit=True) as connection:
        answer = connection.execute(question)
        row = answer.fetchone() if answer.description else None
        return row and row[0]


def keep_a_row(server: EmbeddedServer) -> None:
    ask(server.dsn, "CREATE TABLE kept AS SELECT 42 AS number")


def kept_row(server: EmbeddedServer) -> Any:
    return ask(server.dsn, "SELECT number FROM kept")


def test_a_folder_becomes_a_real_durable_postgresql_that_speaks_utf8_and_utc(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        assert ask(server.dsn, "SHOW server_version").split(".")[0] == postgres.MAJOR
        assert ask(server.dsn, "SELECT current_database()") == "coinlake"
        kind = "SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()"
        assert ask(server.dsn, kind) == "C C.UTF-8"
        expected = {
            "server_encoding": "UTF8",
            "timezone": "UTC",
            "data_checksums": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
        }
        assert {name: ask(server.dsn, f"SHOW {name}") for name in expected} == expected
        assert ask(server.dsn, "SELECT lower('ÄÉ')") == "äé"


def test_it_listens_on_loopback_alone_and_answers_to_no_one_without_the_password(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False) as server:
        assert ask(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(server.dsn, "SHOW unix_socket_directories") == ""
        for password in ("", "password=wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(
                    f"host=127.0.0.1 port={server.port} user=coinlake dbname=coinlake passfile=/dev/null "
                    + password
                )


def test_passwords_lie_in_files_for_their_owner_and_nowhere_else(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False) as server:
        migrate(server.dsn)
        grant_reader(server.dsn, READER, server.reader_password)
        assert ask(server.reader_dsn, "SELECT current_user") == "reader"
        secrets = {(folder / f"{login}.password").read_bytes() for login in ("coinlake", "reader")}
        shown = []
        for pid in (postmaster(folder), *children(postmaster(folder))):
            with suppress(FileNotFoundError, ProcessLookupError):  # a session just ending, or no /proc
                shown += [Path(f"/proc/{pid}/{part}").read_bytes() for part in ("cmdline", "environ")]
    for file in folder.rglob("*"):
        if file.suffix == ".password":
            assert file.stat().st_mode & 0o777 == 0o600
        elif file.is_file():
            shown.append(file.read_bytes())
    assert len(secrets) == 2
    assert not any(secret in text for secret in secrets for text in shown)


def test_rows_outlive_a_stop_and_the_port_stays_though_sessions_were_open(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False) as server:
        keep_a_row(server)
        port = server.port
        session = psycopg.connect(server.dsn)
    session.close()
    with EmbeddedServer(folder, durable=False) as server:
        assert (kept_row(server), server.port) == (42, port)


def test_a_port_that_another_program_has_taken_meanwhile_is_exchanged_for_a_free_one(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False) as server:
        port = server.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with EmbeddedServer(folder, durable=False) as server:
            assert server.port != port
            assert ask(server.dsn, "SELECT 1") == 1


def test_a_port_that_is_taken_between_our_look_and_the_servers_is_exchanged_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        stolen = [other.getsockname()[1]]
        look = embedded._free_port
        monkeypatch.setattr(embedded, "_free_port", lambda wanted: stolen.pop() if stolen else look(wanted))
        with EmbeddedServer(folder, durable=False) as server:
            assert server.port != other.getsockname()[1]
            assert ask(server.dsn, "SELECT 1") == 1


def test_start_revives_a_killed_server_and_every_committed_row(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        keep_a_row(server)
        with psycopg.connect(server.dsn):
            os.kill(postmaster(folder), signal.SIGKILL)
            assert kept_row(server.start()) == 42


def test_a_server_whose_killed_predecessor_still_has_children_at_work_waits_for_them(folder: Path) -> None:
    with ThreadPoolExecutor() as aside, EmbeddedServer(folder) as server:
        keep_a_row(server)
        with psycopg.connect(server.dsn) as session:
            os.kill(session.info.backend_pid, signal.SIGSTOP)
            try:
                os.kill(postmaster(folder), signal.SIGKILL)
                start = aside.submit(server.start)
                eventually(lambda: "still in use" in (folder / "start.log").read_text())
                assert not start.done()
            finally:
                os.kill(session.info.backend_pid, signal.SIGKILL)
            assert kept_row(start.result()) == 42


def test_a_pid_file_left_by_a_power_cut_is_overcome_though_its_number_is_another_programs_now(
    folder: Path, programs: ExitStack
) -> None:
    file = folder / "pgdata" / "postmaster.pid"
    other = programs.enter_context(subprocess.Popen(["sleep", "600"]))
    programs.callback(other.kill)
    with EmbeddedServer(folder) as server:
        keep_a_row(server)
        pid = postmaster(folder)
        everyone = [pid, *children(pid)]
        for sent in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none of them tidies up
            for process in everyone:
                with suppress(ProcessLookupError):  # a session that was just ending
                    os.kill(process, sent)
        eventually(lambda: not is_alive(pid))
        file.write_text(file.read_text().replace(str(pid), str(other.pid), 1))
        assert kept_row(server.start()) == 42
        assert is_alive(other.pid)


def test_programs_share_one_server_and_the_last_to_leave_stops_it(folder: Path, programs: ExitStack) -> None:
    first, second = (programs.enter_context(program(folder)) for _ in range(2))
    is_up(first)
    pid = postmaster(folder)
    is_up(second)
    assert postmaster(folder) == pid
    leave(first)
    with EmbeddedServer(folder, durable=False) as third:
        keep_a_row(third)
        leave(second)
        assert postmaster(folder) == pid
        assert kept_row(third) == 42
    eventually(lambda: not is_alive(pid))
    assert not (folder / "pgdata" / "postmaster.pid").exists()


def test_programs_that_start_at_once_in_a_new_folder_get_one_server(
    folder: Path, programs: ExitStack
) -> None:
    started = [programs.enter_context(program(folder)) for _ in range(4)]
    for each in started:
        is_up(each)
    pid = postmaster(folder)
    assert len(list(folder.glob("pgdata*"))) == 1
    for each in started:
        assert is_alive(pid)
        leave(each)
    eventually(lambda: not is_alive(pid))


def test_a_server_left_behind_by_killed_programs_is_taken_over_and_then_stopped(
    folder: Path, programs: ExitStack
) -> None:
    killed = [programs.enter_context(program(folder)) for _ in range(2)]
    for each in killed:
        is_up(each)
    for each in killed:
        os.killpg(each.pid, signal.SIGKILL)
        each.wait()
    pid = postmaster(folder)
    assert is_alive(pid)
    (folder / "port").write_text("1")  # as if another had been about to start one, and was killed as well
    with EmbeddedServer(folder, durable=False) as server:
        assert postmaster(folder) == pid
        assert ask(server.dsn, "SELECT 1") == 1
    eventually(lambda: not is_alive(pid))


@pytest.mark.parametrize("made", ["PG_VERSION", "global/pg_control", "postgresql.conf"])
@pytest.mark.parametrize("survives", [False, True], ids=["initdb_dies_too", "initdb_goes_on"])
def test_a_kill_while_the_files_are_made_leaves_nothing_half_made(
    folder: Path, programs: ExitStack, made: str, survives: bool
) -> None:
    killed = programs.enter_context(program(folder))
    eventually(lambda: list(folder.glob(f"pgdata.new-*/{made}")) or (folder / "pgdata").exists())
    if survives:
        killed.kill()
    else:
        os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    with EmbeddedServer(folder, durable=False) as server:
        keep_a_row(server)
        assert kept_row(server) == 42


def test_a_kill_before_the_database_was_made_is_made_good(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False) as server:
        ask(server.dsn.removesuffix("coinlake") + "postgres", "DROP DATABASE coinlake")
        with EmbeddedServer(folder, durable=False) as later:
            assert ask(later.dsn, "SELECT 1") == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="NOT TESTED: needs /proc to see open files")
def test_the_server_hears_no_ctrl_c_of_our_terminal_and_holds_no_lock_of_ours(folder: Path) -> None:
    with EmbeddedServer(folder, durable=False):
        pid = postmaster(folder)
        assert os.getsid(pid) == pid != os.getsid(0)
        opened = []
        for process in (pid, *children(pid)):
            with suppress(FileNotFoundError, ProcessLookupError):  # a session that was just ending
                opened += [os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir()]
        assert str(folder / "start.log") in opened
        assert not [path for path in opened if path.endswith(".lock")]


def test_a_program_stopped_by_ctrl_c_stops_the_server_it_was_alone_with(
    folder: Path, programs: ExitStack
) -> None:
    stopped = programs.enter_context(program(folder))
    is_up(stopped)
    pid = postmaster(folder)
    os.killpg(stopped.pid, signal.SIGINT)
    eventually(lambda: not is_alive(pid))


@only_root
def test_an_ordinary_user_gets_a_server_too(folder: Path, programs: ExitStack) -> None:
    """Within a user namespace root is an ordinary user: no rights but those of the files' owner."""
    ordinary = programs.enter_context(program(folder, *_ORDINARY_USER))
    is_up(ordinary)
    with EmbeddedServer(folder, durable=False) as server:
        keep_a_row(server)
        leave(ordinary)
        assert kept_row(server) == 42
