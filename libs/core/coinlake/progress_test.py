"""Progress as a container's health: idle is well, moving is well, standing still with work left is not."""

from __future__ import annotations

from itertools import count

import pytest

from coinlake.errors import TryAgain
from coinlake.progress import progresses, report


def test_a_program_with_nothing_left_is_well_however_long_it_rests() -> None:
    assert progresses(done=lambda: 7, left=lambda: 0, patience_s=0)


def test_a_program_that_moves_is_well_however_much_is_left() -> None:
    steps = count()
    assert progresses(done=lambda: next(steps), left=lambda: 1_000, patience_s=10)


def test_a_program_that_stands_still_before_its_work_is_not_well() -> None:
    assert not progresses(done=lambda: 7, left=lambda: 1, patience_s=0)


def test_what_is_wrong_is_said_in_one_line_and_by_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def away() -> str | None:
        raise TryAgain("MongoDB is away.")

    with pytest.raises(SystemExit) as ended:
        report(away)
    assert ended.value.code == 1
    assert capsys.readouterr().out == "MongoDB is away.\n"
    with pytest.raises(SystemExit) as ended:
        report(lambda: None)
    assert ended.value.code == 0
