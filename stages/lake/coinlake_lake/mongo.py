"""The lake of the distributed profile: MongoDB, a replica set or a single server.

Why `tail` never skips: a writer takes the position behind the highest one that a majority holds, and a unique
index lets one writer have it. So no position is taken before the one below it can be read, for ever and by
all. Why positions rather than MongoDB's own order: docs/decisions/dense-positions.md.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Any
from uuid import UUID

from bson import decode_all
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from coinlake.account import Entry
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.lake import damaged
from coinlake.model import Capture, Held
from coinlake.settings import Secret
from coinlake.telemetry.calls import database
from coinlake_lake.mongo_document import document, held, text
from coinlake_lake.mongo_server import CAPTURES, ENTRIES, LAKE, VERSION, Document, MongoServer, lost_captures

_SCAN_CAPTURES = 100
_SCAN_BODY_BYTES = 4 * 1024 * 1024
"""How much is read at a time where all captures are wanted."""

_REPLY_BYTES = 12 * 1024 * 1024
"""A reply that is shorter was not cut by MongoDB, which sends up to 16 MB at a time."""

_APPEND_TIMEOUT_S = 30.0
_CROWDED_S = 0.002
"""About what a majority takes to hold a capture: another writer's, which was in our way."""

_POLL_S = 0.1
_NO_CHANGE_STREAMS = 40573

_POSITION = [("position", 1)]


class MongoLake:
    """A lake in MongoDB (`coinlake.lake.Lake`), set up before by `mongo_setup.set_up`.

    Raises `FixConfiguration` for a wrong login, a missing right and a database that is no lake or a newer
    one; `TryAgain` while the server or its majority is away; `Refused` for a capture that is too large.
    """

    def __init__(self, url: Secret) -> None:
        self._server = MongoServer(url)
        self._captures = self._server.database[CAPTURES]
        self._mean_bytes = 1024 * 1024
        """Of a body, as seen last, which says how many captures to ask for; at first, a large one."""
        self._streams = True
        try:
            self._id = self._read_id()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> MongoLake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def id(self) -> UUID:
        """The identity of this lake, made once with it."""
        return self._id

    def close(self) -> None:
        """Closes the connections of all threads; every capture was durable when `append` returned."""
        self._server.close()

    def append(self, capture: Capture) -> bool:
        """Stores a capture on a majority of members; False where one of the same identity was there."""
        with database("mongodb", "append"):
            return self._append(capture)

    def _append(self, capture: Capture) -> bool:
        stored = document(capture)
        give_up_at = time.monotonic() + _APPEND_TIMEOUT_S
        while time.monotonic() < give_up_at:
            # Read each time, which also finds out whether the collection and its index are there: MongoDB
            # would make a collection of what is inserted, without either.
            stored["position"] = self.end() + 1
            with self._server.explained():
                try:
                    self._captures.insert_one(stored)
                except DuplicateKeyError:
                    # Also where another writer's is there, but no majority holds it yet: then it may vanish.
                    if self._captures.find_one({"_id": capture.id}, {"_id": 1}):
                        return False
                    time.sleep(random.uniform(0, 2 * _CROWDED_S))  # noqa: S311
                else:
                    return True
        raise TryAgain(
            f"Cannot store a capture in the lake at {self._server.name} now: others took every position for "
            f"{_APPEND_TIMEOUT_S:.0f} seconds. Check that a majority of the replica set's members runs."
        )

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        """The next captures behind a position; see `coinlake.lake.Lake.tail`."""
        return self._next(after, captures=captures, body_bytes=body_bytes, where={})

    def wait(self, after: int, timeout_s: float) -> bool:
        """Returns True as soon as a capture lies behind a position, False once the time is up.

        Woken by a change stream, or looking every 0.1 s where there is none. A stream lives for one look:
        what it missed is found by the position, so none needs to be resumed.
        """
        give_up_at = time.monotonic() + timeout_s
        while self.end() <= after:
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                return False
            self._doze(after, min(left_s, _POLL_S))
        return True

    def find(self, capture_id: UUID) -> Held | None:
        """The capture of that id, if this lake holds it."""
        with self._server.explained():
            found = self._captures.find_one({"_id": capture_id})
        return self._held(found) if found else None

    def scan(
        self,
        *,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Held]:
        """Captures whose slot lies in [since, until), by position; see `coinlake.lake.Lake.scan`."""
        slot = {
            **({"$gte": text(since)} if since else {}),
            **({"$lt": text(until)} if until else {}),
        }
        where: Document = {**({"source": source} if source else {}), **({"slot": slot} if slot else {})}
        position = 0
        while found := self._next(
            position, captures=_SCAN_CAPTURES, body_bytes=_SCAN_BODY_BYTES, where=where
        ):
            yield from found
            position = found[-1].position

    def entries(self, after: int, until: int) -> Iterator[Entry]:
        """Positions (after, until] and the ids of their captures; see `coinlake.lake.Lake.entries`."""
        with self._server.explained():
            found = self._captures.find(
                {"position": {"$gt": after, "$lte": until}}, {"position": 1}, sort=_POSITION, hint=ENTRIES
            )
            for one in found:
                yield Entry(one["position"], one["_id"])

    def end(self) -> int:
        """The highest position in use; 0 for an empty lake."""
        with self._server.explained():
            last = self._captures.find_one(
                {}, {"position": 1, "_id": 0}, sort=[("position", -1)], hint=_POSITION
            )
        if last is None:
            self._check_collection()
            return 0
        return int(last["position"])

    def count_after(self, position: int) -> int:
        """How many captures lie behind a position."""
        with self._server.explained():
            return self._captures.count_documents({"position": {"$gt": position}}, hint=_POSITION)

    def audit(self) -> Iterator[Held]:
        """Captures whose bytes are no longer those that were stored, by their SHA-256."""
        return damaged(self.scan())

    def _next(self, after: int, *, captures: int, body_bytes: int, where: Document) -> list[Held]:
        found: list[Held] = []
        size = 0
        while len(found) < captures:
            likely = max(1, (body_bytes - size) // self._mean_bytes + 1)
            wanted = min(captures - len(found), likely)
            documents, is_end = self._read(found[-1].position if found else after, wanted, where)
            for one in documents:
                size += one["size"]
                if found and size > body_bytes:
                    return found
                found.append(self._held(one))
            if is_end:
                break
            self._mean_bytes = max(1, size // len(found))
        return found

    def _read(self, after: int, wanted: int, where: Document) -> tuple[list[Document], bool]:
        """At most so many documents behind a position, in one reply, and whether there are no more."""
        with self._server.explained():
            # A single reply ends at 101 documents: with 500 of them at once, a producer is a tenth slower.
            # What comes is bytes, whatever the stubs say.
            replies: list[Any] = list(
                self._captures.find_raw_batches(
                    {"position": {"$gt": after}, **where}, sort=_POSITION, hint=_POSITION, limit=-wanted
                )
            )
        documents = [one for reply in replies for one in decode_all(reply, self._captures.codec_options)]
        is_whole = sum(map(len, replies)) < _REPLY_BYTES
        return documents, not documents or (len(documents) < wanted and is_whole)

    def _doze(self, after: int, timeout_s: float) -> None:
        """Returns when the time is up, or a capture behind the position was stored meanwhile."""
        wake_at = time.monotonic() + timeout_s
        if self._streams:
            try:
                self._watch(after, wake_at)
            except PyMongoError as error:
                # Whatever it is: where it concerns reading too, reading will say so.
                code = error.code if isinstance(error, OperationFailure) else None
                self._streams = code != _NO_CHANGE_STREAMS
                self._pause(wake_at)
        else:
            self._pause(wake_at)

    def _watch(self, after: int, wake_at: float) -> None:
        inserts: list[dict[str, Any]] = [
            {"$match": {"operationType": "insert", "fullDocument.position": {"$gt": after}}},
            {"$project": {"fullDocument.position": 1}},
        ]
        wait_ms = max(1, int((wake_at - time.monotonic()) * 1000))
        with self._captures.watch(inserts, max_await_time_ms=wait_ms) as stream:
            if self.end() <= after:  # none was stored before the stream began
                stream.try_next()

    def _pause(self, wake_at: float) -> None:
        time.sleep(max(0.0, wake_at - time.monotonic()))

    def _held(self, found: Document) -> Held:
        try:
            return held(found)
        except ValueError as error:
            raise FixConfiguration(
                f"The lake at {self._server.name} is damaged at capture {found.get('_id')}: {error}. "
                "Restore it from a backup."
            ) from error

    def _check_collection(self) -> None:
        """Refuses a lake whose captures are gone: a reader is told of none as of an empty collection."""
        with self._server.explained():
            found = self._server.database.list_collection_names(
                filter={"name": CAPTURES}, authorizedCollections=True
            )
        if not found:
            raise FixConfiguration(lost_captures(self._server.name))

    def _read_id(self) -> UUID:
        with self._server.explained():
            lake = self._server.database[LAKE].find_one({"_id": "lake"})
        if lake is None:
            raise FixConfiguration(
                f"There is no lake at {self._server.name}: run `coinlake lake init`, or check lake.url."
            )
        if lake["version"] > VERSION:
            raise FixConfiguration(
                f"The lake at {self._server.name} was made by a newer Coinlake (version {lake['version']}; "
                f"this one knows {VERSION}): use that one."
            )
        return UUID(str(lake["lake_id"]))
