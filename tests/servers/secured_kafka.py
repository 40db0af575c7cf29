"""A Kafka broker with a second listener as people run one: TLS, SCRAM logins, and no right ungranted.

The first listener stays open, for the test itself: whoever comes by it may do anything. Users and their
rights are made by it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from servers.certificates import make_authority, make_server_identity
from servers.kafka import Kafka
from servers.ports import HOST, Port

_TIMEOUT_S = 30
_ITERATIONS = 4096


class SecuredKafka(Kafka):
    """A broker whose `secured_servers` take SASL_SSL with SCRAM-SHA-512; `ca_file` signed it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._secured_port = Port(self._folder / "secured.port")
        self.ca_file = make_authority(self._folder / "certificates")
        identity = make_server_identity(self.ca_file)
        for setting in ("listeners", "advertised.listeners"):
            self._settings[setting] += f",CLIENTS://{self.secured_servers}"
        self._settings |= {
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:SASL_SSL",
            "listener.name.clients.ssl.keystore.type": "PEM",
            "listener.name.clients.ssl.keystore.location": str(identity),
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    @property
    def secured_servers(self) -> str:
        """Host and port of the listener with TLS and logins."""
        return f"{HOST}:{self._secured_port.number}"

    def close(self) -> None:
        super().close()
        self._secured_port.release()

    def make_user(self, name: str, topic: str, rights: Sequence[AclOperation]) -> str:
        """A user that may do so much with one topic, and nothing else; its password."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        password = secrets.token_hex(16)
        login = UserScramCredentialUpsertion(
            name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS), password.encode()
        )
        made = [*admin.alter_user_scram_credentials([login]).values()]
        allowed = [
            AclBinding(
                ResourceType.TOPIC,
                topic,
                ResourcePatternType.LITERAL,
                f"User:{name}",
                "*",
                right,
                AclPermissionType.ALLOW,
            )
            for right in rights
        ]
        made += [*admin.create_acls(allowed).values()] if allowed else []
        for answer in made:
            answer.result(_TIMEOUT_S)
        return password
