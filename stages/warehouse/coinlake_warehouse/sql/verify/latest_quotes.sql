-- Latest quotes that should stand against those that stand. In a range, a newer one may come from outside. One of
-- a month whose quotes have left the warehouse stands for good.
SELECT
    CASE
        WHEN found.capture_id IS NULL THEN 'missing'
        WHEN expected.capture_id IS NOT NULL THEN 'different'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM latest_quotes AS expected
FULL JOIN coinlake.latest_quotes AS found USING (source, asset, quote_currency)
LEFT JOIN checked ON checked.capture_id = found.capture_id
WHERE CASE
    WHEN found.capture_id IS NULL THEN true
    WHEN expected.capture_id IS NULL THEN
        (%(whole)s OR checked.capture_id IS NOT NULL)
        AND found.as_of >= coalesce((SELECT kept_since FROM retention), '-infinity')
    WHEN %(whole)s OR checked.capture_id IS NOT NULL THEN expected.* *<> found.*
    ELSE found.as_of < expected.as_of
END
