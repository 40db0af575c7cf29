"""A replica set changes its primary, however it comes to that: nothing that was acknowledged is lost."""

from __future__ import annotations

from contextlib import suppress

from pymongo.errors import PyMongoError

from replica_set.scene import Scene, until
from servers.mongod import Mongo

CAPTURES = 40
"""That each writer stores before and after a fault."""


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
