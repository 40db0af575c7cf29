-- The newest verifications, whole or of a part.
SELECT
    finished_at                                             AS finished,
    CASE WHEN is_whole THEN 'all' ELSE 'a part' END         AS "of",
    captures,
    pending                                                 AS "not loaded yet",
    missing,
    doubled,
    different,
    extra,
    damaged,
    lost,
    seconds                                                 AS took
FROM coinlake.verifications
ORDER BY verification_id DESC
LIMIT 50
