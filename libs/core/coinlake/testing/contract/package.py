"""Checks of what a plugin is made of: its settings, its keys, its files and its recordings."""

from __future__ import annotations

import ast
import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from structlog.testing import capture_logs

from coinlake.errors import FixConfiguration
from coinlake.testing.contract.planning import HISTORIES, ODD_MOMENTS, past
from coinlake.testing.contract.subject import SENTINEL, Subject
from coinlake.testing.contract.venue import Venue
from coinlake.testing.faults import Fault

MOST_LINES = 400
_CALLS = {"socket", "ssl", "http", "urllib.request", "httpx", "requests", "aiohttp", "urllib3", "subprocess"}
"""Modules with which a package would open connections of its own."""
_SECRET_NAME = re.compile(r"(^|_)(key|secret|token|password|passphrase)$")
_SECRET_PARAM = re.compile(r"(api.?key|secret|token|signature|password)", re.IGNORECASE)
_SECRET_HEADERS = {"authorization", "cookie", "set-cookie", "x-mbx-apikey"}


class SecretChecks:
    """Part of `SourceContract`."""

    def test_settings_refuse_unknown_keys(self, subject: Subject) -> None:
        """A misspelt setting stops the start, with its name."""
        try:
            subject.source(no_such_setting=1)
        except FixConfiguration as error:
            said = str(error)
        else:
            raise AssertionError("An unknown setting is taken. Derive them from `coinlake.settings.Table`.")
        assert "no_such_setting" in said, f"The refusal does not name the setting: {said}"

    def test_secret_settings_are_secrets(self, subject: Subject) -> None:
        """A key, token or password is of the type that prints as stars."""
        fields = subject.plugin.settings.model_fields
        shown = [name for name in fields if _SECRET_NAME.search(name) and name not in subject.secrets]
        assert not shown, f"Settings {', '.join(shown)} print as they are: give them the type Secret."

    def test_a_key_is_sent_in_a_header(self, subject: Subject) -> None:
        """Secret settings reach the venue, by `secret_headers`."""
        if not subject.secrets:
            return
        sent = subject.source_with_key().secret_headers.values()
        assert any(SENTINEL in secret.get_secret_value() for secret in sent), (
            f"Of {', '.join(subject.secrets)} nothing is in `secret_headers`: the key is never sent. If it "
            "needs another setting too, give it in `settings_with_key`."
        )

    def test_no_key_stands_in_a_request(self, subject: Subject) -> None:
        """Paths and parameters, which are stored and logged, hold no key."""
        source = subject.source_with_key()
        requests = [one for name in source.datasets for one in source.plan(name, ODD_MOMENTS[1])]
        for specimen in subject.specimens:
            requests += source.follow(specimen.capture)
            asset = str(specimen.rows[0]["asset"])
            begun = ODD_MOMENTS[1] - HISTORIES[0]
            requests += past(source, specimen.capture.dataset, asset, (begun, ODD_MOMENTS[1]))
        shown = [request for request in requests if SENTINEL in repr(request)]
        assert not shown, f"A key stands in {len(shown)} requests: send it by `secret_headers` only."

    def test_no_key_is_stored_or_shown(self, subject: Subject) -> None:
        """Captures, logs, errors, the screen and the source's own description hold no key."""
        if not subject.secrets:
            return  # what a venue repeats is nobody's key
        logged = io.StringIO()
        handler = logging.StreamHandler(logged)
        logging.getLogger().addHandler(handler)
        try:
            with redirect_stdout(logged), redirect_stderr(logged), capture_logs() as events:
                seen = list(_seen_with_key(subject))
        finally:
            logging.getLogger().removeHandler(handler)
        for where, text in (*seen, ("the log", f"{events}{logged.getvalue()}")):
            assert SENTINEL not in text, f"A key is shown in {where}. Keep it as a Secret to the very end."


class PackageChecks:
    """Part of `SourceContract`."""

    def test_no_file_is_too_long(self, subject: Subject) -> None:
        """A source is small: no file of it is longer than what one reads in one sitting."""
        for file in subject.package.glob("*.py"):
            lines = len(file.read_text(encoding="utf-8").splitlines())
            assert lines <= MOST_LINES, f"{file.name} has {lines} lines; split what is above {MOST_LINES}."

    def test_the_package_opens_no_connection(self, subject: Subject) -> None:
        """The core fetches; a source imports nothing that could."""
        for file in subject.package.glob("*.py"):
            if file.name.endswith("_test.py") or file.name == "conftest.py":
                continue
            found = _imports(file) & _CALLS
            assert not found, f"{file.name} imports {', '.join(found)}: say what to ask, the core asks it."

    def test_recordings_hold_no_key(self, subject: Subject) -> None:
        """Nothing secret was recorded: no key in a URL, no cookie, no authorization."""
        for recording in subject.recordings:
            pairs = parse_qsl(urlsplit(recording.url or "").query)
            wrong = [name for name, _ in pairs if _SECRET_PARAM.search(name)]
            wrong += [name for name in recording.headers if name in _SECRET_HEADERS]
            assert not wrong, (
                f"The recording {recording.path.name} holds {', '.join(wrong)}. Take it out of the file, and "
                "change the key."
            )


def _seen_with_key(subject: Subject) -> Iterator[tuple[str, str]]:
    """All that anybody gets to see of a source with a key, and where."""
    yield "repr(source)", f"{subject.source_with_key()!r} {subject.source_with_key()}"
    echo = Fault("status", status=401, times=1, body=f'{{"error":"bad key {SENTINEL}"}}'.encode())
    for name in subject.datasets:
        for faults in ([echo], []):
            with Venue(subject, name, faults, make=subject.source_with_key) as venue:
                yield f"the error of a slot of {name}", str(venue.captured().error)
                for capture in venue.lake.captures.values():
                    yield f"a capture of {name}", f"{capture.url} {capture.params} {capture.headers}"
                for feed in venue.state.feeds():
                    yield "the state", repr(feed)


def _imports(file: Path) -> set[str]:
    """The modules a file imports, and the packages they are of."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found | {name.split(".")[0] for name in found if not name.startswith("urllib")}
