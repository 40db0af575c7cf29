"""A collector of each test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from observability.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
