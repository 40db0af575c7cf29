"""The local page's server: inside the caller's event loop, on loopback unless told otherwise."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from nicegui import app, ui

from coinlake.errors import FixConfiguration
from coinlake.settings import PageSettings
from coinlake.state import FeedState
from coinlake_cli.page import batches, coin, dead_letters, health, overview, prices, venues
from coinlake_cli.page.desk import Desk, Replay, Vitals
from coinlake_cli.page.guard import Guard
from coinlake_cli.page.shelf import Shelf
from coinlake_warehouse.reading import Reader

log = structlog.get_logger()

_STATIC = Path(__file__).parent / "static"
_GOODBYE_S = 2
"""How long open connections get to end when the page stops."""

_VIEWS = (overview, prices, coin, venues, dead_letters, batches, health)


class Page:
    """The page of one program: at most one in a process at a time, because NiceGUI is one per process.

    `feeds`, `replay`, `now`, `vitals` are asked while people look. `banner`, if any, stands above every view.
    """

    def __init__(
        self,
        settings: PageSettings,
        *,
        reader: Reader,
        feeds: Callable[[], list[FeedState]],
        replay: Replay,
        now: Callable[[], datetime],
        banner: str | None = None,
        vitals: Vitals | None = None,
    ) -> None:
        self._settings = settings
        self._desk = Desk(Shelf(reader), feeds, replay, now, banner, vitals or Vitals())
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Starts serving and returns the page's URL.

        Raises `FixConfiguration`, naming `page.port` or `page.host`, where it cannot listen there.
        """
        listener = _listen(self._settings.host, self._settings.port)
        host, port = listener.getsockname()[:2]
        for view in _VIEWS:
            view.register(self._desk)
        guarded = Guard(_application(), self._settings.host)
        config = uvicorn.Config(
            guarded,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=_GOODBYE_S,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.01)
        if self._serving.done():
            self._serving.result()
            raise FixConfiguration("The page's server stopped at its start; its log says why.")
        if not ipaddress.ip_address(host).is_loopback:
            log.warning("page.open_to_network", host=host, hint="anyone who reaches it can read and replay")
        return f"http://{_in_url(self._settings.host, host)}:{port}/"

    async def stop(self) -> None:
        """Stops serving; open pages say that they lost the connection."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        self._server = self._serving = None


class _Server(uvicorn.Server):
    """A server that leaves signals to the program it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@cache
def _application() -> FastAPI:
    """The process's one application: NiceGUI can be set up once."""
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_static_files("/static", _STATIC)
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css">', shared=True)
    ui.run_with(
        application,
        title="Coinlake",
        favicon=_STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
    )
    return application


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = f"page.port: port {port} of {host} is taken, perhaps by a Coinlake that runs already"
            raise FixConfiguration(
                f"{hint}. Stop that, or give --port 0, which takes any free one."
            ) from None
        if error.errno == errno.EACCES:
            hint = f"page.port: this user may not listen on port {port}"
            raise FixConfiguration(f"{hint}. Set one above 1023.") from None
        raise FixConfiguration(
            f"page.host: cannot listen on {host!r}: {error.strerror}. Set an address of this machine."
        ) from None


def _in_url(given: str, bound: str) -> str:
    """What people can open: the given host, but this machine where every address is listened on."""
    with suppress(ValueError):
        if ipaddress.ip_address(bound).is_unspecified:
            return "127.0.0.1"
    return f"[{given}]" if ":" in given else given
