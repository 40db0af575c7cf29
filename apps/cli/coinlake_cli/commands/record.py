"""`coinlake record`: a source's present answers as recordings, for its tests and for the replay server."""

from __future__ import annotations

import asyncio
import mimetypes
import traceback
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from coinlake import plugins as plugin_loading
from coinlake.clock import SystemClock
from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.feed import Feed
from coinlake.fetch import Fetcher
from coinlake.model import Capture, Dataset
from coinlake.quota import Quota
from coinlake.schedule import Polling, slot_at
from coinlake.settings import Settings
from coinlake.source import Source, dataset_of
from coinlake.state import State
from coinlake.testing.recordings import SIDECAR
from coinlake_cli import folder
from coinlake_cli.deployment import load_plugins
from coinlake_cli.output import Output, Table, talk
from coinlake_lake.sqlite import SqliteLake

_COLUMNS = ("recording", "page", "status", "bytes", "url")
_STARS = b"***"


def record(settings: Settings, output: Output, source: str, dataset: str, into: Path) -> None:
    """Fetches the present slot once and writes each answer into `into`; nothing goes into the lake.

    Answers worth keeping are written even where a later one fails, whose error is raised then.
    """
    asked = load_plugins(settings).make_source(source, settings.sources.get(source, {}))
    wanted = dataset_of(asked, dataset)
    folder.claim(settings.folder, "live")
    with TemporaryDirectory() as scratch:
        captures, error = asyncio.run(_fetched(settings, asked, wanted, Path(scratch)))
    written = [_write(capture, asked, into) for capture in captures]
    output.show(written, Table("Recorded", _COLUMNS, [list(row.values()) for row in written]))
    if error:
        raise error if isinstance(error, CoinlakeError) else _defect_of(source, error)


async def _fetched(
    settings: Settings, source: Source, dataset: Dataset, scratch: Path
) -> tuple[list[Capture], Exception | None]:
    """The pages of the present slot, and what stopped them.

    The quota is the deployment's own; all else that a feed leaves behind goes into the scratch folder.
    """
    clock, observe = SystemClock(), plugin_loading.load([], installed=False).observe
    with SqliteLake(scratch / "lake.db") as lake, State(scratch) as health, State(settings.folder) as state:
        schedule = Polling(source, dataset, health, clock)
        async with Fetcher(settings.fetch, Quota(state), clock) as fetcher:
            feed = Feed(source, dataset, fetcher, lake, health, clock, schedule, observe, run_id="record")
            outcome = await feed.capture(slot_at(clock.now(), dataset.cadence))
        return [held.capture for held in lake.scan()], outcome.error


def _defect_of(source: str, error: Exception) -> FixConfiguration:
    """What a plugin's own exception is told as: with the line that raised it."""
    *_, last = traceback.extract_tb(error.__traceback__)
    place = f"{last.filename}, line {last.lineno}"
    return FixConfiguration(f"The plugin of {source} failed: {type(error).__name__}: {error} ({place}).")


def _write(capture: Capture, source: Source, into: Path) -> dict[str, object]:
    """The two files of a recording; never over one that is there. Returns what is told of it."""
    sidecar = {
        "status": capture.status,
        "url": capture.url,
        "headers": {name: [text] for name, text in capture.headers.items()},
    }
    body = _without_secrets(capture.body, source)
    try:
        into.mkdir(parents=True, exist_ok=True)
        file = next(file for file in _names(capture, into) if not file.exists())
        with file.open("xb") as written:
            written.write(body)
        beside = file.with_name(file.name + SIDECAR)
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(sidecar)) + b"\n")
    except OSError as error:
        raise FixConfiguration(f"Cannot write a recording into {into}: {error.strerror}.") from None
    if body != capture.body:
        talk.print(f"{file}: the venue repeated a key, which is stars now.", markup=False)
    told = (str(file), capture.page, capture.status, len(body), capture.url)
    return dict(zip(_COLUMNS, told, strict=True))


def _names(capture: Capture, into: Path) -> Iterator[Path]:
    """Names for a recording, most wanted first: its UTC time, its page, and a number if that is taken."""
    kind = capture.headers.get("content-type", "").partition(";")[0].strip()
    stem = f"{capture.received_at:%Y-%m-%dT%H%M%SZ}_page{capture.page}"
    ending = mimetypes.guess_extension(kind) or ".json"
    yield into / f"{stem}{ending}"
    for number in count(2):
        yield into / f"{stem}_{number}{ending}"


def _without_secrets(body: bytes, source: Source) -> bytes:
    """A body with the source's keys, should the venue have repeated them, as stars."""
    for secret in source.secret_headers.values():
        key = secret.get_secret_value().encode()
        body = body.replace(key, _STARS) if key else body
    return body
