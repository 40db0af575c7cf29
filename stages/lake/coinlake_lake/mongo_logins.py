"""Makes a new MongoDB a replica set with logins: what a server lets anybody on its own machine do, once.

Whoever calls this shares the server's loopback. Done again, it gives the logins their passwords anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import Secret
from coinlake_lake.mongo_server import READER, WRITER, Document, MongoServer

ROOT = "root"
_MONITOR = "clusterMonitor"
"""MongoDB's own role, of the whole server: sees how it fares, and no document of ours."""
ROLES: Mapping[str, str] = {"writer": WRITER, "reader": READER, "watcher": _MONITOR}
"""The logins of programs, each with its role."""

_OWNER_ROLE = "dbOwner"
_ELECTION_S = 60
_LOOK_AGAIN_S = 0.2
_ANSWER_MS = 5_000

_UNAUTHORIZED = 13  # as anybody is once there are users
_WRONG_PASSWORD = 18
_ALREADY_INITIALIZED = 23
_USER_IS_THERE = 51003


class OwnMachine:
    """The server of a lake's URL, from its own machine; `url` is that of the lake's owner."""

    def __init__(self, url: Secret, root_password: Secret) -> None:
        MongoServer(url).close()  # refuses what is no connection string
        self._parsed = parse_uri(url.get_secret_value())
        (self._host, port), *others = self._parsed["nodelist"]
        if others or not self._parsed["options"].get("replicaSet"):
            raise FixConfiguration("To make logins, write one host and ?replicaSet=… in lake.url.")
        self._member = f"{self._host}:{port}"
        self._place = f"127.0.0.1:{port}"
        self._root_password = root_password

    def begin(self) -> list[str]:
        """The replica set, `root` and the owner; a sentence for each thing that was done."""
        said = []
        with self._client() as anybody:
            members = [{"_id": 0, "host": self._member}]
            name = self._parsed["options"]["replicaSet"]
            with _refused(_ALREADY_INITIALIZED, _UNAUTHORIZED):
                anybody.admin.command("replSetInitiate", {"_id": name, "members": members})
                said.append(f"Made the replica set {name} of {self._member}.")
            _wait_for_primary(anybody, self._place)
            with _refused(_USER_IS_THERE, _UNAUTHORIZED):
                password = self._root_password.get_secret_value()
                anybody.admin.command("createUser", ROOT, pwd=password, roles=[ROOT])
                said.append(f"Made the login {ROOT}.")
        owner, password = self._parsed["username"], self._parsed["password"]
        if not owner or not password:
            raise FixConfiguration("To make logins, write the owner's user and password in lake.url.")
        return [*said, *self._give(owner, Secret(password), _OWNER_ROLE)]

    def give_logins(self, passwords: Mapping[str, Secret]) -> list[str]:
        """A login for each of `ROLES`, once the roles are made."""
        return [line for name, role in ROLES.items() for line in self._give(name, passwords[name], role)]

    def _give(self, name: str, password: Secret, role: str) -> list[str]:
        granted = [{"role": role, "db": "admin" if role == _MONITOR else self._parsed["database"]}]
        with self._client(self._root_password) as root:
            with _refused(_USER_IS_THERE):
                root.admin.command("createUser", name, pwd=password.get_secret_value(), roles=granted)
                return [f"Made the login {name} with the role {role}."]
            root.admin.command("updateUser", name, pwd=password.get_secret_value(), roles=granted)
            return []

    @contextmanager
    def _client(self, root_password: Secret | None = None) -> Iterator[MongoClient[Document]]:
        client: MongoClient[Document] = MongoClient(
            f"mongodb://{self._place}/",
            directConnection=True,
            serverSelectionTimeoutMS=_ANSWER_MS,
            username=ROOT if root_password else None,
            password=root_password.get_secret_value() if root_password else None,
        )
        try:
            with client:
                yield client
        except OperationFailure as error:
            if error.code == _WRONG_PASSWORD:
                raise FixConfiguration(
                    f"MongoDB at {self._place} refuses {ROOT}: it was made with another password."
                ) from None
            raise FixConfiguration(f"MongoDB at {self._place} refuses this: {error.details}.") from error
        except PyMongoError as error:
            raise TryAgain(f"No MongoDB answers at {self._place}: {error}") from error


def _wait_for_primary(client: MongoClient[Document], place: str) -> None:
    deadline = time.monotonic() + _ELECTION_S
    while time.monotonic() < deadline:
        with suppress(PyMongoError):
            if client.admin.command("hello").get("isWritablePrimary"):
                return
        time.sleep(_LOOK_AGAIN_S)
    raise TryAgain(f"MongoDB at {place} did not become primary within {_ELECTION_S} s.")


@contextmanager
def _refused(*codes: int) -> Iterator[None]:
    """Lets the server refuse what was done at an earlier start."""
    try:
        yield
    except OperationFailure as error:
        if error.code not in codes:
            raise
