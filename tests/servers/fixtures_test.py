"""What a test run says when a server is missing, and when a test with a server fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import fetch

pytest_plugins = ["pytester"]


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java, Maven or anything fetched."""
    monkeypatch.setattr(fetch, "CACHE", tmp_path / "a cache")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)


def run_a_test(pytester: pytest.Pytester, fixture: str, body: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest("from servers.fixtures import *\n")
    pytester.makepyfile(f"def test_it({fixture}):\n    {body}\n")
    return pytester.runpytest_inprocess("-ra")


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_server_is_a_skip_that_says_how_to_get_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = run_a_test(pytester, "kafka_broker", "assert False")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("SKIPPED*There is no java: `apt-get install openjdk-17-jre-headless`*")


@pytest.mark.usefixtures("nothing_installed")
def test_under_ci_a_missing_server_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    result = run_a_test(pytester, "kafka_broker", "assert True")
    result.assert_outcomes(errors=1)


@pytest.mark.usefixtures("mongod_program")
def test_a_failed_test_shows_the_end_of_its_servers_log(pytester: pytest.Pytester) -> None:
    result = run_a_test(pytester, "mongo_standalone", "assert False")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the end of the server's log*", "*Waiting for connections*"])


@pytest.mark.usefixtures("mongod_program")
def test_a_passed_test_shows_no_log(pytester: pytest.Pytester) -> None:
    result = run_a_test(pytester, "mongo_standalone", "assert True")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*the end of the server's log*")
