"""What a contract is about: a plugin, its settings and its recordings, and what they decode to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import urlsplit

import pyarrow as pa

from coinlake.decoding import originals
from coinlake.model import CANDLE_WIDTHS, TABLES, Capture, Dataset, Decoded, capture_batch
from coinlake.plugins import SourcePlugin
from coinlake.schedule import slot_at
from coinlake.settings import Secret, parse_table
from coinlake.source import Source
from coinlake.testing.mimic import Mimic
from coinlake.testing.recordings import Recording

SENTINEL = "s3ntinel-key-of-the-contract"
"""A key that must show up nowhere but in a header."""
ROW_TABLES = tuple(name for name in TABLES if name != "rejects")
_UNTIMED = datetime(2026, 1, 1, tzinfo=UTC)
"""When recordings without a time are taken to be received."""

Row = dict[str, Any]


def rows_of(decoded: Decoded) -> list[Row]:
    """All rows of all tables, each with its table's name under "table"."""
    return [{"table": name, **row} for name in ROW_TABLES for row in getattr(decoded, name).to_pylist()]


def over(row: Row) -> datetime | None:
    """When what a row tells was over: a quote's time, a candle's end; None where it has no time."""
    begun: datetime | None = row.get("as_of") or row.get("open_time")
    return begun and begun + CANDLE_WIDTHS.get(row.get("interval", ""), timedelta())


def facts(row: Row) -> tuple[tuple[str, Any], ...]:
    """A row without what tells its capture and place: what stays the same when its page is another one."""
    return tuple((name, value) for name, value in row.items() if name not in ("capture_id", "path"))


def decode(source: Source, *captures: Capture) -> Decoded:
    """What a source makes of captures."""
    return source.decode(capture_batch(captures))


@dataclass(frozen=True)
class Specimen:
    """One row of a recorded page, to be altered: `body` with `row`'s bytes in it exactly once."""

    capture: Capture
    row: bytes
    path: str
    rows: tuple[Row, ...]
    """What the page decodes to as it was recorded."""

    def altered(self, row: bytes) -> Capture:
        """The page's capture with other bytes in the row's place."""
        return with_body(self.capture, self.capture.body.replace(self.row, row, 1))

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Those of `rows` that stand at the specimen's place."""
        return [row for row in rows if row["path"] == self.path]

    def others(self, rows: Sequence[Row]) -> list[tuple[tuple[str, Any], ...]]:
        """The neighbours among `rows`."""
        return sorted((facts(row) for row in rows if row["path"] != self.path), key=repr)


def with_body(capture: Capture, body: bytes, **changes: Any) -> Capture:
    """A new capture that differs in its body (and `changes`), its cached hashes computed anew."""
    fields = {name: getattr(capture, name) for name in Capture.__dataclass_fields__}
    return Capture(**{**fields, "body": body, **changes})


@dataclass(frozen=True)
class Subject:
    """The plugin under test; what each field means is told by `SourceContract`'s attributes."""

    plugin: SourcePlugin
    settings: Mapping[str, Any]
    settings_of: Mapping[str, Mapping[str, Any]]
    settings_with_key: Mapping[str, Any]
    recordings: Sequence[Recording]
    mimic: Callable[[], Mimic]
    dataset_of: Callable[[Recording], str | None]
    zero_is_null: frozenset[str]
    history_step: timedelta
    package: Path
    folder: Path
    """An empty folder of this test run."""

    def source(self, root: str | None = None, dataset: str = "", /, **more: Any) -> Source:
        """A fresh source; below `root`, if given, rather than at the venue's, and as `dataset` needs it."""
        given = {**self.settings, **self.settings_of.get(dataset, {}), **more}
        given |= {"root": root} if root else {}
        source: Source = self.plugin.make(
            parse_table(self.plugin.settings, given, f"sources.{self.plugin.name}")
        )
        return source

    def source_with_key(self, root: str | None = None, dataset: str = "") -> Source:
        """A fresh source whose every secret setting is `SENTINEL`."""
        return self.source(root, dataset, **self.settings_with_key, **dict.fromkeys(self.secrets, SENTINEL))

    @cached_property
    def secrets(self) -> list[str]:
        """Names of the settings that hold a secret."""
        fields = self.plugin.settings.model_fields.items()
        return [name for name, field in fields if Secret in _kinds(field.annotation)]

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """The datasets that have a recorded answer."""
        found = {self.dataset_of(recording) for recording in self.answers}
        return {name: dataset for name, dataset in self.source().datasets.items() if name in found}

    @cached_property
    def untroubled(self) -> dict[str, list[bytes]]:
        """By dataset, what a slot gave when nothing went wrong; filled by `venue.untroubled`."""
        return {}

    @cached_property
    def answers(self) -> list[Recording]:
        """The recordings that are answers of a dataset, and no refusals."""
        return [one for one in self.recordings if one.status == 200 and self.dataset_of(one)]

    def capture(self, recording: Recording) -> Capture:
        """The capture that a recorded answer would have become."""
        source, name = self.source(), self.dataset_of(recording) or ""
        received_at = recording.recorded_at or _UNTIMED
        slot = slot_at(received_at, source.datasets[name].cadence)
        request = next(iter(source.plan(name, slot)))
        return Capture(
            source=source.name,
            dataset=name,
            slot=slot,
            page=1,
            url=recording.url or source.root + request.path,
            params=tuple(recording.params.items()) if recording.url else request.params,
            status=200,
            headers=recording.headers,
            body=recording.body,
            requested_at=received_at,
            received_at=received_at,
            run_id="contract",
            plugin_version=source.version,
            traceparent="",
        )

    def moment(self, dataset: str) -> datetime:
        """When its newest answer was recorded; where none says so, when the newest row of all was over."""
        answers = [one for one in self.answers if self.dataset_of(one) == dataset]
        recorded = [one.recorded_at for one in answers if one.recorded_at]
        if recorded:
            return max(recorded)
        rows = [
            row for capture, found in self.decoded if capture.dataset == dataset for row in rows_of(found)
        ]
        return max(filter(None, map(over, rows)), default=_UNTIMED).astimezone(UTC)

    @cached_property
    def captures(self) -> list[Capture]:
        """A capture of each recorded answer."""
        return [self.capture(recording) for recording in self.answers]

    @cached_property
    def decoded(self) -> list[tuple[Capture, Decoded]]:
        """Each recorded answer with what it decodes to."""
        source = self.source()
        return [(capture, decode(source, capture)) for capture in self.captures]

    @cached_property
    def specimens(self) -> list[Specimen]:
        """A row to alter of each dataset, on as small a page as there is, with neighbours if it can be."""
        found: dict[str, tuple[tuple[bool, int], Specimen]] = {}
        for capture, decoded in self.decoded:
            specimen = _specimen(capture, decoded)
            if specimen is None:
                continue
            rank = (len(specimen.rows) < 2, len(capture.body))
            if capture.dataset not in found or rank < found[capture.dataset][0]:
                found[capture.dataset] = (rank, specimen)
        return [specimen for _, specimen in found.values()]

    def batch(self, captures: Sequence[Capture] | None = None) -> pa.RecordBatch:
        """Captures in their Arrow form; all the recorded ones unless told."""
        return capture_batch(self.captures if captures is None else captures)


def _specimen(capture: Capture, decoded: Decoded) -> Specimen | None:
    rows = rows_of(decoded)
    paths = [row["path"] for row in rows]
    if not rows or decoded.rejects.num_rows:
        return None
    for path, row in originals(capture.body, {paths[len(paths) // 2]}).items():
        if capture.body.count(row) == 1:
            return Specimen(capture, row, path, tuple(rows))
    return None


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types of an annotation, of a union each."""
    if get_origin(annotation) in (Union, UnionType):
        yield from get_args(annotation)
    else:
        yield annotation


def by_path(source: Source, recording: Recording) -> str | None:
    """The dataset whose planned path a recording's URL has; with the only dataset where it has no URL.

    A path that names another instrument than the planned ones fits too: "/products/X/ticker".
    """
    if recording.url is None:
        return next(iter(source.datasets)) if len(source.datasets) == 1 else None
    base = urlsplit(source.root).path
    asked = urlsplit(recording.url).path.removeprefix(base).strip("/").split("/")
    now = recording.recorded_at or _UNTIMED
    planned = [
        (name, request.path.strip("/").split("/"))
        for name, dataset in source.datasets.items()
        for request in source.plan(name, slot_at(now, dataset.cadence))
    ]
    exact = (name for name, path in planned if path == asked)
    alike = (
        name
        for name, path in planned
        if len(path) == len(asked) > 1 and (path[0], path[-1]) == (asked[0], asked[-1])
    )
    return next(exact, None) or next(alike, None)
