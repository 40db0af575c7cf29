-- At each commit: how long the batch took, and how long ago its oldest capture had been received. Load time.
WITH before AS (
    SELECT coalesce((SELECT batch_id FROM coinlake.batches WHERE committed_at < $__timeFrom() ORDER BY batch_id DESC LIMIT 1), 0)
        AS batch_id
)

SELECT
    $__timeGroup(committed_at, '$__interval')                                       AS "time",
    extract(epoch FROM max(committed_at - oldest_received_at))::double precision    AS "longest since receipt",
    extract(epoch FROM max(committed_at - started_at))::double precision            AS "longest batch"
FROM coinlake.batches
WHERE batch_id > (SELECT batch_id FROM before) AND committed_at <= $__timeTo() AND kind = 'tail'
GROUP BY 1
ORDER BY 1
