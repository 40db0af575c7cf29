"""The smallest source that works, for tests of what the core does around any source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa

from coinlake.model import Capture, Dataset, Decoded, Keep, Limits, Request, Response, Verdict
from coinlake.settings import Secret

TICKS = Dataset("ticks", cadence=timedelta(minutes=3))
"""The one dataset of a `PlainSource`."""


def keep(response: Response) -> Verdict:
    """A judge that finds nothing wrong."""
    return Keep()


def no_more(capture: Capture) -> Iterable[Request]:
    """Every slot is one page."""
    return ()


@dataclass
class PlainSource:
    """Asks `root` for `/ticks`; `judged` and `followed` are its judgement and its next pages."""

    root: str
    name: str = "plain"
    version: str = "1"
    limits: Limits = field(default_factory=Limits)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    datasets: Mapping[str, Dataset] = field(default_factory=lambda: {TICKS.name: TICKS})
    judged: Callable[[Response], Verdict] = keep
    followed: Callable[[Capture], Iterable[Request]] = no_more

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        return [Request("/ticks", (("page", "1"),))]

    def follow(self, capture: Capture) -> Iterable[Request]:
        return self.followed(capture)

    def judge(self, response: Response) -> Verdict:
        return self.judged(response)

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        raise AssertionError("nothing that is tested with this source decodes")

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        return ()
