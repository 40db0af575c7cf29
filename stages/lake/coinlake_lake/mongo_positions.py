"""How far publishing got, kept beside the lake: the producer's only writes to MongoDB."""

from __future__ import annotations

from types import TracebackType
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from coinlake.positions import Mark
from coinlake.settings import Secret
from coinlake_lake.mongo_server import POSITIONS, MongoServer


class MongoPositions:
    """The mark of one lake and topic (`coinlake.positions.Positions`), in the collection `positions`.

    A document: {_id: "LAKE_ID/TOPIC", position, topic_id, moved_at}. What was moved stays moved through a
    failover: a majority of the members has it. Raises `TryAgain` while there is no primary, after which the
    mark may or may not have moved (read it), and `FixConfiguration` for a login or right that is missing.
    """

    def __init__(self, url: Secret, lake_id: UUID, topic: str) -> None:
        self._server = MongoServer(url)
        self._marks = self._server.database[POSITIONS]
        self._key = f"{lake_id}/{topic}"

    def __enter__(self) -> MongoPositions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def read(self) -> Mark:
        """The mark; `Mark()` at first."""
        with self._server.explained():
            found = self._marks.find_one({"_id": self._key})
        return Mark(found["position"], found["topic_id"]) if found else Mark()

    def move(self, before: Mark, after: Mark) -> bool:
        """Sets the mark where it is still `before`; False, with nothing changed, where it is not."""
        with self._server.explained():
            try:
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
