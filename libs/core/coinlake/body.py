"""The body of an answer, gathered piece by piece within a limit that holds for what it unpacks to."""

from __future__ import annotations

import zlib

from coinlake.errors import Refused, TryAgain

ACCEPT_ENCODING = "gzip"

_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
"""`wbits` that tells the two apart by their headers."""


class Body:
    """Bytes of one answer, unpacked as they come; never holds more than `limit_bytes` of them.

    HTTP clients unpack whole pieces of any size in any number of layers, and take a gzip body without
    its end for a whole one. This one stops at the limit to the byte and knows an end from a cut.
    """

    def __init__(self, encoding: str, limit_bytes: int) -> None:
        if encoding not in (*_PLAIN, *_PACKED):
            raise Refused(f"the answer is packed as {encoding!r}, which was not asked for")
        self._unpacks = encoding in _PACKED
        self._unpacker: zlib._Decompress | None = None
        self._limit_bytes = limit_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Takes the next bytes off the wire. Raises `Refused` past the limit, `TryAgain` for damage."""
        if not self._unpacks:
            self._keep(piece)
            return
        while piece:
            if self._unpacker is None:  # the first piece, or the next member of a gzip body
                self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                self._keep(self._unpacker.decompress(piece, self._limit_bytes - self._size + 1))
            except zlib.error as error:
                raise TryAgain(f"the answer cannot be unpacked: {error}") from None
            piece = self._unpacker.unused_data
            if self._unpacker.eof:
                self._unpacker = None

    def whole(self) -> bytes:
        """All bytes, once the last piece was taken. Raises `TryAgain` where the packed end is missing."""
        if self._unpacker is not None:
            raise TryAgain("the answer was cut: its packed body has no end")
        return b"".join(self._pieces)

    def _keep(self, unpacked: bytes) -> None:
        self._size += len(unpacked)
        if self._size > self._limit_bytes:
            raise Refused(f"the answer is longer than {self._limit_bytes} bytes (`fetch.body_limit_bytes`)")
        self._pieces.append(unpacked)
