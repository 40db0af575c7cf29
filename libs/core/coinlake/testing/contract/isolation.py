"""A stretch in which nothing outside the process can be reached: what is pure does not notice."""

from __future__ import annotations

import builtins
import io
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest import mock


@contextmanager
def cut_off(what: str) -> Iterator[None]:
    """Whoever opens a file or a socket within is refused; `what` is said to have done it."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError(
            f"{what} opened something ({args[:1]}). It is pure: its input in, rows out. "
            "Read what it needs when it is made."
        )

    with (
        mock.patch.object(builtins, "open", refuse),
        mock.patch.object(io, "open", refuse),  # the same, as pathlib calls it
        mock.patch.object(os, "open", refuse),
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
    ):
        yield
