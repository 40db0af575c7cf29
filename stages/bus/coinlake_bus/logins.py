"""Gives each program its login to Kafka, with the rights of its part and no more; done again, the same."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from coinlake.errors import TryAgain
from coinlake.settings import BusSettings, Secret
from coinlake_bus.kafka import Bus

BROKER = "broker"
"""The broker's own login, by a listener that only its own machine reaches."""
RIGHTS: Mapping[str, tuple[AclOperation, ...]] = {
    "setup": (
        AclOperation.CREATE,
        AclOperation.ALTER_CONFIGS,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.READ,
        AclOperation.WRITE,
    ),
    "looker": (AclOperation.READ, AclOperation.DESCRIBE_CONFIGS),
    "producer": (AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS),
    "spark": (AclOperation.READ, AclOperation.DESCRIBE_CONFIGS),
}
"""What each login may do with the topic; `setup` also repairs it."""

_ITERATIONS = 4096
_TIMEOUT_S = 30.0
_LOOK_AGAIN_S = 0.05


def give_logins(
    bus: BusSettings, own_listener: str, broker_password: Secret, passwords: Mapping[str, Secret]
) -> list[str]:
    """A login for each of `RIGHTS`, by the broker's own listener; a sentence for each. Errors as of `Bus`."""
    own = {
        "servers": own_listener,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "username": BROKER,
        "password": broker_password,
    }
    return _Own(bus.model_copy(update=own)).give(passwords)


class _Own(Bus):
    """The bus as its broker itself sees it."""

    def give(self, passwords: Mapping[str, Secret]) -> list[str]:
        logins: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(
                name,
                ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS),
                passwords[name].get_secret_value().encode(),
            )
            for name in RIGHTS
        ]
        topic = self.settings.topic
        allowed = [_allowed(topic, name, right) for name, rights in RIGHTS.items() for right in rights]
        for login in self._admin.alter_user_scram_credentials(logins).values():
            self._answer(login)
        for acl in self._admin.create_acls(allowed).values():
            self._answer(acl)
        self._wait_until_known()
        return [
            f"Gave {name} the rights {', '.join(right.name for right in rights)}."
            for name, rights in RIGHTS.items()
        ]

    def _wait_until_known(self) -> None:
        """A login is the controller's at once, and the broker's a moment later."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not self._are_known():
            if time.monotonic() > deadline:
                raise TryAgain(f"Kafka at {self.settings.servers} does not know the new logins yet.")
            time.sleep(_LOOK_AGAIN_S)

    def _are_known(self) -> bool:
        asked = self._admin.describe_user_scram_credentials([*RIGHTS])
        assert isinstance(asked, dict)  # a future alone is of a call for all users
        try:
            for described in asked.values():
                described.result(_TIMEOUT_S)
        except KafkaException:
            return False
        return True


def _allowed(topic: str, name: str, right: AclOperation) -> AclBinding:
    return AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{name}",
        "*",
        right,
        AclPermissionType.ALLOW,
    )
