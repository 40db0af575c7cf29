"""The protocol of a source: it says what to ask and what an answer means, and nothing else.

A source never opens a connection, sleeps, retries or counts quota; the core's fetcher does. So a source
is pure, and everything it does can be tested from recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from coinlake.errors import FixConfiguration
from coinlake.model import Capture, Dataset, Decoded, Limits, Request, Response, Verdict
from coinlake.settings import Secret, unknown


class Source(Protocol):
    """One venue or aggregator. Implementations are made by a plugin from its settings table."""

    @property
    def name(self) -> str:
        """The name in captures, rows and `coinlake.toml`: lower-case letters, digits and `_`."""

    @property
    def version(self) -> str:
        """The plugin's version, kept on each capture."""

    @property
    def root(self) -> str:
        """The URL that every request's path is put behind."""

    @property
    def secret_headers(self) -> Mapping[str, Secret]:
        """Headers sent with each request and never stored, logged or shown."""

    @property
    def datasets(self) -> Mapping[str, Dataset]:
        """What can be fetched, by name."""

    @property
    def limits(self) -> Limits:
        """What the venue allows; the core keeps to it across all processes."""

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        """The first requests of a slot."""

    def follow(self, capture: Capture) -> Iterable[Request]:
        """The next requests, read from an answer; empty when there are no more."""

    def judge(self, response: Response) -> Verdict:
        """What an answer means for the fetcher. Must not raise, whatever the bytes."""

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        """Rows and rejects of captures (`model.CAPTURES`) of this source; pure, in any order."""

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        """Requests that cover [start, end) of the past, as finely as the venue still has it."""


def dataset_of(source: Source, name: str) -> Dataset:
    """The source's dataset of that name; or `FixConfiguration` with a guess at what was meant."""
    if name not in source.datasets:
        raise FixConfiguration(unknown(f"dataset of {source.name}", name, list(source.datasets)))
    return source.datasets[name]
