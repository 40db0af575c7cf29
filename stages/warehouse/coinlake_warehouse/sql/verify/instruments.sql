-- Instruments that should stand against those that stand. In a range, one from outside may stand in the
-- place of one from inside if it was received later.
SELECT
    CASE
        WHEN found.capture_id IS NULL THEN 'missing'
        WHEN expected.capture_id IS NOT NULL THEN 'different'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM instruments AS expected
FULL JOIN coinlake.instruments AS found USING (source, instrument)
LEFT JOIN checked ON checked.capture_id = found.capture_id
WHERE CASE
    WHEN found.capture_id IS NULL THEN true
    WHEN expected.capture_id IS NULL THEN %(whole)s OR checked.capture_id IS NOT NULL
    WHEN %(whole)s OR checked.capture_id IS NOT NULL THEN expected.* *<> found.*
    ELSE (found.fetched_at, found.capture_id, found.path)
        < (expected.fetched_at, expected.capture_id, expected.path)
END
