"""TLS before a PostgreSQL that has none: the wheel's server is built without it, and others' need an image.

It says yes to a client's request for TLS, and passes on what comes by it. What is tried with it is the client
and its settings: handshake, authority and name are real, and so is the server behind.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from servers.ports import HOST

_REQUEST_BYTES = 8
_YES = b"S"
_CHUNK_BYTES = 64 * 1024


class TlsTerminator:
    """Listens on a free port of loopback with that identity, and passes on to the port `target`."""

    def __init__(self, target: int, identity: Path) -> None:
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(identity)
        self._loop = asyncio.new_event_loop()
        self.port = 0

    def __enter__(self) -> Self:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(_REQUEST_BYTES)
            writer.write(_YES)
            await writer.drain()
            await writer.start_tls(self._context)
            there, back = await asyncio.open_connection(HOST, self._target)
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        except (OSError, asyncio.IncompleteReadError):  # the client does not trust us, or has left
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while said := await reader.read(_CHUNK_BYTES):
        writer.write(said)
        await writer.drain()
    writer.close()
