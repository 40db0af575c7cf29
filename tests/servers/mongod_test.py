"""MongoDB as tests get it: it serves, comes back with what it took, keeps to itself, and leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from servers.mongod import Mongo

pytestmark = pytest.mark.usefixtures("mongod_program")


def keep(uri: str, number: int) -> None:
    """Writes a document, and comes back when it is safe."""
    with MongoClient[dict[str, Any]](uri) as client:
        safe = WriteConcern(w="majority", j=True)
        client.get_database("trial", write_concern=safe).numbers.insert_one({"_id": number})


def kept(uri: str) -> list[int]:
    """The numbers that were kept."""
    with MongoClient[dict[str, Any]](uri) as client:
        return sorted(found["_id"] for found in client.trial.numbers.find())


def test_a_replica_set_takes_a_document_and_tells_its_change_stream(mongo_replica_set: Mongo) -> None:
    with (
        MongoClient[dict[str, Any]](mongo_replica_set.uri) as client,
        client.trial.seen.watch() as changes,
    ):
        client.trial.seen.insert_one({"_id": 1})
        assert changes.next()["fullDocument"] == {"_id": 1}


def test_a_standalone_mongod_takes_a_document_and_has_no_change_stream(mongo_standalone: Mongo) -> None:
    keep(mongo_standalone.uri, 1)
    assert kept(mongo_standalone.uri) == [1]
    with (
        MongoClient[dict[str, Any]](mongo_standalone.uri) as client,
        pytest.raises(OperationFailure, match="replica set"),
    ):
        client.trial.numbers.watch()


@pytest.mark.parametrize(("members", "authenticated"), [(0, True), (1, False), (1, True), (3, True)])
def test_a_killed_mongodb_comes_back_with_what_it_took(
    tmp_path: Path, members: int, authenticated: bool
) -> None:
    with Mongo(tmp_path, members=members, authenticated=authenticated) as mongo:
        keep(mongo.uri, 1)
        uri = mongo.uri
        mongo.kill()
        mongo.start()
        assert mongo.uri == uri
        assert kept(mongo.uri) == [1]
    with Mongo(tmp_path, members=members, authenticated=authenticated) as later:
        assert later.uri == uri
        assert kept(later.uri) == [1]


def test_where_there_is_authentication_nobody_gets_in_without_it(tmp_path: Path) -> None:
    with Mongo(tmp_path, authenticated=True) as mongo:
        for uri in (mongo.uri_of("root", "wrong"), mongo.uri.replace(f"root:{mongo.password}@", "")):
            with pytest.raises(OperationFailure, match=r"[Aa]uthentication"):
                keep(uri, 1)


def test_another_member_takes_over_from_a_killed_primary(tmp_path: Path) -> None:
    with Mongo(tmp_path, members=3) as mongo:
        keep(mongo.uri, 1)
        first = mongo.wait_for_primary()
        first.kill()
        assert mongo.wait_for_primary() is not first
        keep(mongo.uri, 2)
        first.start()
        assert kept(mongo.uri) == [1, 2]


def test_two_side_by_side_do_not_meet(mongo_replica_set: Mongo, tmp_path: Path) -> None:
    with Mongo(tmp_path) as other:
        keep(other.uri, 7)
        assert kept(other.uri) == [7]
        with MongoClient[dict[str, Any]](mongo_replica_set.uri) as client:
            assert client.trial.numbers.count_documents({"_id": 7}) == 0
