-- What should be refused against what stands as refused; when that was, is not compared.
SELECT
    CASE
        WHEN found.capture_id IS NULL THEN 'missing'
        WHEN expected.capture_id IS NOT NULL THEN 'different'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM dead_letters AS expected
FULL JOIN (
    SELECT *
    FROM coinlake.dead_letters
    WHERE resolved_at IS NULL
        -- These were refused by the server: no rebuilding can tell.
        AND (stage <> 'load' OR capture_id NOT IN (SELECT capture_id FROM checked))
        -- These are of messages that no capture of the lake came by: nothing says what should stand.
        AND (stage <> 'bus' OR source <> '')
        AND (%(whole)s OR capture_id IN (SELECT capture_id FROM checked))
) AS found USING (capture_id, path)
WHERE (expected.stage, expected.reasons, expected.original, expected.source, expected.dataset, expected.slot)
    IS DISTINCT FROM (found.stage, found.reasons, found.original, found.source, found.dataset, found.slot)
