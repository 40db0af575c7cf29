"""`coinlake lake init` and `coinlake bus init`: the servers of the distributed profile, made ready.

With logins they begin on a new server, from its own machine, with the passwords of `coinlake env init`.
"""

from __future__ import annotations

import os

from coinlake.errors import FixConfiguration
from coinlake.settings import Secret, Settings
from coinlake_bus import logins as bus_logins
from coinlake_bus.kafka import Bus
from coinlake_cli.distributed import lake_url
from coinlake_cli.output import Output, Table
from coinlake_lake import mongo_logins
from coinlake_lake.mongo_setup import set_up

_WHOLE = "The lake is as it should be."


def lake_init(settings: Settings, output: Output, *, logins: bool) -> None:
    """Makes the lake in MongoDB, or completes it, and shows what was done."""
    url = lake_url(settings)
    if not logins:
        return _show(output, "Lake", set_up(url) or [_WHOLE])
    passwords = {name: _password(f"MONGO_{name.upper()}_PASSWORD") for name in mongo_logins.ROLES}
    server = mongo_logins.OwnMachine(url, _password("MONGO_ROOT_PASSWORD"))
    done = [*server.begin(), *set_up(url), *server.give_logins(passwords)]
    return _show(output, "Lake", done or [_WHOLE])


def bus_init(settings: Settings, output: Output, *, own_listener: str | None) -> None:
    """Makes the topic in Kafka, or sets it to the settings, and shows what was done and what differs."""
    done: list[str] = []
    if own_listener is not None:
        passwords = {name: _password(f"KAFKA_{name.upper()}_PASSWORD") for name in bus_logins.RIGHTS}
        broker = _password("KAFKA_BROKER_PASSWORD")
        done += bus_logins.give_logins(settings.bus, own_listener, broker, passwords)
    _show(output, "Bus", [*done, *Bus(settings.bus).init()])


def _password(name: str) -> Secret:
    given = os.environ.get(name)
    if not given:
        raise FixConfiguration(
            f"The variable {name} is not set, and a login is to have it: `coinlake env init` writes it."
        )
    return Secret(given)


def _show(output: Output, title: str, said: list[str]) -> None:
    output.show(said, Table(title, ("done",), [(line,) for line in said]))
