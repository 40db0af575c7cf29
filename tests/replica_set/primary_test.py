"""A replica set changes its primary, however it comes to that: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from pymongo import WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from coinlake.errors import TryAgain
from coinlake.testing.lake_contract import capture
from coinlake_lake.mongo import MongoLake
from replica_set.scene import DEADLINE_S, Scene, frozen, until
from servers.mongod import Member, Mongo

CAPTURES = 40
"""That each writer stores before and after a fault."""
_BULK_BYTES = 12_000_000
"""More than a connection holds on its way, and less than a document may have."""


def test_a_primary_that_steps_down_costs_nothing(scene: Scene, replica_set: Mongo) -> None:
    with scene.producing():
        with scene.writing() as writers:
            writers.go_on(CAPTURES)
            first = replica_set.wait_for_primary()
            with first.client() as client, suppress(PyMongoError):
                client.admin.command("replSetStepDown", 20, force=True)
            until(lambda: replica_set.primary() not in (None, first))
            writers.go_on(CAPTURES)
        scene.prove_whole(writers)


def test_a_killed_primary_costs_nothing_and_comes_back_in(scene: Scene, replica_set: Mongo) -> None:
    with scene.producing():
        with scene.writing() as writers:
            writers.go_on(CAPTURES)
            first = replica_set.wait_for_primary()
            first.kill()
            try:
                writers.go_on(CAPTURES)
            finally:
                first.start()
            writers.go_on(CAPTURES)
        scene.prove_whole(writers)


def test_what_a_primary_took_alone_is_rolled_back_and_was_never_published(
    scene: Scene, replica_set: Mongo
) -> None:
    first = replica_set.wait_for_primary()
    others = [member.pid for member in replica_set.members if member is not first]
    with scene.producing(), MongoLake(scene.lake_url) as lake, ThreadPoolExecutor(1) as aside:
        lake.append(capture(1))
        until(lambda: scene.published() == 1)
        bulk = [{"bulk": os.urandom(_BULK_BYTES)} for _ in range(2)]
        with ExitStack() as until_others_lead:
            with frozen(*others), first.client() as client:
                # What is on its way to them would still reach them: this keeps the next capture out of it.
                client.get_database("trial", write_concern=WriteConcern(1)).bulk.insert_many(bulk)
                appended = aside.submit(lake.append, capture(2))
                until(lambda: held_by(first, scene, "local") == 2)
                assert held_by(first, scene, "majority") == 1
                until_others_lead.enter_context(frozen(first.pid))
            until(lambda: replica_set.primary() not in (None, first))
            with scene.writing() as writers:
                writers.go_on(CAPTURES)
        until(lambda: rolled_back(first, scene))
        with suppress(TryAgain):  # which is for whoever appends to do
            appended.result(DEADLINE_S)
        lake.append(capture(2))
        scene.prove_whole(writers)


def held_by(member: Member, scene: Scene, read_concern: str) -> int:
    """How many captures a member shows to who reads so."""
    with member.client() as client:
        lake = client.get_database(scene.database, read_concern=ReadConcern(read_concern))
        return lake.captures.count_documents({})


def rolled_back(member: Member, scene: Scene) -> bool:
    """Whether a member has put captures aside that no majority took."""
    with scene.administering() as database:
        (captures,) = database.list_collections(filter={"name": "captures"})
    return any(member.files.glob(f"rollback/{captures['info']['uuid'].as_uuid()}/removed.*.bson"))
