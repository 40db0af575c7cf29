"""Checks of how a page becomes rows: nothing lost, nothing made up, the neighbours unharmed."""

from __future__ import annotations

import random
import tracemalloc
from datetime import timedelta

import msgspec
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake.decoding import originals
from coinlake.model import Capture, Decoded
from coinlake.testing.contract.digits import DIGITS, altered, changes
from coinlake.testing.contract.isolation import cut_off
from coinlake.testing.contract.subject import Subject, decode, facts, rows_of, with_body
from coinlake.testing.contract.tampering import built, fields, tokens

BATCH_CAPTURES = 200
"""Captures of a batch, as `refine.batch_captures`."""
BATCH_BODY_BYTES = 2_000_000
BYTES_PER_BYTE = 60
"""Memory that decoding may take for each byte of the answers, beside `SPARE_BYTES`."""
SPARE_BYTES = 48_000_000
_UNKNOWN = b'{"deep":[1.10,2e5,null],"e":"\\u00e9"}'
_NO_ROWS = (b"17", b'"x"', b"null", b"true")

calmly = settings(
    deadline=None, max_examples=25, database=None, suppress_health_check=list(HealthCheck), derandomize=True
)


class RowChecks:
    """Part of `SourceContract`."""

    def test_every_dataset_has_a_recorded_row(self, subject: Subject) -> None:
        """Without a recording that has rows nothing about a dataset can be promised."""
        have = {specimen.capture.dataset for specimen in subject.specimens}
        lacking = sorted(set(subject.source().datasets) - have)
        assert not lacking, (
            f"No recording of {', '.join(lacking)} decodes to rows alone. Record one (docs/recordings.md) "
            "with its URL, or tell its dataset by overriding `dataset_of`."
        )

    def test_every_recording_becomes_rows_or_rejects(self, subject: Subject) -> None:
        """An answer that holds anything does not decode to nothing."""
        for capture, decoded in subject.decoded:
            made = len(rows_of(decoded)) + decoded.rejects.num_rows
            assert made or _is_empty(capture.body), (
                f"{capture.url}: nothing came of the recording of {capture.received_at}, not even a reject "
                "that says why."
            )

    def test_rejects_say_why_and_keep_their_bytes(self, subject: Subject) -> None:
        """A dead letter names its stage, every reason, its capture, and bytes that were received."""
        for specimen, _, text, _, decoded in altered(subject, b'{"a":7}', b"[7]"):
            for reject in decoded.rejects.to_pylist():
                told = reject["reasons"] and all(reject["reasons"])
                assert told, f"A row with {text.decode()} in it is refused without a reason."
                assert reject["stage"] == "decode", f"The stage of a reject is {reject['stage']!r}."
                body = specimen.capture.body.replace(specimen.row, b"", 1)
                kept = reject["original"]
                assert kept is None or kept in body or text in kept, "A reject's bytes were never received."

    def test_rows_name_their_place(self, subject: Subject) -> None:
        """`path` leads to the row's own bytes in the body."""
        for capture, decoded in subject.decoded:
            rows = rows_of(decoded)
            written = tokens(capture.body)
            places = originals(capture.body, {row["path"] for row in rows})
            for row in rows:
                found = not row["path"] or places[row["path"]] is not capture.body
                assert found, f"{capture.url}: {row['path']!r} leads to no row of the body."
                there = tokens(places[row["path"]])
                lost = [row[n] for n in DIGITS if row.get(n) in written and row[n] not in there]
                assert not lost, (
                    f"{capture.url}: row {row['path']} holds {lost}, which stand elsewhere in the body. "
                    "`path` is the JSON pointer of the row."
                )

    def test_rows_name_their_capture(self, subject: Subject) -> None:
        """Source, capture, time of receipt and the mark of made-up answers are those of the capture."""
        for capture, decoded in subject.decoded:
            for row in rows_of(decoded):
                said = (row["source"], row["capture_id"], row["fetched_at"], row["synthetic"])
                true = (subject.source().name, str(capture.id), capture.received_at, capture.synthetic)
                assert said == true, f"{capture.url}: row {row['path']} says {said}, its capture {true}."

    def test_an_unknown_key_is_kept_with_its_exact_text(self, subject: Subject) -> None:
        """A field the venue adds tomorrow costs no row and is in `extra`, digit for digit."""
        for specimen in subject.specimens:
            values = fields(specimen.row)
            new = len(values) if isinstance(next(iter(values), 0), int) else "coinlake_unknown"
            row = built(specimen.row, {**values, new: _UNKNOWN})
            rows = specimen.of(rows_of(decode(subject.source(), specimen.altered(row))))
            where = f"{specimen.capture.dataset}: a row with an unknown key"
            assert rows, f"{where} is refused. Venues add keys without notice."
            assert any(_UNKNOWN.decode() in (row["extra"] or "") for row in rows), (
                f"{where} loses it: `extra` is {rows[0]['extra']!r}. It keeps what no column took, verbatim."
            )
            changed = list(changes(specimen, rows))
            assert not changed, f"{where} changes {changed}."

    def test_a_missing_key_costs_at_most_its_row(self, subject: Subject) -> None:
        """A field the venue drops gives a null or a reject that names it."""
        for specimen in subject.specimens:
            values = fields(specimen.row)
            for key in values:
                left = {one: text for one, text in values.items() if one != key}
                if isinstance(key, int):
                    left = {one: text for one, text in values.items() if isinstance(one, int) and one < key}
                decoded = decode(subject.source(), specimen.altered(built(specimen.row, left)))
                rows = specimen.of(rows_of(decoded))
                where = f"{specimen.capture.dataset}: without {key}"
                assert rows or decoded.rejects.num_rows, f"{where} the row is gone without a reject."
                made_up = [change for change in changes(specimen, rows) if change[2] is not None]
                assert not made_up, f"{where} columns are made up: {made_up}. Leave them null."

    def test_a_bad_row_costs_none_of_its_neighbours(self, subject: Subject) -> None:
        """What is no row at all becomes a reject; every other row of the page is as it was."""
        for specimen in subject.specimens:
            for text in _NO_ROWS if specimen.path else ():
                decoded = decode(subject.source(), specimen.altered(text))
                where = f"{specimen.capture.dataset}: with {text.decode()} in place of row {specimen.path}"
                assert decoded.rejects.num_rows, f"{where} nothing is rejected."
                others = specimen.others(rows_of(decoded))
                assert others == specimen.others(specimen.rows), f"{where} its neighbours are not as before."

    def test_a_cut_page_is_told_and_makes_no_row_up(self, subject: Subject) -> None:
        """Of a body that ends too early, only rows that were whole; and a reject says that it is cut."""
        for specimen in subject.specimens:
            body = specimen.capture.body.strip()
            whole = {facts(row) for row in specimen.rows}
            for share in (0.3, 0.6, 0.9):
                cut = body[: int(len(body) * share)]
                decoded = decode(subject.source(), with_body(specimen.capture, cut))
                made_up = {facts(row) for row in rows_of(decoded)} - whole
                assert not made_up, (
                    f"{specimen.capture.dataset}: a page cut at {share:.0%} makes up {made_up}."
                )
                assert decoded.rejects.num_rows, (
                    f"{specimen.capture.dataset}: a page cut at {share:.0%} is not told. "
                    "Let a `RowReader` or `QuoteReader` read it, or reject the rest."
                )

    def test_a_body_that_is_no_json_is_rejected(self, subject: Subject) -> None:
        """Whatever bytes come: rows only of JSON, at least one reject of anything else, and no exception."""
        source = subject.source()

        @calmly
        @given(st.binary(max_size=60))
        def check(body: bytes) -> None:
            for capture in _one_a_dataset(subject):
                found = decode(source, with_body(capture, b"\xff" + body))
                refused = found.rejects.num_rows and not rows_of(found)
                assert refused, (
                    f"{capture.dataset}: {body!r} behind a byte that is not UTF-8 decodes to "
                    f"{len(rows_of(found))} rows and {found.rejects.num_rows} rejects. Reject it whole."
                )

        check()

    def test_a_broken_answer_costs_no_other_capture(self, subject: Subject) -> None:
        """A batch with a broken answer in its midst gives all rows of the others."""
        for specimen in subject.specimens:
            good = specimen.capture
            broken = with_body(good, b"down for maintenance", page=99)
            rows = rows_of(decode(subject.source(), broken, good, broken))
            kept = sorted(map(facts, rows), key=repr) == sorted(map(facts, specimen.rows), key=repr)
            assert kept, f"{good.dataset}: an answer that is no JSON changes the rows of the one beside it."

    def test_decoding_is_pure(self, subject: Subject) -> None:
        """The same bytes give the same batch, twice, and the input is not touched."""
        batch, source = subject.batch(), subject.source()
        before = batch.to_pylist()
        once, again = source.decode(batch), source.decode(batch)
        assert batch.to_pylist() == before, "Decoding changed the captures it was given."
        assert all(one.equals(other) for one, other in zip(once, again, strict=True)), (
            "Decoding the same captures again gives something else. Keep no state between calls; no "
            "clock, no randomness."
        )

    def test_rows_do_not_depend_on_order_or_batches(self, subject: Subject) -> None:
        """Captures in another order, or cut into other batches, give the same rows."""
        captures, source = subject.captures, subject.source()
        whole = _as_sets(source.decode(subject.batch()))
        shuffled = random.Random(1).sample(captures, len(captures))  # noqa: S311
        for name, parts in (
            ("in another order", [shuffled]),
            ("backwards", [captures[::-1]]),
            ("in two batches", [captures[: len(captures) // 2], captures[len(captures) // 2 :]]),
        ):
            found = Decoded.joined([source.decode(subject.batch(part)) for part in parts])
            assert _as_sets(found) == whole, (
                f"Captures {name} give other rows. What a row becomes may depend on its capture only."
            )

    def test_decoding_does_no_input_or_output(self, subject: Subject) -> None:
        """Neither files nor sockets: it runs in engines that have none of yours."""
        source, batch = subject.source(), subject.batch()
        with cut_off("decode"):
            source.decode(batch)

    def test_decoding_stays_within_memory(self, subject: Subject) -> None:
        """A full batch takes no more than a few dozen bytes for each byte of the answers, and keeps none."""
        source = subject.source()
        for specimen in subject.specimens:
            size = max(1, min(BATCH_CAPTURES, BATCH_BODY_BYTES // len(specimen.capture.body)))
            pages = [_later(specimen.capture, number) for number in range(size)]
            batch = subject.batch(pages)
            bound = SPARE_BYTES + BYTES_PER_BYTE * sum(len(page.body) for page in pages)
            before = pa.total_allocated_bytes()
            tracemalloc.start()
            try:
                source.decode(batch)
                taken = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
            finally:
                tracemalloc.stop()
            assert taken <= bound, (
                f"{specimen.capture.dataset}: decoding {size} captures took {taken:,} bytes, more than "
                f"{bound:,}. Let go of what a row is made of once it is made."
            )


def _later(capture: Capture, number: int) -> Capture:
    return with_body(capture, capture.body, slot=capture.slot + timedelta(days=number))


def _one_a_dataset(subject: Subject) -> list[Capture]:
    return [specimen.capture for specimen in subject.specimens]


def _as_sets(decoded: Decoded) -> list[list[str]]:
    return [sorted(map(str, table.to_pylist())) for table in decoded]


def _is_empty(body: bytes) -> bool:
    """Whether a body is JSON without a single row in it."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return not any(isinstance(member, dict | list) and member for member in members)
