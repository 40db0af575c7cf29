"""Made-up recordings: between the real ones, marked, and the same for the same seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coinlake.testing.recordings import Recording
from coinlake.testing.synthetic import synthetic_between

START = datetime(2024, 10, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make(earlier: Recording, later: Recording, moment: datetime, noise: random.Random) -> bytes:
    return f"{earlier.path} {later.path} {moment:%H:%M} {noise.random()}".encode()


def recording(name: str, moment: datetime | None, status: int = 200) -> Recording:
    return Recording(Path(name), name.encode, status=status, url="http://h/x", recorded_at=moment)


RECORDED = [recording("b", START + 2 * HOUR), recording("a", START), recording("c", START + 3 * HOUR)]


def test_made_up_recordings_lie_strictly_between_the_real_ones() -> None:
    made = list(synthetic_between(RECORDED, timedelta(minutes=45), 1, make))
    assert [m.body.decode().rsplit(" ", 1)[0] for m in made] == ["a b 00:45", "a b 01:30", "b c 02:45"]
    assert [m.recorded_at for m in made] == [START + timedelta(minutes=n) for n in (45, 90, 165)]


def test_made_up_recordings_are_marked_and_the_real_ones_untouched() -> None:
    made = list(synthetic_between(RECORDED, HOUR, 1, make))
    assert [(m.synthetic, m.url, m.path) for m in made] == [(True, "http://h/x", Path("a"))]
    assert not any(r.synthetic for r in RECORDED)
    assert [r.body for r in RECORDED] == [b"b", b"a", b"c"]


def test_the_same_seed_makes_the_same_bodies_and_another_seed_others() -> None:
    bodies = [[m.body for m in synthetic_between(RECORDED, HOUR / 4, seed, make)] for seed in (1, 1, 2)]
    assert bodies[0] == bodies[1]
    assert not set(bodies[0]) & set(bodies[2])


def test_a_body_is_the_same_each_time_it_is_read() -> None:
    [made] = synthetic_between(RECORDED, HOUR, 1, make)
    assert made.body == made.body


def test_errors_and_recordings_without_a_time_are_left_out() -> None:
    others = [recording("x", None), recording("y", START + HOUR, status=429)]
    assert len(list(synthetic_between([*RECORDED, *others], HOUR, 1, make))) == 1
