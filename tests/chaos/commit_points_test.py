"""Killed exactly at a commit point: the program that reaches it, or the server that it talks to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chaos.faults import Harm, killed_at
from chaos.load import Load
from chaos.scene import Reach, Scene
from distributed.site import DEADLINE_S

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


@pytest.fixture(scope="module")
def load() -> Load:
    """The captures of all tests."""
    return Load()


TOPIC, MARK, WAREHOUSE = Reach._fields
REACHED: Mapping[tuple[str, str], tuple[set[str], set[str]]] = {
    ("captures_read", "producer"): (set(), {TOPIC, MARK}),
    ("message_sent", "producer"): (set(), {MARK}),
    ("message_acknowledged", "producer"): ({TOPIC}, {MARK}),
    ("mark_moved", "producer"): ({TOPIC, MARK}, set()),
    ("batch_staged", "Spark"): (set(), {WAREHOUSE}),
    ("batch_closing", "Spark"): (set(), {WAREHOUSE}),
    ("next_staged", "Spark"): (set(), {WAREHOUSE}),
    ("batch_committed", "Spark"): ({WAREHOUSE}, set()),
}
"""By point and program killed there: the hops that new captures must have come to, and must not."""


@pytest.mark.parametrize(("point", "program"), REACHED)
def test_a_program_killed_at_a_commit_point_loses_and_doubles_nothing(
    scene: Scene, load: Load, point: str, program: str
) -> None:
    before = scene.rest(load)._asdict()
    with killed_while_loading(scene, load, point, program) as struck:
        assert struck
        killed = scene.reach()._asdict()
        moved = {hop for hop in before if killed[hop] != before[hop]}
        must, must_not = REACHED[point, program]
        assert must <= moved
        assert not must_not & moved
    scene.prove_loaded(load)


@pytest.mark.parametrize(
    ("point", "victim"),
    [
        ("captures_read", "mongod"),
        ("message_sent", "broker"),
        ("message_acknowledged", "mongod"),
        ("mark_moved", "mongod"),
        ("batch_begun", "broker"),
        ("rows_staged", "worker"),
        ("rows_staged", "PostgreSQL"),
        ("batch_staged", "PostgreSQL"),
        ("batch_closing", "PostgreSQL"),
        ("next_staged", "PostgreSQL"),
        ("batch_committed", "PostgreSQL"),
    ],
)
def test_a_server_or_worker_killed_at_a_commit_point_loses_and_doubles_nothing(
    scene: Scene, load: Load, point: str, victim: str
) -> None:
    scene.rest(load)
    victim = _primary(scene) if victim == "mongod" else victim
    with killed_while_loading(scene, load, point, victim) as struck:
        assert struck
    scene.prove_loaded(load)


def test_of_all_these_kills_verify_finds_no_trace(scene: Scene, load: Load) -> None:
    scene.prove_whole(load)


def killed_while_loading(scene: Scene, load: Load, point: str, victim: str) -> Harm:
    """Captures come until the victim is killed at the point."""
    return killed_at(scene, victim, point=point, timeout_s=DEADLINE_S, meanwhile=load.running(scene.lake_url))


def _primary(scene: Scene) -> str:
    primary = scene.mongo.wait_for_primary()
    return next(name for name, part in scene.parts.items() if part is primary)
