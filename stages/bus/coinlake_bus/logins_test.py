"""Each program has its login to Kafka by one command, with the rights of its part and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import BusSettings, Secret
from coinlake_bus.kafka import Bus
from coinlake_bus.logins import RIGHTS, give_logins
from servers.kafka import Kafka
from servers.ports import HOST, Port

BROKER = Secret("the-brokers-own")
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class Guarded(Kafka):
    """A broker with a listener for its own login, and one for logins that are given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        own, clients = Port(folder / "own.port"), Port(folder / "clients.port")
        self.own, self.clients = f"{HOST}:{own.number}", f"{HOST}:{clients.number}"
        for setting in ("listeners", "advertised.listeners"):
            self._settings[setting] += f",OWN://{self.own},CLIENTS://{self.clients}"
        password = BROKER.get_secret_value()
        self._settings |= {
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OWN:SASL_PLAINTEXT,CLIENTS:SASL_PLAINTEXT"
            ),
            "listener.name.own.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.own.plain.sasl.jaas.config": f'{_PLAIN} required user_broker="{password}";',
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:broker",
        }

    def bus_of(self, user: str, password: str) -> Bus:
        """The topic for one of the logins."""
        return Bus(settings(self.clients, user, password))


def settings(servers: str, user: str, password: str) -> BusSettings:
    return BusSettings(
        servers=servers, security_protocol="SASL_PLAINTEXT", username=user, password=Secret(password)
    )


def give(broker: Guarded, word: str, own_password: Secret = BROKER) -> list[str]:
    passwords = {name: Secret(f"{word}-{name}") for name in RIGHTS}
    return give_logins(settings(broker.clients, "setup", "any"), broker.own, own_password, passwords)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, kafka_program: object) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    with Guarded(folder) as broker:
        yield broker


def test_each_login_may_do_what_its_part_needs_and_no_more(broker: Guarded) -> None:
    give(broker, "first")
    broker.bus_of("setup", "first-setup").init()
    assert broker.bus_of("producer", "first-producer").topic(to="write")
    for reader in ("looker", "spark"):
        bus = broker.bus_of(reader, f"first-{reader}")
        assert bus.topic(to="read")
        with pytest.raises(FixConfiguration, match="Write is missing"):
            bus.topic(to="write")
    with pytest.raises(FixConfiguration, match="Read is missing"):
        broker.bus_of("producer", "first-producer").topic(to="read")


def test_given_again_the_new_password_takes_the_place_of_the_old_one(broker: Guarded) -> None:
    assert give(broker, "first") == give(broker, "second")
    broker.bus_of("setup", "second-setup").init()
    with pytest.raises(FixConfiguration, match=r"refuses us: .* invalid credentials"):
        broker.bus_of("setup", "first-setup").topic()


def test_another_password_of_the_broker_is_refused_in_a_sentence(broker: Guarded) -> None:
    with pytest.raises(FixConfiguration, match="refuses us: ") as told:
        give(broker, "third", Secret("not-the-brokers"))
    assert "not-the-brokers" not in str(told.value)
