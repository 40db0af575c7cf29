"""Listing the entries of a lake in MongoDB reads its index, and no capture."""

from __future__ import annotations

import pytest
from pymongo import MongoClient

from coinlake.errors import FixConfiguration
from coinlake.settings import Secret
from coinlake.testing.lake_contract import capture
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_server import CAPTURES, ENTRIES, Document
from coinlake_lake.mongo_setup import set_up


def test_listing_the_entries_reads_no_document(database: Secret) -> None:
    client: MongoClient[Document] = MongoClient(database.get_secret_value())
    in_database = client.get_default_database()
    with client, MongoLake(database) as lake:
        for number in range(1, 4):
            lake.append(capture(number))
        in_database.command("profile", 2)
        assert len(list(lake.entries(0, 2))) == 2
        in_database.command("profile", 0)
        (seen,) = in_database["system.profile"].find({"command.find": CAPTURES})
    assert (seen["keysExamined"], seen["docsExamined"]) == (2, 0)


def test_a_lake_of_before_this_index_says_what_to_do(database: Secret) -> None:
    client: MongoClient[Document] = MongoClient(database.get_secret_value())
    with client, MongoLake(database) as lake:
        lake.append(capture())
        client.get_default_database()[CAPTURES].drop_index(ENTRIES)
        with pytest.raises(FixConfiguration, match="lake init"):
            list(lake.entries(0, 1))
        assert set_up(database) == ["Made the unique index entries on position, _id."]
        assert len(list(lake.entries(0, 1))) == 1
