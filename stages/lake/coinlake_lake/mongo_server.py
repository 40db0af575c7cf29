"""A client of the MongoDB that holds a lake, and its faults as the errors of Coinlake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    DocumentTooLarge,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from coinlake.errors import CoinlakeError, FixConfiguration, Refused, TryAgain
from coinlake.settings import Secret

Document = dict[str, Any]

CAPTURES = "captures"
LAKE = "lake"
"""The collection of one document, `_id` "lake": the lake's id and the version of its form."""
POSITIONS = "positions"
ENTRIES = "entries"
"""The index that has position and id of every capture, so that listing them reads no capture."""
VERSION = 1
WRITER = "coinlake_writer"
READER = "coinlake_reader"

_DATABASE = "coinlake"
_AWAY_AFTER_MS = 10_000
"""Longer than a replica set takes to elect another primary, in most cases."""
_LOOK_EVERY_MS = 2_000
"""With `_AWAY_AFTER_MS`, how soon a primary that froze is found out."""
_SILENCE_MS = 30_000
_COMMIT_MS = 20_000

_WRONG_LOGIN = {18, 8000}
_NO_RIGHT = {13}
_NOT_A_CAPTURE = {121}
_BAD_VALUE = 2
_TOO_LARGE = {10334, 17419, 17420}


class MongoServer:
    """One database on a server or replica set; opened when it is first used, safe for threads.

    Raises `FixConfiguration` for a connection string that is none.
    """

    def __init__(self, url: Secret) -> None:
        try:
            parsed = parse_uri(url.get_secret_value())
            client: MongoClient[Document] = MongoClient(
                url.get_secret_value(),
                appname="coinlake",
                serverSelectionTimeoutMS=_AWAY_AFTER_MS,
                connectTimeoutMS=_AWAY_AFTER_MS,
                heartbeatFrequencyMS=_LOOK_EVERY_MS,
                socketTimeoutMS=_SILENCE_MS,
            )
            database = parsed["database"] or _DATABASE
            self.database = client.get_database(
                database,
                codec_options=CodecOptions(uuid_representation=UuidRepresentation.STANDARD),
                read_concern=ReadConcern("majority"),
                write_concern=WriteConcern("majority", j=True, wtimeout=_COMMIT_MS),
            )
        # The client's own words may show parts of the password.
        except (InvalidURI, ConfigurationError, InvalidName, ValueError, TypeError):
            raise FixConfiguration(
                "lake.url is no connection string of MongoDB: write mongodb://user:password@host:port/database,"
                " with %-codes for characters of the password that are neither letters nor digits."
            ) from None
        except OSError as error:  # of a file that is named for TLS; the client's words have no path in them
            raise FixConfiguration(
                f"lake.url names a file for TLS that cannot be used: {error.strerror or error}."
            ) from None
        self._client = client
        self._user = parsed["username"]
        self.name = ",".join(f"{host}:{port}" for host, port in parsed["nodelist"]) + f"/{database}"
        """Where it is, for messages: hosts, ports and database."""

    def close(self) -> None:
        """Closes the connections of all threads."""
        self._client.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns what the client raises into what whoever catches it must do."""
        try:
            yield
        except (PyMongoError, DocumentTooLarge) as error:  # the second is not one of the first
            raise self._explanation(error) from error

    def _explanation(self, error: Exception) -> CoinlakeError:
        code = error.code if isinstance(error, OperationFailure) else None
        if isinstance(error, DocumentTooLarge) or code in _TOO_LARGE:
            return Refused(
                f"The lake at {self.name} cannot keep a capture: packed, it is still over MongoDB's 16 MB. "
                "Ask for smaller pages, or lower `fetch.body_limit_bytes`."
            )
        said = _said(error)
        if code in _WRONG_LOGIN:
            return FixConfiguration(
                f"MongoDB at {self.name} refuses the login of {self._who()}: {said}. "
                "Check user, password and authSource in lake.url."
            )
        if code in _NO_RIGHT:
            return FixConfiguration(
                f"MongoDB at {self.name} gives {self._who()} no right to this: {said}. "
                f"Grant the role {WRITER} or {READER}; to run `coinlake lake init`, dbOwner."
            )
        if code in _NOT_A_CAPTURE:
            return FixConfiguration(
                f"The lake at {self.name} refuses a capture of this Coinlake: {said}. "
                "Run `coinlake lake init` of this version."
            )
        if code == _BAD_VALUE and "hint provided" in str(error):
            return FixConfiguration(
                f"The lake at {self.name} lacks an index that this Coinlake reads by. "
                "Run `coinlake lake init` of this version; where that says that captures were lost, "
                "restore it from a backup."
            )
        if _NO_TRUST in str(error):
            return FixConfiguration(
                f"Nobody here trusts the certificate of MongoDB at {self.name}: {said}. "
                "Check the host's name, and tlsCAFile, in lake.url."
            )
        if isinstance(error, ConfigurationError):
            return FixConfiguration(f"MongoDB at {self.name} cannot be used: {said}. Check lake.url.")
        return TryAgain(
            f"Cannot use the lake at {self.name} now: {said}. Check that MongoDB runs there; of a "
            "replica set, a majority."
        )

    def _who(self) -> str:
        return f"user {self._user}" if self._user else "a user without a name"


def lost_captures(name: str) -> str:
    """What is said of a lake without its first captures, or without any collection of them."""
    return (
        f"The lake at {name} has lost its captures: somebody dropped the collection {CAPTURES}. "
        "Restore it from a backup, or begin another lake in another database."
    )


def _said(error: Exception) -> str:
    """What the client says went wrong: no state of the cluster, time-outs, command or addresses with it."""
    first = str(error).split(", full error:")[0].split(", Timeout:")[0].split("\n")[0]
    if _NO_PRIMARY in first:
        return "no member of its replica set is primary"
    bare = _OWN_TIMEOUTS.sub("", _COMMAND.sub(r"to \1", first))
    reasons = [_PLACE.sub("", one) for one in _NEXT_SERVER.split(bare)]
    return "; ".join(dict.fromkeys(reasons)).rstrip(". ")


_NO_PRIMARY = "Primary()"
_NO_TRUST = "certificate verify failed"
_OWN_TIMEOUTS = re.compile(r" \(configured timeouts: [^)]*\)")
_COMMAND = re.compile(r"to execute command \{ (\w+): .*")
_NEXT_SERVER = re.compile(r",(?=\S+:\d+: )")
_PLACE = re.compile(r"^\S+:\d+: (?:\[Errno -?\d+\] )?")
