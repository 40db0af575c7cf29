"""The embedded warehouse: a real PostgreSQL from a wheel, in a folder, on loopback.

Every program that works on the folder holds a shared lock on `server.lock` for as long as it does. Whoever
comes first starts the server, and whoever leaves last (who can have that lock alone) stops it. Killed
programs lose their locks by the kernel's hand; the server they leave behind is taken over by the next.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from types import TracebackType

import psycopg

from coinlake.errors import FixConfiguration, TryAgain
from coinlake_warehouse import postgres
from coinlake_warehouse.connection import connect, explained
from coinlake_warehouse.postgres import Cluster, StillInUse

OWNER = "coinlake"
READER = "reader"
_DATABASE = "coinlake"
_HOST = "127.0.0.1"

START_TIMEOUT_S = 300
"""The longest a start may take; recovery after a crash is a part of it."""
_STOP_TIMEOUT_S = 60
_RETRY_TIMEOUT_S = 30
"""How long the children of a killed server may go on holding its memory."""
_TURN_TIMEOUT_S = 600
"""How long we wait while another program makes, starts or stops the server: longer than all of that takes."""
_CONNECT_TIMEOUT_S = 5
_LOOK_AGAIN_S = 0.05


class EmbeddedServer:
    """The server of one folder, shared by all programs that use it; a context manager.

    `durable=False` trades safety on power cuts for speed, for tests. Raises `FixConfiguration` where a person
    must act (another version's files, a folder of another user's, root without user namespaces) and
    `TryAgain` where the server does not come up.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder.absolute()
        self._cluster = Cluster(self._folder / "pgdata", durable=durable)
        self._child: Popen[bytes] | None = None
        self._using: int | None = None
        self._port = 0
        self._one_at_a_time = threading.RLock()

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Address for the owner, who loads; holds the password."""
        return self._dsn(OWNER, _DATABASE)

    @property
    def reader_dsn(self) -> str:
        """Address for people, who read; holds the password. The login is made by `rights.grant_reader`."""
        return self._dsn(READER, _DATABASE)

    @property
    def reader_password(self) -> str:
        """The reader's password, which also lies in `reader.password` in the folder."""
        return self._password(READER)

    @property
    def port(self) -> int:
        """The port on loopback; the same at each start as long as it is free."""
        return self._port

    def start(self) -> EmbeddedServer:
        """Brings the server up, or joins the one that is; doing it again revives one that died."""
        with self._one_at_a_time:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._start()
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise postgres.disk_full(self._folder) from None
                raise FixConfiguration(
                    f"Cannot use the warehouse's folder {self._folder}: {error.strerror}. "
                    "Check its rights and free space, or give another folder."
                ) from None
            return self

    def stop(self) -> None:
        """Leaves the server; the last to leave stops it, and waits until it is down."""
        with self._one_at_a_time:
            if self._using is not None:
                with self._starting():
                    self._leave(self._using)

    def _start(self) -> None:
        with self._starting():
            joins = self._using is None
            self._using = using = self._use() if self._using is None else self._using
            try:
                if not self._answers():
                    self._cluster.prepare(self._password_file(OWNER))
                    self._bring_up()
                self._make_database()
            except BaseException:
                if joins:
                    self._leave(using)
                raise

    def _leave(self, using: int) -> None:
        try:
            if _try_lock(using, fcntl.LOCK_EX):
                self._take_down()
        finally:
            os.close(using)
            self._using = None
            self._let_go_of_child()

    def _let_go_of_child(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # it goes on for others; Popen need not mind
        self._child = None

    def _bring_up(self) -> None:
        deadline = time.monotonic() + _RETRY_TIMEOUT_S
        while True:
            try:
                return self._launch()
            except StillInUse:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_LOOK_AGAIN_S)

    def _launch(self) -> None:
        """Starts the server process and waits until it answers. `StillInUse` if it is to be tried again."""
        running = self._cluster.running()
        if running is None:
            self._let_go_of_child()
            port = _free_port(self._kept_port())
            (self._folder / "port").write_text(str(port), encoding="ascii")
            self._child = self._cluster.launch(port)
        elif self._child is not None and self._child.pid != running.pid:
            self._let_go_of_child()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._child is not None and self._child.poll() is not None:
                raise self._cluster.why_it_ended()
            if self._child is None and self._cluster.running() is None:
                raise StillInUse(f"The embedded PostgreSQL in {self._folder} ended while we waited for it.")
            if time.monotonic() > deadline:
                raise TryAgain(
                    f"The embedded PostgreSQL in {self._folder} did not come up within {START_TIMEOUT_S} s. "
                    f"Its log: {self._cluster.logs}"
                )
            time.sleep(_LOOK_AGAIN_S)

    def _take_down(self) -> None:
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        told: int | None = None
        while (pid := self._server_pid()) is not None:
            if pid != told:
                with suppress(ProcessLookupError):
                    os.kill(
                        pid, signal.SIGINT
                    )  # PostgreSQL's "fast": ends sessions, keeps what was committed
                told = pid
            if time.monotonic() > deadline:
                raise TryAgain(
                    f"The embedded PostgreSQL in {self._folder} did not stop within {_STOP_TIMEOUT_S} s; "
                    f"nothing is lost. Its log: {self._cluster.logs}"
                )
            time.sleep(_LOOK_AGAIN_S)

    def _server_pid(self) -> int | None:
        """Of the server, which may be so young that it has not yet written its pid file."""
        if self._child is not None and self._child.poll() is None:
            return self._child.pid
        running = self._cluster.running()
        return running.pid if running else None

    def _answers(self) -> bool:
        """Whether the server of this folder takes connections; its own pid file says on which port."""
        running = self._cluster.running()
        if running is None:
            return False
        self._port = running.port
        try:
            with psycopg.connect(self._dsn(OWNER, "postgres"), connect_timeout=_CONNECT_TIMEOUT_S):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise FixConfiguration(
                    f"The password in {self._password_file(OWNER)} is not that of the warehouse beside it: "
                    "put the right file back, or move the folder away and let `coinlake run` load the lake "
                    "into a new one."
                ) from None
            return False

    def _make_database(self) -> None:
        dsn = self._dsn(OWNER, "postgres")
        with explained(dsn), connect(dsn, "start") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,))
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {_DATABASE}")

    def _use(self) -> int:
        using = os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(using, fcntl.LOCK_SH)  # cannot block: it is had alone only by who has `start.lock`
        return using

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Alone among all programs: nobody else starts, joins or stops the server meanwhile."""
        descriptor = os.open(self._folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + _TURN_TIMEOUT_S
            while not _try_lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise TryAgain(
                        f"Another program has been starting or stopping the PostgreSQL in {self._folder} for "
                        f"{_TURN_TIMEOUT_S} s: end that program, and start again. Nothing is lost."
                    )
                time.sleep(_LOOK_AGAIN_S)
            yield
        finally:
            os.close(descriptor)

    def _dsn(self, login: str, database: str) -> str:
        return f"postgresql://{login}:{self._password(login)}@{_HOST}:{self._port}/{database}"

    def _password(self, login: str) -> str:
        return self._password_file(login).read_text(encoding="ascii")

    def _password_file(self, login: str) -> Path:
        file = self._folder / f"{login}.password"
        if not file.exists():
            postgres.write_whole(file, secrets.token_urlsafe(24))
        return file

    def _kept_port(self) -> int:
        try:
            return int((self._folder / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_port(wanted: int) -> int:
    """`wanted` if it is free, else any other."""
    for port in (wanted, 0):
        with postgres.listening(_HOST, port) as found:
            if found:
                return found
    raise TryAgain(f"There is no free port on {_HOST}: close some programs, and try again.")
