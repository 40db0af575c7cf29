"""`coinlake record` writes what a venue answers, and nothing that must not be published."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration, Refused
from coinlake.model import Capture, Limits, Request, Window
from coinlake.plugins import SourcePlugin, hookimpl
from coinlake.settings import Secret, Settings, Table
from coinlake.state import State
from coinlake.testing.plain_source import PlainSource
from coinlake.testing.recordings import load
from coinlake.testing.unruly import Misdeed, Unruly, status, whole
from coinlake_cli.commands.record import record
from coinlake_cli.output import Output

KEY = "s3cr3t-k3y"


class TwoPagesSettings(Table):
    root: str
    key: Secret = Secret(KEY)


def second_page(capture: Capture) -> Iterable[Request]:
    """The page behind the first."""
    if capture.page == 1:
        yield Request("/ticks", (("page", "2"),), page=2)


def two_pages(settings: TwoPagesSettings) -> PlainSource:
    return PlainSource(
        settings.root,
        name="two_pages",
        limits=Limits(windows=(Window(seconds=3600, weight=5),)),
        secret_headers={"x-key": settings.key},
        followed=second_page,
    )


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    return [SourcePlugin("two_pages", TwoPagesSettings, two_pages)]


@contextmanager
def venue(*misdeeds: Misdeed) -> Iterator[str]:
    """The root of a server that answers so, in a thread of its own: the command has the event loop here."""
    loop, server = asyncio.new_event_loop(), Unruly(*misdeeds)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(20)
        yield server.url
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


Record = Callable[..., None]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def record_from(tmp_path: Path, recordings: Path) -> Record:
    """Records the two pages of a venue with that root."""

    def record_from(root: str, dataset: str = "ticks") -> None:
        settings = Settings(
            folder=tmp_path / "deployment",
            plugins=(__name__,),
            sources={"two_pages": {"root": root}},
        )
        record(settings, Output(as_json=False), "two_pages", dataset, recordings)

    return record_from


def test_each_page_becomes_a_recording_of_the_very_bytes(recordings: Path, record_from: Record) -> None:
    with venue(whole(b'[{"price":1.50}]'), whole('["ö"]\n'.encode())) as root:
        record_from(root)
    first, second = load(recordings)
    assert [first.body, second.body] == [b'[{"price":1.50}]', '["ö"]\n'.encode()]
    assert [first.params, second.params] == [{"page": "1"}, {"page": "2"}]
    assert first.recorded_at is not None
    assert first.url == f"{root}/ticks?page=1"


def test_recording_again_writes_over_nothing(recordings: Path, record_from: Record) -> None:
    with venue(whole(b"[1]"), whole(b"[2]"), whole(b"[3]"), whole(b"[4]")) as root:
        record_from(root)
        record_from(root)
    assert sorted(recording.body for recording in load(recordings)) == [b"[1]", b"[2]", b"[3]", b"[4]"]


def test_no_key_and_no_cookie_is_in_any_file(recordings: Path, record_from: Record) -> None:
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: session=abc123\r\n"
        f"etag: {KEY}\r\ncontent-length: 14\r\n\r\n"
    ).encode()

    async def echo(writer: asyncio.StreamWriter) -> None:
        writer.write(head + f'["{KEY}"]'.encode())
        await writer.drain()

    with venue(echo, whole(b"[]")) as root:
        record_from(root)
    text = b"\n".join(file.read_bytes() for file in recordings.iterdir())
    assert KEY.encode() not in text
    assert b"abc123" not in text
    assert load(recordings)[0].body == b'["***"]'


def test_answers_before_a_refusal_are_kept_and_the_refusal_is_said(
    recordings: Path, record_from: Record
) -> None:
    with venue(whole(b"[1]"), status(404)) as root, pytest.raises(Refused, match="404"):
        record_from(root)
    assert [recording.body for recording in load(recordings)] == [b"[1]"]


def test_recording_counts_in_the_deployments_quota_and_leaves_no_other_trace(
    tmp_path: Path, record_from: Record
) -> None:
    with venue(whole(b"[1]")) as root:
        record_from(root)
    assert {file.name.partition(".")[0] for file in (tmp_path / "deployment").iterdir()} == {"kind", "state"}
    with State(tmp_path / "deployment") as state:
        assert state.feeds() == []
        with state.transaction() as database:
            used = database.execute("SELECT sum(used) FROM quota_uses").fetchone()[0]
    assert used == 2


def test_an_unknown_dataset_is_refused_by_name(recordings: Path, record_from: Record) -> None:
    with pytest.raises(FixConfiguration, match="unknown dataset of two_pages 'tick'; did you mean 'ticks'"):
        record_from("http://127.0.0.1:9", "tick")
    assert not recordings.exists()
