"""PostgreSQL for what loads a warehouse of its user's own: by TCP, with a password, and to be killed.

The server itself is the embedded warehouse's; here it also has a guard, and can be killed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from coinlake_warehouse.embedded import EmbeddedServer
from servers.ports import Port
from servers.process import Guard, last_lines
from servers.server import Server


class Postgres(Server):
    """A server in a folder, which keeps what it committed whatever happens.

    Started again on its folder it has its data back, and its port unless another took it. Raises the errors
    of `EmbeddedServer`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = Port(self._folder / "port")  # where the embedded server looks for the port to take
        self._pid_file = self._folder / "pgdata" / "postmaster.pid"
        self._embedded = EmbeddedServer(self._folder)
        self._guard: Guard | None = None
        self._pid = 0

    @property
    def dsn(self) -> str:
        """Address of the database `coinlake` for its owner, who may do anything; holds the password."""
        return self._embedded.dsn

    @property
    def pid(self) -> int:
        """Of its first process, the parent of its sessions'."""
        return self._pid

    @property
    def runs(self) -> bool:
        return self._pid > 0 and not _ended(self._pid, os.WNOHANG)

    def start(self) -> None:
        self._guard = Guard(self._pid_file)
        try:
            self._embedded.start()
        except BaseException:
            self._dismiss_guard()
            raise
        self._pid = int(self._pid_file.read_text(encoding="utf-8").splitlines()[0])

    def stop(self) -> None:
        self._embedded.stop()
        self._pid = 0
        self._dismiss_guard()

    def kill(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            _ended(self._pid, 0)
            self._pid = 0
        self._dismiss_guard()

    def close(self) -> None:
        self.stop()
        self._port.release()

    def new_database(self) -> str:
        """The connection string of a new, empty database."""
        name = f"w{uuid4().hex}"
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(f"CREATE DATABASE {name}")
        return make_conninfo(self.dsn, dbname=name)

    def how_to_reach(self) -> str:
        return f"PostgreSQL  {self.dsn}\n            psql '{self.dsn}'"

    def last_words(self) -> str:
        logs = sorted((self._folder / "pgdata" / "log").glob("*.log"), key=lambda log: log.stat().st_mtime)
        return last_lines(logs[-1]) if logs else ""

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None


def _ended(child: int, options: int) -> bool:
    """Whether a child has ended; waits for it unless told not to. It is left to its owner to reap."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | options) is not None
    except ChildProcessError:
        return True
