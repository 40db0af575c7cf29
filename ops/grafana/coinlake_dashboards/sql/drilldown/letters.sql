-- What of the capture was refused.
SELECT
    path,
    stage,
    array_to_string(reasons, '; ')                         AS reasons,
    encode(substring(original FROM 1 FOR 1000), 'escape')  AS original,
    rejected_at                                            AS refused,
    resolved_at                                            AS accepted
FROM coinlake.dead_letters
-- Anything but an id finds nothing.
WHERE capture_id = CASE WHEN ${capture:sqlstring} ~ '^[0-9a-f-]{36}$' THEN ${capture:sqlstring}::text::uuid END
ORDER BY path
LIMIT 100
