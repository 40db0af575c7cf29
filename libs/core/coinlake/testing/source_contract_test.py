"""The contract of sources, kept by a small sample source with cursor paging and two kinds of rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from inspect import isfunction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from coinlake import testing
from coinlake.decoding import Columns, Fields, Origin, RowReader, by_dataset
from coinlake.model import (
    BannedUntil,
    Capture,
    Dataset,
    Decoded,
    Keep,
    Limits,
    Refuse,
    Request,
    Response,
    RetryAfter,
    Verdict,
    Window,
)
from coinlake.plugins import SourcePlugin
from coinlake.settings import Secret, Table
from coinlake.testing import SourceContract
from coinlake.testing.contract.subject import Subject

ROOT = "https://api.sample.example/v1"
RECORDED = datetime(2024, 10, 15, 12, 0, 10, tzinfo=UTC)
CANDLES_PER_CALL = timedelta(minutes=300)


class SampleSettings(Table):
    """The table `[sources.sample]`."""

    api_key: Secret | None = None
    root: str = ROOT


class Sample:
    """A well-behaved `Source`: `tickers`, two pages by cursor, and `candles` of two instruments."""

    name = "sample"
    version = "1"
    calls_per_slot = 2

    def __init__(self, settings: SampleSettings) -> None:
        self.settings = settings
        self.root = settings.root
        self.secret_headers: Mapping[str, Secret] = (
            {"x-sample-key": settings.api_key} if settings.api_key else {}
        )
        self.datasets = {
            "tickers": Dataset("tickers", timedelta(minutes=1), self.calls_per_slot),
            "candles": Dataset("candles", timedelta(minutes=5), 2),
        }
        self.limits = Limits(windows=(Window(60, 100),))
        self._tickers = RowReader("quotes", self.ticker, under=("rows",))
        self._candles = RowReader("candles", candle)

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        if dataset == "tickers":
            return [Request("/tickers", (("limit", "2"),))]
        if dataset == "candles":
            return [candles(one, slot - self.datasets[dataset].cadence, slot, page) for one, page in PAGES]
        raise LookupError(f"there is no dataset {dataset}")

    def follow(self, capture: Capture) -> Iterable[Request]:
        cursor = next_cursor(capture.body) if capture.dataset == "tickers" else None
        if cursor:
            yield Request("/tickers", (("limit", "2"), ("after", cursor)), page=capture.page + 1)

    def judge(self, response: Response) -> Verdict:
        said = f"HTTP {response.status}"
        if response.status == 418:
            return BannedUntil(said, 120)
        if response.status == 429 or response.status >= 500:
            return RetryAfter(said)
        return Keep() if response.status == 200 else Refuse(said)

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return by_dataset(captures, {"tickers": self._tickers.read, "candles": self._candles.read})

    def ticker(self, fields: Fields, origin: Origin) -> Columns:
        return {
            "asset": fields.text("id"),
            "name": fields.text("name"),
            "quote_currency": "usd",
            "granularity": "live",
            "price": fields.amount("last", thousands=","),
            "volume_24h": fields.amount("volume"),
            "market_cap": fields.amount("cap"),
            "as_of": fields.seconds("time"),
        }

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        start, end = window
        page = 1
        while dataset == "candles" and start < end:
            until = min(start + CANDLES_PER_CALL, end)
            yield candles(asset, start, until, page)
            start, page = until, page + 1


PAGES = (("BTC", 1), ("ETH", 2))


def candles(asset: str, since: datetime, until: datetime, page: int) -> Request:
    ends = (("from", str(int(since.timestamp()))), ("to", str(int(until.timestamp()))))
    return Request("/candles", (("asset", asset), *ends), page=page)


def candle(fields: Fields, origin: Origin) -> Columns:
    prices = {name: fields.amount(place) for place, name in enumerate(("open", "high", "low", "close"), 1)}
    return {
        "asset": origin.params["asset"],
        "quote_currency": "usd",
        "interval": "1m",
        "open_time": fields.seconds(0),
        **prices,
    }


def next_cursor(body: bytes) -> str | None:
    try:
        cursor = msgspec.json.decode(body, type=dict[str, Any]).get("next")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return cursor if isinstance(cursor, str) else None


def row(asset: str, last: str, **members: object) -> dict[str, object]:
    time_s = int(RECORDED.timestamp()) - 5
    return {
        "id": asset,
        "name": f"{asset} coin",
        "last": last,
        "volume": 12.5,
        "cap": None,
        "time": time_s,
        "flags": 0,
    } | members


def tickers(*rows: object, **members: object) -> str:
    return json.dumps({"rows": rows, **members}, separators=(",", ":"))


def minutes(*closes: str) -> str:
    opened = int(RECORDED.replace(second=0).timestamp()) - 120
    rows = [[opened + 60 * n, "1.50", "9.9", "0.25", close] for n, close in enumerate(closes)]
    return json.dumps(rows, separators=(",", ":"))


ENDS = "&from=1728993300&to=1728993600"
ANSWERS = {
    "2024-10-15T120010Z.1.json": (
        "/tickers?limit=2",
        tickers(row("BTC", "65,000.10"), row("ETH", "2600.00"), next="c2"),
    ),
    "2024-10-15T120010Z.2.json": ("/tickers?limit=2&after=c2", tickers(row("SOL", "1.500e2"), next=None)),
    "2024-10-15T120009Z.odd.json": (
        "/tickers?limit=2&after=c9",
        tickers(row("DOT", "4.10"), row("ADA", "0.350"), row("XRP", "0.55"), row("X", "y"), notice="slow"),
    ),
    "2024-10-15T120010Z.3.json": (f"/candles?asset=BTC{ENDS}", minutes("2.00", "3.10")),
    "2024-10-15T120010Z.4.json": (f"/candles?asset=ETH{ENDS}", minutes("4.00", "5.10")),
}


def record(folder: Path) -> Path:
    """The sample venue's recordings, as files below a folder."""
    folder.mkdir()
    for name, (target, body) in ANSWERS.items():
        (folder / name).write_text(body)
        (folder / f"{name}.headers.json").write_text(json.dumps({"url": ROOT + target}))
    (folder / "2024-10-15T120000Z.429.json").write_text('{"error":"rate limit"}')
    refusal = {"status": 429, "url": f"{ROOT}/tickers?limit=2", "headers": {"Retry-After": ["1"]}}
    (folder / "2024-10-15T120000Z.429.json.headers.json").write_text(json.dumps(refusal))
    return folder


class TestSample(SourceContract):
    """All checks pass."""

    plugin = SourcePlugin("sample", SampleSettings, Sample)

    def made_subject(self, folder: Path) -> Subject:
        type(self).recordings = record(folder / "recordings")
        package = folder / "coinlake_sample"
        package.mkdir()
        (package / "plugin.py").write_text("from __future__ import annotations\n")
        return replace(super().made_subject(folder), package=package)


Defect = Callable[[Subject], Subject]
"""Spoils the sample."""


class Switches(dict[str, tuple[str, Defect]]):
    """Defects by name, each with the one check that must find it."""

    def breaks(self, check: str) -> Callable[[type[Sample]], type[Sample]]:
        """Registers a source with a defect."""

        def register(source: type[Sample]) -> type[Sample]:
            plugin = SourcePlugin("sample", SampleSettings, source)
            self[source.__name__] = (check, lambda subject: replace(subject, plugin=plugin))
            return source

        return register

    def spoils(self, check: str) -> Callable[[Defect], Defect]:
        """Registers a defect of settings, files or recordings."""

        def register(defect: Defect) -> Defect:
            self[defect.__name__] = (check, defect)
            return defect

        return register


def checks() -> list[str]:
    """Every check there is."""
    return sorted(name for name in dir(SourceContract) if name.startswith("test_"))


@cache
def asked() -> Mapping[str, frozenset[str]]:
    """What each check calls of the sample while nothing is wrong with it, noted as it runs."""
    called: set[str] = set()

    def noting(name: str) -> Callable[..., Any]:
        def method(self: Sample, *args: Any) -> Any:
            called.add(name)
            return getattr(super(noted, self), name)(*args)

        return method

    methods = {name: noting(name) for name, member in vars(Sample).items() if isfunction(member)}
    noted = type("Noted", (Sample,), methods)
    found = {}
    with TemporaryDirectory() as folder:
        contract = TestSample()
        subject = contract.made_subject(Path(folder))
        for name in checks():
            called.clear()
            # A subject of its own, because what one check read is not read again by the next.
            getattr(contract, name)(replace(subject, plugin=SourcePlugin("sample", SampleSettings, noted)))
            found[name] = frozenset(called)
    return found


def concerned(source: type[Sample]) -> list[str]:
    """The checks that can tell a source from the sample: those that call a method which it changes.

    All of them, if it changes anything else of the sample than methods: such as its making or an attribute.
    """
    between = source.__mro__[: source.__mro__.index(Sample)]
    changed = {name for one in between for name in vars(one)} - {"__module__", "__doc__", "__annotations__"}
    attributes = {name for name, member in vars(Sample).items() if not isfunction(member)}
    if not changed or changed & attributes or any(name.startswith("__") for name in changed):
        return checks()
    return [name for name in checks() if asked()[name] & changed]


def failed(folder: Path, defect: Defect) -> list[str]:
    """The checks that find something wrong with the sample once it is spoilt; the rest cannot notice."""
    contract = TestSample()
    sound = contract.made_subject(folder)
    subject = defect(sound)
    only_its_source = replace(subject, plugin=sound.plugin) == sound
    same_settings = subject.plugin.settings is SampleSettings
    make: Any = subject.plugin.make
    found = []
    for name in concerned(make) if only_its_source and same_settings else checks():
        try:
            getattr(contract, name)(subject)
        except Exception:
            found.append(name)
    return found


def test_recordings_without_a_time_stand_where_their_newest_row_was_over(tmp_path: Path) -> None:
    subject = TestSample().made_subject(tmp_path)
    untimed = [replace(one, recorded_at=None) for one in subject.recordings]
    subject = replace(subject, recordings=untimed)
    assert subject.moment("candles") == RECORDED.replace(second=0)
    assert subject.moment("tickers") == RECORDED - timedelta(seconds=5)


def test_a_dataset_may_have_settings_of_its_own(tmp_path: Path) -> None:
    own = {"candles": {"root": "https://candles.example"}}
    subject = replace(TestSample().made_subject(tmp_path), settings_of=own)
    assert subject.source(None, "candles").root == "https://candles.example"
    assert subject.source(None, "tickers").root == ROOT


def test_the_kit_is_cheap_to_import_where_no_test_is_run() -> None:
    program = "import sys, coinlake.testing.replay; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_the_kit_does_not_have_is_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        testing.Nonsense  # noqa: B018
