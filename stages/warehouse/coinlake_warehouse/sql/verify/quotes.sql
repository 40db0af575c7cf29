-- Quotes that should stand against quotes that stand. In a range, one from outside may stand in the place
-- of one from inside if it was received earlier.
SELECT
    CASE
        WHEN found.capture_id IS NULL THEN 'missing'
        WHEN expected.capture_id IS NOT NULL THEN 'different'
        -- The same row of the same capture stands under its right key too.
        WHEN EXISTS (
            SELECT FROM quotes AS twin WHERE twin.capture_id = found.capture_id AND twin.path = found.path
        ) THEN 'doubled'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM quotes AS expected
FULL JOIN coinlake.quotes AS found USING (source, asset, quote_currency, granularity, as_of)
LEFT JOIN checked ON checked.capture_id = found.capture_id
WHERE CASE
    WHEN found.capture_id IS NULL THEN true
    WHEN expected.capture_id IS NULL THEN %(whole)s OR checked.capture_id IS NOT NULL
    WHEN %(whole)s OR checked.capture_id IS NOT NULL THEN expected.* *<> found.*
    ELSE (found.fetched_at, found.capture_id, found.path)
        > (expected.fetched_at, expected.capture_id, expected.path)
END
