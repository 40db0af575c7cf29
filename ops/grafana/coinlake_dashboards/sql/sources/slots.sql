-- Captures that are loaded, by the slot they are of, and how many slots that is. The batches of the shown time
-- say which positions of the lake to look at.
WITH before AS (
    SELECT coalesce((SELECT batch_id FROM coinlake.batches WHERE committed_at < $__timeFrom() ORDER BY batch_id DESC LIMIT 1), 0)
        AS batch_id
),

shown AS (
    SELECT min(first_position) AS first_position, max(last_position) AS last_position
    FROM coinlake.batches
    WHERE batch_id > (SELECT batch_id FROM before) AND committed_at <= $__timeTo() AND kind = 'tail'
)

SELECT
    source,
    dataset,
    count(DISTINCT slot) AS slots,
    count(*)             AS captures,
    min(slot)            AS "first slot",
    max(slot)            AS "last slot"
FROM coinlake.loaded_captures
WHERE position BETWEEN (SELECT first_position FROM shown) AND (SELECT last_position FROM shown)
    AND $__timeFilter(slot)
GROUP BY source, dataset
ORDER BY source, dataset
