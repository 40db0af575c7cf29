"""A server on loopback that misbehaves on purpose: every way an answer can go wrong, on a real socket.

async with Unruly(status(500), silence(), whole(b"[]")) as server:
    ...  # ask server.url: the first call gets a 500, the second nothing, all others "[]"
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType

Misdeed = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What is done to one call, whose head has been read; the connection is closed after it."""

_PIECE = bytes(64 * 1024)


class Unruly:
    """Answers each call with the next misdeed, and all further ones with the last."""

    def __init__(self, *misdeeds: Misdeed) -> None:
        self._misdeeds = misdeeds
        self._calls: set[asyncio.Task[None]] = set()
        self.heads: list[str] = []
        """The request line and headers of each call, as they came."""
        self.url = ""
        """The root to ask, without a slash at its end; known once the server is entered."""

    async def __aenter__(self) -> Unruly:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode("latin-1"))
            await self._misdeeds[min(len(self.heads), len(self._misdeeds)) - 1](writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has had enough of us, as it should
        finally:
            self._calls.discard(call)
            writer.close()


def whole(body: bytes = b"[]", *, code: int = 200, headers: Mapping[str, str] | None = None) -> Misdeed:
    """A proper answer (or a proper error), JSON unless `headers` say otherwise."""
    return _raw(_head(code, {"content-length": str(len(body)), **(headers or {})}) + body)


def status(code: int, headers: Mapping[str, str] | None = None) -> Misdeed:
    """An error with a small JSON body."""
    return whole(b'{"error": "%d"}' % code, code=code, headers=headers)


def html() -> Misdeed:
    """A web page under HTTP 200, as firewalls and captive portals send."""
    return whole(b"<html><body>Checking your browser</body></html>", headers={"content-type": "text/html"})


def redirect(location: str, code: int = 302) -> Misdeed:
    """A redirect."""
    return whole(b"", code=code, headers={"location": location})


def packed(body: bytes, encoding: str = "gzip") -> Misdeed:
    """A proper answer, packed with "gzip" or "deflate"."""
    return whole(
        gzip.compress(body) if encoding == "gzip" else zlib.compress(body),
        headers={"content-encoding": encoding},
    )


def bomb(unpacked_bytes: int) -> Misdeed:
    """A small gzip body that unpacks to so many zeros."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(_PIECE) for _ in range(unpacked_bytes // len(_PIECE))]
    return whole(b"".join(pieces) + packer.flush(), headers={"content-encoding": "gzip"})


def large(body_bytes: int) -> Misdeed:
    """An unpacked body of so many bytes."""

    async def misbehave(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"content-length": str(body_bytes)}))
        for _ in range(body_bytes // len(_PIECE)):
            writer.write(_PIECE)
            await writer.drain()

    return misbehave


def silence() -> Misdeed:
    """No answer at all, and the connection stays open."""

    async def misbehave(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return misbehave


def hang_up() -> Misdeed:
    """The connection is closed instead of an answer."""
    return _raw(b"")


def garbage() -> Misdeed:
    """Bytes that are not HTTP."""
    return _raw(b"\x00\x01\x02 this is not HTTP\r\n\r\n")


def drip_head(interval_s: float) -> Misdeed:
    """The status line and headers, one byte at a time, for ever."""
    return _drip(b"HTTP/1.1 200 OK\r\nx-drip: ", interval_s)


def drip_body(interval_s: float) -> Misdeed:
    """The headers at once, then the body one byte at a time, for ever."""
    return _drip(_head(200, {"content-length": "1000000000"}), interval_s)


def cut_body() -> Misdeed:
    """Fewer bytes than `Content-Length` promised."""
    return _raw(_head(200, {"content-length": "1000"}) + b'[{"id": ')


def cut_chunks() -> Misdeed:
    """A chunked body without its end."""
    return _raw(_head(200, {"transfer-encoding": "chunked"}) + b'8\r\n[{"id": \r\n')


def cut_gzip() -> Misdeed:
    """A gzip body that was cut before it was framed: the length is right, the end is missing."""
    return whole(gzip.compress(bytes(range(256)))[:-20], headers={"content-encoding": "gzip"})


@contextmanager
def unreachable() -> Iterator[str]:
    """A root whose connections are never completed: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        queued = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            queued.append(client)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for client in queued:
                client.close()


def _head(code: int, headers: Mapping[str, str]) -> bytes:
    lines = {"content-type": "application/json", "connection": "close", **headers}
    phrase = HTTPStatus(code).phrase
    return (
        f"HTTP/1.1 {code} {phrase}\r\n"
        + "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        + "\r\n"
    ).encode("latin-1")


def _raw(answer: bytes) -> Misdeed:
    async def misbehave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return misbehave


def _drip(start: bytes, interval_s: float) -> Misdeed:
    async def misbehave(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(interval_s)

    return misbehave
