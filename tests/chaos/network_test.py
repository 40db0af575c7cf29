"""A load runs while the network between any two parts is cut, held and mended: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos import links
from chaos.links import Linked, behind, linked
from chaos.load import Load
from servers.fixtures import Spark
from servers.proxy import Proxy

SEED = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

_LONGEST_S = 1.5
"""A link is down for up to so long."""
_MOST_BYTES = 30_000
"""About what a few captures weigh on their way."""
_DEADLINE_S = 60

_PRODUCE, _FETCH = 0, 1
"""Kinds of requests to Kafka, by its protocol."""


def cut(link: Proxy, _: random.Random) -> None:
    link.cut()


def refused(link: Proxy, dice: random.Random) -> None:
    link.refuse()
    time.sleep(dice.uniform(0, _LONGEST_S))  # a fault's length: no condition is waited for


def held(link: Proxy, dice: random.Random) -> None:
    link.hold()
    time.sleep(dice.uniform(0, _LONGEST_S))


def held_and_lost(link: Proxy, dice: random.Random) -> None:
    held(link, dice)
    link.cut()


def cut_within_a_message(link: Proxy, dice: random.Random) -> None:
    struck = link.cut_after(dice.randrange(1, _MOST_BYTES))
    assert struck.wait(_DEADLINE_S)


HARMS = [cut, refused, held, held_and_lost, cut_within_a_message, cut_within_a_message]


def with_words(*words: bytes) -> Callable[[bytes], bool]:
    return lambda said: all(word in said for word in words)


def request_to_kafka(kind: int) -> Callable[[bytes], bool]:
    return lambda said: said[4:6] == kind.to_bytes(2, "big")


LOST_REPLIES = [
    (links.CAPTURE_TO_MONGODB, with_words(b"insert", b"captures")),
    (links.PRODUCER_TO_MONGODB, with_words(b"find", b"captures")),
    (links.PRODUCER_TO_MONGODB, with_words(b"update", b"positions")),
    (links.PRODUCER_TO_KAFKA, request_to_kafka(_PRODUCE)),
    (links.SPARK_TO_KAFKA, request_to_kafka(_FETCH)),
    (links.SPARK_TO_POSTGRESQL, behind(b"staging_instruments", b"COMMIT")),
    (links.SPARK_TO_POSTGRESQL, behind(b"INSERT INTO bus_offsets", b"COMMIT")),
]
"""What a server has done when the network goes, so that its client cannot know: above all, the commits of
what a task staged and of a batch."""


@pytest.fixture
def site(tmp_path: Path, mongod_program: Path, spark_home: Spark) -> Iterator[Linked]:
    with linked(tmp_path, spark_home) as site:
        yield site


def test_whatever_link_is_cut_nothing_is_lost_or_doubled(site: Linked) -> None:
    print(f"CHAOS_SEED={SEED}", flush=True)
    dice, load, begun = random.Random(SEED), Load(), time.monotonic()

    with load.running(site.capture_url):
        site.wait_for_news(load)
        harms = [(name, harm) for name in site.links for harm in HARMS]
        for name, harm in dice.sample(harms, len(harms)):
            print(f"{time.monotonic() - begun:8.1f} s  {name} {harm.__name__}", flush=True)
            harm(site.links[name], dice)
            site.links[name].mend()
            if dice.random() < 0.5:  # else the next comes while they still find back
                site.wait_for_news(load)
        for name, asked in dice.sample(LOST_REPLIES * 2, len(LOST_REPLIES) * 2):
            print(f"{time.monotonic() - begun:8.1f} s  {name} loses a reply", flush=True)
            assert site.links[name].lose_reply(asked).wait(_DEADLINE_S)
        site.wait_for_news(load)
    print(f"{len(load.acknowledged)} captures in {time.monotonic() - begun:.0f} s")
    site.scene.prove_whole(load)
