"""Puts the parts of a deployment together from the settings: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from coinlake import assets
from coinlake import plugins as plugin_loading
from coinlake.clock import Clock, SystemClock
from coinlake.lake import Lake
from coinlake.pipeline import Pipeline
from coinlake.plugins import Broken, Plugins
from coinlake.refining import Refinery, refinery_of
from coinlake.settings import Settings, WarehouseSettings
from coinlake.source import Source
from coinlake.state import State
from coinlake_cli import distributed, folder
from coinlake_lake.sqlite import SqliteLake
from coinlake_warehouse.embedded import READER, EmbeddedServer
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.preparing import claim, prepare
from coinlake_warehouse.reading import Reader
from coinlake_warehouse.rights import grant_reader, has_login

BUILT_IN = (
    "coinlake_binance.plugin",
    "coinlake_coinbase.plugin",
    "coinlake_coingecko.plugin",
    "coinlake_refine.plugin",
)
"""Modules of the plugins that ship with Coinlake."""


def load_plugins(
    settings: Settings, observers: Iterable[object] = (), broken: Broken | None = None
) -> Plugins:
    """The built-in plugins, those named in the settings, and the installed ones; see `plugins.load`."""
    return plugin_loading.load([*BUILT_IN, *settings.plugins], observers=observers, broken=broken)


def make_sources(plugins: Plugins, settings: Settings, broken: Broken | None = None) -> dict[str, Source]:
    """The configured sources by name; one that cannot be made is left out into `broken`, if that is given."""
    made = {}
    for name, given in settings.sources.items():
        with plugin_loading.left_out(broken):
            made[name] = plugins.make_source(name, given)
    return made


@dataclass(frozen=True)
class Addresses:
    """Where the warehouse is: for the owner who loads, and for people who read. Both hold passwords."""

    owner: str
    reader: str


@dataclass
class Deployment:
    """Everything a command may need, open for as long as the `with` of `opened` lasts."""

    settings: Settings
    kind: folder.Kind
    plugins: Plugins
    sources: Mapping[str, Source]
    """The configured sources, by name."""
    refinery: Refinery
    clock: Clock
    state: State
    lake: Lake
    server: EmbeddedServer | None
    """None where `warehouse.dsn` names a server of the user's."""
    _addresses: Addresses | None
    _parts: ExitStack

    @property
    def addresses(self) -> Addresses:
        """Where the warehouse is, which must have been opened."""
        assert self._addresses is not None, "opened without its warehouse"
        return self._addresses

    @property
    def loads(self) -> bool:
        """Whether this program loads the warehouse; in the distributed profile Spark does."""
        return self.settings.profile == "embedded"

    @cached_property
    def warehouse(self) -> PostgresWarehouse:
        """Where batches are loaded."""
        return self._parts.enter_context(closing(PostgresWarehouse(self.addresses.owner, self.clock)))

    @cached_property
    def reader(self) -> Reader:
        """What people and the page see of the warehouse."""
        return self._parts.enter_context(Reader(self.addresses.reader))

    @cached_property
    def pipeline(self) -> Pipeline:
        """From the lake's tail to the warehouse."""
        return Pipeline(
            self.lake,
            self.warehouse,
            self.refinery,
            self.settings.refine,
            clock=self.clock,
            observe=self.plugins.observe,
        )

    def catch_up(self) -> None:
        """Loads all that is in the lake, where this program loads."""
        if self.loads:
            self.pipeline.catch_up()

    def revive(self) -> None:
        """Starts the embedded server again if it is gone. Raises `TryAgain` while it cannot be."""
        if self.server is not None:
            self.server.start()

    def now(self) -> datetime:
        """The present for this deployment: a demo's is when its newest answer was received."""
        if self.kind == "live":
            return self.clock.now()
        feeds = self.state.feeds()
        moments = [
            moment for feed in feeds for moment in (feed.last_attempt_at, feed.last_success_at) if moment
        ]
        return max(moments, default=self.clock.now())


def begun(settings: Settings) -> folder.Kind:
    """What the deployment of the settings is; `FixConfiguration` where none was begun in its folder.

    In the distributed profile the folder has only this machine's own notes, so a new one is as good.
    """
    if settings.profile == "distributed":
        return folder.mark_of(settings.folder) or "live"
    return folder.kind_of(settings.folder)


@contextmanager
def opened(
    settings: Settings,
    *,
    kind: folder.Kind | None = None,
    alone: bool = False,
    warehouse: bool = True,
    clock: Clock | None = None,
    observers: Iterable[object] = (),
    broken: Broken | None = None,
) -> Iterator[Deployment]:
    """Opens the deployment in `settings.folder`: lake, state and warehouse, the embedded server started.

    In the distributed profile lake and warehouse are the servers of the settings, which must run and hold a
    lake; but a demo is embedded whatever the settings say, as no key and no server is needed for one.
    `kind` is what the folder must hold, or will where it is new; None takes what it holds, and refuses a
    folder that holds no deployment. `alone`: refuses a folder that another program polls into. Without its
    `warehouse` that may be away: it is neither started nor asked for. Plugins that are broken stop the start,
    or are left out into the list `broken` if one is given. What is wrong with the settings is told before
    anything is made of the folder. Everything is closed at the end, and the embedded server stopped unless
    another program still uses it.
    """
    plugins = load_plugins(settings, observers, broken)
    sources = make_sources(plugins, settings, broken)
    refinery = refinery_of(plugins, sources, settings.refine.steps)
    known = assets.load(settings.assets)
    kind = kind or begun(settings)
    if kind == "demo":
        embedded = {"profile": "embedded", "warehouse": WarehouseSettings()}
        settings = settings.model_copy(update=embedded)
    with ExitStack() as parts:
        lake: Lake | None = None
        if settings.profile == "distributed":
            lake = parts.enter_context(distributed.open_lake(settings))
        addresses = _prepared(settings, known) if warehouse else None
        if lake and addresses:
            claim(addresses.owner, lake.id)
        folder.claim(settings.folder, kind)
        if alone:
            parts.enter_context(folder.only_runner(settings.folder))
        state = parts.enter_context(State(settings.folder))
        lake = lake or parts.enter_context(SqliteLake(settings.folder / "lake.db"))
        server: EmbeddedServer | None = None
        if warehouse and addresses is None:
            server = parts.enter_context(EmbeddedServer(settings.folder / "warehouse"))
            addresses = _prepared_embedded(settings, server, known)
        yield Deployment(
            settings=settings,
            kind=kind,
            plugins=plugins,
            sources=sources,
            refinery=refinery,
            clock=clock or SystemClock(),
            state=state,
            lake=lake,
            server=server,
            _addresses=addresses,
            _parts=parts,
        )


def _prepared(settings: Settings, known: Sequence[assets.Asset]) -> Addresses | None:
    """The warehouse on a server of the user's, made ready; None where the settings name none."""
    if settings.warehouse.dsn is None:
        return None
    dsn = settings.warehouse.dsn.get_secret_value()
    prepare(dsn, known)
    return Addresses(dsn, dsn)


def _prepared_embedded(
    settings: Settings, server: EmbeddedServer, known: Sequence[assets.Asset]
) -> Addresses:
    """The warehouse on the embedded server, made ready."""
    with folder.one_at_a_time(settings.folder):
        prepare(server.dsn, known)
        if not has_login(server.dsn, READER):
            grant_reader(server.dsn, READER, server.reader_password)
        return Addresses(server.dsn, server.reader_dsn)
