"""Work that is done behind its caller, a piece at a time: a batch is closed while the next one is staged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self


class Behind:
    """Does what it is given in a thread of its own, in order; at most one piece of work is outstanding.

    Where one fails, whoever waits for it gets what it raised, and nothing is done after it. At the end of its
    context all is done. One thread at a time may give it work; any may ask how it is.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "behind")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    @property
    def is_busy(self) -> bool:
        """Whether something is being done."""
        return self._last is not None and not self._last.done()

    @property
    def has_failed(self) -> bool:
        """Whether what was given last has raised."""
        return self._last is not None and self._last.done() and self._last.exception() is not None

    def do(self, work: Callable[[], None]) -> None:
        """Waits for what was given before, and begins this; raises what the former has raised."""
        self.wait()
        self._last = self._thread.submit(work)

    def wait(self) -> None:
        """Waits until all is done; raises what the last has raised."""
        if self._last is not None:
            self._last.result()
