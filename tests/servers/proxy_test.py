"""The network between two can be cut, held, slowed and refused; a cut is a reset."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from servers.ports import HOST
from servers.proxy import Proxy

_TIMEOUT_S = 10
_MUCH = bytes(range(256)) * 40_000


class Echo:
    """A server that sends back what it gets unless it is silent, and keeps it."""

    def __init__(self) -> None:
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.is_silent = False
        self.got = bytearray()
        self.ended: list[str] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._answer, args=[client]))
                self._threads[-1].start()
        except OSError:  # closed
            return

    def _answer(self, client: socket.socket) -> None:
        with client:
            try:
                while chunk := client.recv(65_536):
                    self.got += chunk
                    if not self.is_silent:
                        client.sendall(chunk)
                self.ended.append("closed")
            except ConnectionError:
                self.ended.append("reset")


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as echo:
        yield echo


@pytest.fixture
def proxy(echo: Echo, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(tmp_path / "port", echo.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connected(proxy) as client:
        yield client


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), _TIMEOUT_S)


def answer(client: socket.socket, said: bytes) -> bytes:
    """What comes back, as long as what was said; a test fails where it does not come."""
    sending = threading.Thread(target=client.sendall, args=[said])
    sending.start()
    got = received(client, len(said))
    sending.join(_TIMEOUT_S)
    return got


def received(client: socket.socket, count: int) -> bytes:
    got = bytearray()
    while len(got) < count and (chunk := client.recv(65_536)):
        got += chunk
    return bytes(got)


def wait_for_end(echo: Echo) -> list[str]:
    end = time.monotonic() + _TIMEOUT_S
    while not echo.ended:
        assert time.monotonic() < end, "the server's connection does not end"
        time.sleep(0.01)
    return echo.ended


def test_what_is_said_arrives_and_the_answer_comes_back(client: socket.socket) -> None:
    assert answer(client, _MUCH) == _MUCH


def test_an_orderly_end_stays_one(client: socket.socket, echo: Echo) -> None:
    assert answer(client, b"hello") == b"hello"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    assert wait_for_end(echo) == ["closed"]


def test_a_cut_resets_both_sides_and_new_connections_are_taken(
    client: socket.socket, echo: Echo, proxy: Proxy
) -> None:
    assert answer(client, b"hello") == b"hello"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert wait_for_end(echo) == ["reset"]
    with connected(proxy) as again:
        assert answer(again, b"hello again") == b"hello again"


def test_a_client_that_is_gone_is_gone_for_the_server_too(proxy: Proxy, echo: Echo) -> None:
    client = connected(proxy)
    client.sendall(b"hello")
    assert client.recv(5, socket.MSG_PEEK)
    client.close()  # with its answer there and not read, which is a reset
    assert wait_for_end(echo) == ["reset"]


def test_a_refusing_one_takes_no_connection_until_it_is_mended(client: socket.socket, proxy: Proxy) -> None:
    assert answer(client, b"hello") == b"hello"
    proxy.refuse()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.mend()
    with connected(proxy) as again:
        assert answer(again, b"hello again") == b"hello again"


def test_what_is_held_is_passed_on_in_the_end(client: socket.socket, echo: Echo, proxy: Proxy) -> None:
    proxy.hold()
    client.sendall(b"hello")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    assert echo.got == b""
    client.settimeout(_TIMEOUT_S)
    proxy.mend()
    assert received(client, 5) == b"hello"


def test_what_is_held_is_lost_in_a_cut(client: socket.socket, echo: Echo, proxy: Proxy) -> None:
    assert answer(client, b"hello") == b"hello"
    proxy.hold()
    client.sendall(b"again")
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert wait_for_end(echo) == ["reset"]
    proxy.mend()
    with connected(proxy) as another:
        assert answer(another, b"!") == b"!"
    assert echo.got == b"hello!"


@pytest.mark.parametrize("count", [1, 7, 70_001])
def test_exactly_so_many_bytes_arrive_before_a_cut(
    count: int, client: socket.socket, echo: Echo, proxy: Proxy
) -> None:
    echo.is_silent = True
    struck = proxy.cut_after(count)
    with suppress(ConnectionResetError):
        client.sendall(_MUCH)
    assert struck.wait(_TIMEOUT_S)
    assert wait_for_end(echo) == ["reset"]
    assert echo.got == _MUCH[:count]


def test_a_lost_reply_leaves_the_server_with_what_it_was_told(
    client: socket.socket, echo: Echo, proxy: Proxy
) -> None:
    struck = proxy.lose_reply(lambda said: b"COMMIT" in said)
    assert answer(client, b"BEGIN") == b"BEGIN"
    with connected(proxy) as other:
        client.sendall(b"COMMIT")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert struck.is_set()
        assert answer(other, b"ROLLBACK") == b"ROLLBACK"
        assert answer(other, b"COMMIT") == b"COMMIT"
    assert echo.got == b"BEGINCOMMITROLLBACKCOMMIT"


def test_a_slow_one_takes_its_time(client: socket.socket, proxy: Proxy) -> None:
    proxy.slow(1_000_000)
    began = time.monotonic()
    assert answer(client, _MUCH[:400_000]) == _MUCH[:400_000]
    assert time.monotonic() - began > 0.3
    proxy.mend()
    assert answer(client, _MUCH) == _MUCH


def test_without_a_server_a_connection_is_reset(tmp_path: Path) -> None:
    with (
        Proxy(tmp_path / "another", _free_port()) as nowhere,
        pytest.raises(ConnectionResetError),  # as early as in connecting, where the proxy is quick
        connected(nowhere) as client,
    ):
        client.recv(1)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
