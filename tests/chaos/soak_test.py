"""A load runs while every part is killed, paused and started again at random: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import time

import pytest

from chaos.faults import storm
from chaos.load import Load
from chaos.scene import Scene
from distributed.site import until

SEED = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))
SECONDS = float(os.environ.get("CHAOS_SECONDS", 60))

pytestmark = pytest.mark.timeout(SECONDS + 800)  # the first test of a machine fetches Spark, 450 MB


def test_whatever_is_killed_nothing_is_lost_or_doubled(scene: Scene) -> None:
    print(f"CHAOS_SEED={SEED} CHAOS_SECONDS={SECONDS:g}", flush=True)
    load = Load()
    with load.running(scene.lake_url):
        until(lambda: scene.site.loaded() > 0)
        end = time.monotonic() + SECONDS
        tally = storm(scene, random.Random(SEED), lambda _: time.monotonic() < end)
        loaded = scene.site.loaded()
    print(
        f"{tally.kills.total()} kills, {tally.others.total()} pauses and restarts; {len(load.acknowledged)} "
        f"captures acknowledged, {loaded} of them loaded by the end of the storm."
    )
    for fault, count in sorted((tally.kills + tally.others).items()):
        print(f"{count:5}  {fault}")
    print(f"       missed: {dict(tally.missed)}")
    scene.prove_whole(load)
