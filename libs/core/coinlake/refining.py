"""Captures to rows that may be loaded: each source's decode, then the configured steps.

Pure, and the same in every engine: record batch in, record batches out. Code of a plugin that raises
costs the capture it raised on, which ends as one dead letter, and no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.decoding import originals
from coinlake.errors import FixConfiguration
from coinlake.model import REJECTS, TABLES, Decoded
from coinlake.plugins import Plugins, Step
from coinlake.source import Source

_REASON_CHARACTERS = 1_000

Decode = Callable[[pa.RecordBatch], Decoded]


class Refinery:
    """Refines captures of any of the given sources."""

    def __init__(self, decoders: Mapping[str, Decode], steps: Sequence[tuple[str, Step]]) -> None:
        self._decoders = decoders
        self._steps = steps

    def refine(self, captures: pa.RecordBatch) -> Decoded:
        """Rows to load and rejects with their original bytes, of captures (`model.CAPTURES`).

        Every row of every capture is in exactly one of the tables, but for repeats of what one holds.
        """
        sources = captures.column("source")
        parts = [
            self._refine_safely(source, captures.filter(pc.equal(sources, source)))
            for source in pc.unique(sources).to_pylist()
        ]
        return Decoded.joined(parts)

    def _refine_safely(self, source: str, captures: pa.RecordBatch) -> Decoded:
        """Refines captures of one source; whatever raises is narrowed down to its capture by halving."""
        stage = "decode"
        try:
            decoder = self._decoders.get(source)
            if decoder is None:
                raise LookupError(f"no plugin for source {source!r} is loaded")
            decoded = decoder(captures)
            for stage, step in self._steps:  # noqa: B007 (read where a step raises)
                decoded = step(decoded)
            return _with_originals(_checked(decoded), captures)
        except Exception as error:
            # Plugin code may raise anything; what it was stands in the dead letter.
            if captures.num_rows == 1:
                return reject_whole(captures, stage, f"{stage}_failed: {type(error).__name__}: {error}")
        half = captures.num_rows // 2
        halves = [self._refine_safely(source, part) for part in (captures[:half], captures[half:])]
        return Decoded.joined(halves)


def refinery_of(plugins: Plugins, sources: Mapping[str, Source], steps: Sequence[str]) -> Refinery:
    """The steps of those names, and a decoder for whatever may lie in the lake; `sources` are those in use.

    Raises `FixConfiguration` for a step that no plugin offers.
    """
    decoders: dict[str, Decode] = {name: source.decode for name, source in sources.items()}
    for name in plugins.sources.keys() - sources.keys():
        # No longer configured, but its captures can still be replayed and verified.
        try:
            decoders[name] = plugins.make_source(name, {}).decode
        except FixConfiguration:
            continue  # it cannot be made without settings; its captures would be dead letters
    return Refinery(decoders, list(zip(steps, plugins.steps(steps), strict=True)))


def reject_whole(captures: pa.RecordBatch, stage: str, reason: str) -> Decoded:
    """Captures as dead letters of a stage, whole, and nothing else of them."""
    # What raised chose the text: it may hold what no database stores, or a whole body.
    storable = reason[:_REASON_CHARACTERS].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    rejects = [
        {"capture_id": id_, "path": "", "stage": stage, "reasons": [storable], "original": body}
        for id_, body in zip(
            captures.column("capture_id").to_pylist(), captures.column("body").to_pylist(), strict=True
        )
    ]
    return Decoded().rejecting(rejects)


def _checked(decoded: Decoded) -> Decoded:
    """What plugins made, if it has the promised columns."""
    for table, (name, schema) in zip(decoded, TABLES.items(), strict=True):
        if table.schema != schema:
            raise TypeError(f"its {name} do not have the columns of model.{name.upper()}")
    return decoded


def _with_originals(decoded: Decoded, captures: pa.RecordBatch) -> Decoded:
    """Fills in the bytes of rejects that know only where they stood."""
    if decoded.rejects.column("original").null_count == 0:
        return decoded
    rejects = decoded.rejects.to_pylist()
    paths = defaultdict(set)
    for reject in rejects:
        if reject["original"] is None:
            paths[reject["capture_id"]].add(reject["path"])
    bodies = dict(
        zip(captures.column("capture_id").to_pylist(), captures.column("body").to_pylist(), strict=True)
    )
    found = {capture_id: originals(bodies[capture_id], wanted) for capture_id, wanted in paths.items()}
    for reject in rejects:
        if reject["original"] is None:
            reject["original"] = found[reject["capture_id"]][reject["path"]]
    return decoded._replace(rejects=pa.RecordBatch.from_pylist(rejects, REJECTS))
