"""A network that can be cut: a proxy on loopback between a client and a server.

A cut is a reset, as when a machine or a router is gone, and not the orderly end of a connection. What was
passed on before it has arrived; what was not is lost.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from servers.ports import HOST, Port

_CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: what is not sent is dropped
_CALL_TIMEOUT_S = 10


@dataclass(eq=False)
class _Connection:
    """A client's connection and ours to the server; `is_doomed`: no reply comes back on it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_doomed: bool = False

    def cut(self) -> None:
        for writer in (self.client, self.server):
            _reset(writer)


class Proxy:
    """Passes clients' bytes to the port `target` of loopback, and replies back, until told not to.

    It listens on `port`, which stays its own until `close`; the file keeps the number. As a context manager
    it is closed at the end. For one thread.
    """

    def __init__(self, file: Path, target: int) -> None:
        self._port = Port(file)
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy of {target}", daemon=True)
        self._thread.start()
        self._connections: set[_Connection] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._bytes_per_s = 0
        self._bytes_left = 0
        """Until the cut that `cut_after` asked for; 0: none is asked for."""
        self._losing: Callable[[bytes], bool] | None = None
        self._struck = threading.Event()
        self._listening: asyncio.Server | None = None
        self._call(self._listen())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Where clients connect to."""
        return self._port.number

    def cut(self) -> None:
        """Resets all connections; new ones are taken."""
        self._call(self._cut())

    def refuse(self) -> None:
        """Resets all connections, and takes no new ones until `mend`."""
        self._call(self._refuse())

    def hold(self) -> None:
        """Takes connections and bytes and passes nothing on; `mend` passes on what was held."""
        self._passes.clear()

    def slow(self, bytes_per_s: int) -> None:
        """Passes on so many bytes a second in each direction of a connection."""
        self._bytes_per_s = bytes_per_s

    def cut_after(self, count: int) -> threading.Event:
        """Resets all connections when so many more bytes have passed, in whatever direction; set then."""
        struck = self._struck = threading.Event()
        self._bytes_left = count
        return struck

    def lose_reply(self, asked: Callable[[bytes], bool]) -> threading.Event:
        """Resets a connection in place of the reply to the next bytes of a client that are `asked` for.

        The server has done by then what the bytes told it, and the client cannot know; set then.
        """
        struck = self._struck = threading.Event()
        self._losing = asked
        return struck

    def mend(self) -> None:
        """From now on all passes."""
        self._bytes_per_s, self._bytes_left, self._losing = 0, 0, None
        self._call(self._mend())

    def close(self) -> None:
        """Ends all connections, and gives the port back."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._port.release()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_TIMEOUT_S)

    async def _listen(self) -> None:
        self._listening = await asyncio.start_server(self._serve, HOST, self.port)

    async def _cut(self) -> None:
        for connection in self._connections:
            connection.cut()

    async def _refuse(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        await self._cut()

    async def _mend(self) -> None:
        self._passes.set()
        if self._listening is None:
            await self._listen()

    async def _end(self) -> None:
        await self._refuse()
        self._passes.set()
        while self._connections:
            await asyncio.sleep(0)

    async def _serve(self, asking: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answering, server = await asyncio.open_connection(HOST, self._target)
        except OSError:
            _reset(client)
            return
        connection = _Connection(client, server)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._pass_on(asking, server, connection), self._pass_on(answering, client, connection)
            )
        finally:
            self._connections.discard(connection)
            client.close()
            server.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        try:
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._passes.wait()
                if self._is_lost(chunk, writer, connection):
                    self._struck.set()
                    return
                await writer.drain()
                if self._bytes_per_s:
                    await asyncio.sleep(len(chunk) / self._bytes_per_s)
            writer.write_eof()
        except OSError:  # one of the two is gone, so the other gets to know
            connection.cut()

    def _is_lost(self, chunk: bytes, writer: asyncio.StreamWriter, connection: _Connection) -> bool:
        """Writes the chunk, or what comes of it before the cut that was asked for; True then."""
        if writer is connection.client and connection.is_doomed:
            connection.cut()
            return True
        if writer is connection.server and self._losing is not None and self._losing(chunk):
            self._losing, connection.is_doomed = None, True
        if not 0 < self._bytes_left <= len(chunk):
            writer.write(chunk)
            self._bytes_left = max(0, self._bytes_left - len(chunk))
            return False
        writer.write(chunk[: self._bytes_left])
        self._bytes_left = 0
        for each in self._connections:
            each.cut()
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
