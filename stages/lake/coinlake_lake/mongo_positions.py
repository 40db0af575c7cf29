"""How far publishing got, kept beside the lake: the producer's only writes to MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.positions import Mark

COLLECTION = "positions"

_NOT_ALLOWED = {13, 18}
"""Codes of a server that refuses a right, or a login."""


class MongoPositions:
    """The mark of one lake and topic (`coinlake.positions.Positions`), in the collection `positions`.

    A document: {_id: "LAKE_ID/TOPIC", position, topic_id, moved_at}. What was moved stays moved through a
    failover: a majority of the members has it. Raises `TryAgain` while there is no primary, after which the
    mark may or may not have moved (read it), and `FixConfiguration` for a login or right that is missing.
    """

    def __init__(self, client: MongoClient[dict[str, Any]], database: str, lake_id: UUID, topic: str) -> None:
        self._marks = client[database].get_collection(
            COLLECTION,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )
        self._key = f"{lake_id}/{topic}"

    def read(self) -> Mark:
        """The mark; `Mark()` at first."""
        with _explained():
            found = self._marks.find_one({"_id": self._key})
        return Mark(found["position"], found["topic_id"]) if found else Mark()

    def move(self, before: Mark, after: Mark) -> bool:
        """Sets the mark where it is still `before`; False, with nothing changed, where it is not."""
        try:
            with _explained():
                moved = self._marks.update_one(
                    {"_id": self._key, "position": before.position, "topic_id": before.topic_id},
                    {
                        "$set": {"position": after.position, "topic_id": after.topic_id},
                        "$currentDate": {"moved_at": True},
                    },
                    upsert=before == Mark(),
                )
        except DuplicateKeyError:  # there is a mark already
            return False
        return moved.matched_count == 1 or moved.upserted_id is not None


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DuplicateKeyError:
        raise
    except OperationFailure as error:
        if error.code in _NOT_ALLOWED:
            raise FixConfiguration(
                f"MongoDB does not let the producer keep its position in {COLLECTION}: "
                f"{(error.details or {}).get('errmsg', 'not authorized')}. "
                "Check the login in lake.url; `coinlake lake init` makes the roles."
            ) from None
        raise TryAgain(f"MongoDB cannot keep the producer's position now: {error}.") from error
    except ConfigurationError as error:
        raise FixConfiguration(f"MongoDB cannot keep the producer's position: {error}.") from None
    except PyMongoError as error:
        raise TryAgain(f"MongoDB cannot keep the producer's position now: {error}.") from error
