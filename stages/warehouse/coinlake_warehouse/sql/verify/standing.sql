-- Rows of a table of one row a key that should stand against those that stand. In a range, one from outside
-- may stand in the place of one from inside if it was received earlier, or later where the last answer stands.
-- Braces are filled by verify.py, from a fixed list.
SELECT
    CASE
        WHEN found.capture_id IS NULL THEN 'missing'
        WHEN expected.capture_id IS NOT NULL THEN 'different'
        -- The same row of the same capture stands under its right key too.
        WHEN EXISTS (
            SELECT FROM {table} AS twin WHERE twin.capture_id = found.capture_id AND twin.path = found.path
        ) THEN 'doubled'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM {table} AS expected
FULL JOIN coinlake.{table} AS found USING ({key})
LEFT JOIN checked ON checked.capture_id = found.capture_id
WHERE CASE
    WHEN found.capture_id IS NULL THEN true
    WHEN expected.capture_id IS NULL THEN %(whole)s OR checked.capture_id IS NOT NULL
    WHEN %(whole)s OR checked.capture_id IS NOT NULL THEN expected.* *<> found.*
    ELSE (found.fetched_at, found.capture_id, found.path)
        {is_outdone} (expected.fetched_at, expected.capture_id, expected.path)
END
