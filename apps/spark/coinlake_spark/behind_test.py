"""Work behind the caller: one piece at a time, in order, and nothing after one that failed."""

from __future__ import annotations

from threading import Event

import pytest

from coinlake_spark.behind import Behind

DEADLINE_S = 30


def test_the_caller_goes_on_meanwhile_and_waits_before_it_gives_the_next() -> None:
    may_end, done = Event(), []

    def slow() -> None:
        assert may_end.wait(DEADLINE_S)
        done.append("slow")

    with Behind() as behind:
        behind.do(slow)
        assert behind.is_busy
        assert not done
        may_end.set()
        behind.do(lambda: done.append("next"))
        assert done[0] == "slow"
    assert done == ["slow", "next"]
    assert not behind.is_busy


def test_what_failed_is_raised_to_whoever_waits_and_nothing_is_done_after_it() -> None:
    done: list[str] = []

    def failing() -> None:
        raise ValueError("broken")

    with Behind() as behind:
        behind.do(failing)
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                behind.do(lambda: done.append("next"))
            assert behind.has_failed
        with pytest.raises(ValueError, match="broken"):
            behind.wait()
    assert not done


def test_without_work_there_is_nothing_to_wait_for() -> None:
    with Behind() as behind:
        behind.wait()
        assert not behind.is_busy
        assert not behind.has_failed
