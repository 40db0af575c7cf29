"""A source for tests, whose venue is a few lines: pages of anything, and no rows in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from coinlake.model import Capture, Dataset, Decoded, Keep, Limits, Request, Response, Verdict
from coinlake.plugins import SourcePlugin, hookimpl
from coinlake.settings import Cadence, Root, Secret, Table


class PlainSettings(Table):
    """Where it is asked, how often, and for how many pages."""

    root: Root
    every: Cadence = timedelta(days=7)
    pages: int = 1


class Plain:
    """Asks for `/1`, `/2` and so on, one behind the other."""

    version = "1"
    limits = Limits()
    secret_headers: Mapping[str, Secret] = {}

    def __init__(self, name: str, settings: PlainSettings) -> None:
        self.name = name
        self.root = settings.root
        self.datasets = {"ticks": Dataset("ticks", cadence=settings.every)}
        self._pages = settings.pages

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        return [self._page(1)]

    def follow(self, capture: Capture) -> Iterable[Request]:
        return [self._page(capture.page + 1)] if capture.page < self._pages else []

    def judge(self, response: Response) -> Verdict:
        return Keep()

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return Decoded()

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        return ()

    def _page(self, number: int) -> Request:
        return Request(f"/{number}", page=number)


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    """Two of them, so that each venue can fare in its own way."""
    return [SourcePlugin(name, PlainSettings, partial(Plain, name)) for name in ("busy", "slow")]
