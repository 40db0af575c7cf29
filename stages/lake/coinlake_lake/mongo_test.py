"""The MongoDB lake keeps every promise of a lake, and those of its database."""

from __future__ import annotations

import pytest

from coinlake.settings import Secret
from coinlake.testing.lake_contract import LakeContract, OpenLake
from coinlake_lake.conftest import NewDatabase
from coinlake_lake.mongo import MongoLake
from servers.mongod import Mongo


class TestMongoLake(LakeContract):
    @pytest.fixture
    def open_lake(self, database: Secret) -> OpenLake:
        return lambda: MongoLake(database)


class TestStandaloneMongoLake(LakeContract):
    @pytest.fixture
    def open_lake(self, mongo_standalone: Mongo, new_database: NewDatabase) -> OpenLake:
        url = new_database(mongo_standalone)
        return lambda: MongoLake(url)
