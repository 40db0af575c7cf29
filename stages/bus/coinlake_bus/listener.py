"""Whether broker and settings agree on TLS.

A client that speaks the wrong way only ever sees its connection end, as it does when a broker is restarted.
So it is tried out here, with a handshake and nothing behind it.
"""

from __future__ import annotations

import socket
import ssl
import time

from coinlake.errors import FixConfiguration
from coinlake.settings import BusSettings

_TIMEOUT_S = 2.0
_AGAIN_S = 0.5
_PORT = 9092


def misfit(bus: BusSettings) -> FixConfiguration | None:
    """The refusal where one side speaks TLS and the other does not; None where they agree or none answers."""
    has_tls = _speaks_tls(*_address(bus.servers))
    if has_tls and not bus.security_protocol.endswith("SSL"):
        return FixConfiguration(
            f"Kafka at {bus.servers} speaks TLS, and bus.security_protocol is {bus.security_protocol}: set "
            "it to SASL_SSL (without a login: SSL), and bus.ca_file to the certificate that signed its own."
        )
    if has_tls is False and bus.security_protocol.endswith("SSL"):
        return FixConfiguration(
            f"Kafka at {bus.servers} speaks no TLS, and bus.security_protocol is {bus.security_protocol}: "
            "name its listener that does in bus.servers, or set the protocol that this one has."
        )
    return None


def _address(servers: str) -> tuple[str, int]:
    host, _, port = servers.split(",")[0].strip().rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() else (servers, _PORT)


def _speaks_tls(host: str, port: int) -> bool | None:
    """None where nobody answers. That it does not is believed when it hung up twice, with a pause between: a
    broker that was stopped in the midst of it does not answer by then."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whose it is, the client finds out
    for pause_s in (_AGAIN_S, 0.0):
        try:
            plain = socket.create_connection((host, port), _TIMEOUT_S)
        except OSError:
            return None
        try:
            with plain, context.wrap_socket(plain):
                return True
        except TimeoutError:
            return None
        except OSError:  # hung up, or answered in another tongue
            time.sleep(pause_s)
    return False
