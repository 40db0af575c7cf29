"""MongoDB's server, alone or as a replica set, with or without authentication."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from servers import fetch
from servers.ports import HOST, Port
from servers.process import Process
from servers.server import Server

ROOT = "root"
"""The user with all rights, where there is authentication."""
_SET = "rs0"
_CACHE_GB = 0.25
_ANSWER_TIMEOUT_MS = 2_000
_ELECTION_TIMEOUT_MS = 2_000
_HEARTBEAT_MS = 500
_ALREADY_THERE = 51003
_ALREADY_INITIALIZED = 23
_UNAUTHORIZED = 13  # as anybody is once there are users


class Member:
    """One mongod: a process on a port of its own, with its files in a folder of its own."""

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self.files = folder / "files"
        """Where its data lies."""
        self.files.mkdir(parents=True, exist_ok=True)
        self._options = options
        self._port = Port(folder / "port")
        self.process = Process(folder, f"mongod-{folder.name}")

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self._port.number}"

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process.runs

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    def start(self) -> None:
        """Starts it, or starts it again on its files, and waits until it answers."""
        command = [str(fetch.mongod()), f"--bind_ip={HOST}", f"--port={self._port.number}"]
        command += [f"--dbpath={self.files}", f"--wiredTigerCacheSizeGB={_CACHE_GB}", "--nounixsocket"]
        command += ["--setParameter=diagnosticDataCollectionEnabled=false"]
        command += ["--syncdelay=1"]  # an oplog forgets at checkpoints: no test has a minute to wait for one
        command += ["--setParameter=shutdownTimeoutMillisForSignaledShutdown=100", *self._options]
        self.process.start(command, lambda: bool(self.hello()))

    def hello(self) -> dict[str, Any]:
        """What it says of itself and its replica set; nothing while it is down or does not answer."""
        if not self.runs:
            return {}
        with suppress(PyMongoError), self.client() as client:
            return dict(client.admin.command("hello"))
        return {}

    def client(self) -> MongoClient[dict[str, Any]]:
        """A client of this member alone, nobody's in particular; the caller closes it."""
        return MongoClient(
            f"mongodb://{self.address}/", directConnection=True, serverSelectionTimeoutMS=_ANSWER_TIMEOUT_MS
        )

    def stop(self) -> None:
        """Stops it; it can be started again."""
        self.process.stop()

    def kill(self) -> None:
        """Kills it; it can be started again."""
        self.process.kill()

    def close(self) -> None:
        """Stops it for good."""
        self.process.stop()
        self._port.release()


class Mongo(Server):
    """MongoDB in a folder. `members=0`: a standalone mongod, without replica set.

    With `authenticated`, only `ROOT` exists, and `password` is its password; the members trust each other by
    a key file. `oplog_mb` is the size of the oplog; with `identity`, key and certificate in one PEM, it
    speaks TLS to whoever asks for it. Started again on its folder it has its data back, and its ports unless
    others took them. Raises `fetch.Missing` and `process.ServerFailed`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        members: int = 1,
        authenticated: bool = False,
        oplog_mb: int = 128,
        identity: Path | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._replicated = members > 0
        self.password = _kept_secret(self._folder / "root.password") if authenticated else ""
        options = [f"--replSet={_SET}", f"--oplogSize={oplog_mb}"] if self._replicated else []
        if identity is not None:
            options += ["--tlsMode=preferTLS", f"--tlsCertificateKeyFile={identity}"]
        if authenticated:
            key = self._folder / "members.key"
            _kept_secret(key)
            options += [f"--keyFile={key}"] if self._replicated else ["--auth"]
        self.members = [Member(self._folder / str(number), options) for number in range(max(members, 1))]

    @property
    def uri(self) -> str:
        """Connection string: of `ROOT` where there is authentication, and with the password."""
        return self.uri_of(ROOT, self.password) if self.password else self._uri("")

    def uri_of(self, user: str, password: str) -> str:
        """Connection string of a user of the database `admin`."""
        return self._uri(f"{user}:{password}@")

    @property
    def runs(self) -> bool:
        return all(member.runs for member in self.members)

    def start(self) -> None:
        try:
            for member in self.members:
                member.start()
            if self._replicated:
                self._initiate()
            self._make_root(self.wait_for_primary())
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        for member in self.members:
            member.stop()

    def kill(self) -> None:
        for member in self.members:
            member.kill()

    def primary(self) -> Member | None:
        """The member that takes writes, if there is one now."""
        return next((member for member in self.members if member.hello().get("isWritablePrimary")), None)

    def wait_for_primary(self) -> Member:
        """Waits until a member takes writes."""
        running = next(member for member in self.members if member.runs)
        return running.process.wait_until(self.primary)

    def close(self) -> None:
        for member in self.members:
            member.close()

    def how_to_reach(self) -> str:
        return f"MongoDB     {self.uri}\n            mongosh '{self.uri}'"

    def last_words(self) -> str:
        return "\n".join(member.process.last_words() for member in self.members)

    def _initiate(self) -> None:
        """Makes the replica set, if this is the first start; a set that exists refuses."""
        members = [{"_id": number, "host": member.address} for number, member in enumerate(self.members)]
        timing = {"electionTimeoutMillis": _ELECTION_TIMEOUT_MS, "heartbeatIntervalMillis": _HEARTBEAT_MS}
        with _refused_before(_ALREADY_INITIALIZED, _UNAUTHORIZED), self.members[0].client() as client:
            client.admin.command("replSetInitiate", {"_id": _SET, "members": members, "settings": timing})

    def _make_root(self, primary: Member) -> None:
        """Makes the first user, which a new server lets anyone on its own machine do."""
        if not self.password:
            return
        with _refused_before(_ALREADY_THERE, _UNAUTHORIZED), primary.client() as client:
            client.admin.command("createUser", ROOT, pwd=self.password, roles=["root"])

    def _uri(self, login: str) -> str:
        options = {"replicaSet": _SET} if self._replicated else {"directConnection": "true"}
        hosts = ",".join(member.address for member in self.members)
        return f"mongodb://{login}{hosts}/?{urlencode(options)}"


@contextmanager
def _refused_before(*codes: int) -> Iterator[None]:
    """Lets the server refuse what was done at an earlier start."""
    try:
        yield
    except OperationFailure as error:
        if error.code not in codes:
            raise


def _kept_secret(file: Path) -> str:
    """The secret in the file, which only its owner can read; a new one at first."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(24))
    return file.read_text(encoding="ascii")
