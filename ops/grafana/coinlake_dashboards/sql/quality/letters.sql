-- The newest open dead letters of the shown time, with the beginning of what was refused.
SELECT
    rejected_at                                            AS refused,
    source,
    dataset,
    stage,
    array_to_string(reasons, '; ')                         AS reasons,
    path,
    encode(substring(original FROM 1 FOR 200), 'escape')   AS original,
    octet_length(original)                                 AS bytes,
    slot,
    capture_id::text                                       AS capture
FROM coinlake.dead_letters
WHERE resolved_at IS NULL AND $__timeFilter(rejected_at)
ORDER BY rejected_at DESC
LIMIT 100
