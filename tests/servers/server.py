"""What MongoDB, Kafka and PostgreSQL have in common here: a folder, a life, and a last word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Server(ABC):
    """A server on loopback that can be stopped or killed, and started again on its files and ports.

    As a context manager it is started, and closed at the end.
    """

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def runs(self) -> bool:
        """Whether it was started and has not ended."""

    @abstractmethod
    def start(self) -> None:
        """Starts it, which must be down, and waits until it serves."""

    @abstractmethod
    def stop(self) -> None:
        """Stops it in its own good way; without a running one does nothing."""

    @abstractmethod
    def kill(self) -> None:
        """Ends it there and then, as a power cut would; without a running one does nothing."""

    @abstractmethod
    def close(self) -> None:
        """Stops it for good, and gives its ports back."""

    @abstractmethod
    def how_to_reach(self) -> str:
        """Two lines for people: its address, and what opens it in a shell."""

    @abstractmethod
    def last_words(self) -> str:
        """The end of its log."""
