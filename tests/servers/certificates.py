"""A certificate authority of a test's own, and what it signs for this machine's loopback, by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from servers.fetch import Missing
from servers.ports import HOST

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(folder: Path) -> Path:
    """The certificate of a new authority, in PEM; its key lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = folder / "ca.pem"
    _openssl("req", "-x509", *_KEY, "-keyout", folder / "ca.key", "-out", certificate, "-subj", "/CN=test CA")
    return certificate


def make_server_identity(authority: Path) -> Path:
    """Key and certificate for a server on loopback, signed by the authority: one PEM, beside it."""
    folder = authority.parent
    key, certificate, identity = folder / "server.key", folder / "server.pem", folder / "identity.pem"
    signed_by = ("-CA", authority, "-CAkey", authority.with_suffix(".key"))
    name = ("-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST},DNS:localhost")
    _openssl("req", "-x509", *_KEY, *signed_by, *name, "-keyout", key, "-out", certificate)
    identity.write_text(key.read_text(encoding="ascii") + certificate.read_text(encoding="ascii"))
    identity.chmod(0o600)
    return identity


def _openssl(*arguments: str | Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise Missing("There is no openssl: `apt-get install openssl` (Debian), then TLS can be tried.")
    subprocess.run([program, *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)
